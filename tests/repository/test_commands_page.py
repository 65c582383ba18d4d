"""docs/commands.md says all that `--help` says, and nothing that it does not."""

import argparse
import re
from collections.abc import Iterator

import pytest

from bench.checkout import ROOT
from edged.cli.main import COMMANDS, EXIT_CODES, _parser

PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command and subcommand, in the order of the help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from _commands(command)


PARSERS = {command.prog: command for command in _commands(_parser())}


def _section(command: str) -> str:
    """What the page says of a command, down to the next heading."""
    found = re.search(rf"^##+ `{re.escape(command)}`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def _quoted(text: str) -> str:
    return " ".join(re.findall(r"`([^`]+)`", text))


def _options(parser: argparse.ArgumentParser) -> set[str]:
    own = (action for action in parser._actions if not isinstance(action, argparse._HelpAction))
    return {option for action in own for option in action.option_strings}


def _arguments(parser: argparse.ArgumentParser) -> set[str]:
    """Positional arguments as the help writes them."""
    return {
        str(action.metavar or action.dest).strip("[].… ")
        for action in parser._actions
        if not action.option_strings and not isinstance(action, argparse._SubParsersAction)
    }


def test_every_command_of_the_program_is_looked_at() -> None:
    assert {f"edged {command}" for command in COMMANDS} <= set(PARSERS)


@pytest.mark.parametrize("command", PARSERS)
def test_a_command_has_its_section(command: str) -> None:
    assert _section(command).strip()


@pytest.mark.parametrize("command", PARSERS)
def test_a_section_names_every_option_and_argument(command: str) -> None:
    quoted = _quoted(_section(command))
    assert {option for option in _options(PARSERS[command]) if option not in OPTION.findall(quoted)} == set()
    assert {argument for argument in _arguments(PARSERS[command]) if argument not in quoted} == set()


@pytest.mark.parametrize("command", PARSERS)
def test_a_section_names_no_option_that_is_not_there(command: str) -> None:
    section = _section(command)
    usages = re.findall(rf"`{re.escape(command)} ([^`]*)`", section)
    rows = re.findall(r"^\| (`-[^|]*)\|", section, re.MULTILINE)
    assert set(OPTION.findall(" ".join([*usages, *rows]))) <= _options(PARSERS[command])


@pytest.mark.parametrize("command", PARSERS)
def test_every_option_has_its_help(command: str) -> None:
    silent = [action.dest for action in PARSERS[command]._actions if not action.help]
    nested = [a.dest for a in PARSERS[command]._actions if isinstance(a, argparse._SubParsersAction)]
    assert [dest for dest in silent if dest not in nested] == []


def test_no_section_is_of_a_command_that_is_not_there() -> None:
    assert set(re.findall(r"^##+ `(edged[^`]*)`$", PAGE, re.MULTILINE)) <= set(PARSERS)


def test_the_exit_codes_are_those_of_the_help() -> None:
    told = dict(re.findall(r"^  (\d+) +(.+)$", EXIT_CODES, re.MULTILINE))
    assert dict(re.findall(r"^\| (\d+) \| (.+?) \|$", PAGE, re.MULTILINE)) == told
