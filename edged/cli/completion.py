"""`edged completion`: what a shell needs to complete the commands and their options."""

import argparse
from collections.abc import Iterator

DESCRIPTION = """\
Print what makes a shell complete the commands of edged, their options and file names, as its own language:
  bash:  edged completion bash >/usr/local/share/bash-completion/completions/edged
  zsh:   edged completion zsh >/usr/local/share/zsh/site-functions/_edged
It is in force in the next shell. `scripts/install` and the Debian package have done this already.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "completion",
        help="print what makes a shell complete the commands",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=["bash", "zsh"], metavar="SHELL", help="bash or zsh")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it; 0."""
    import shtab

    from edged.cli.main import whole_parser

    parser = whole_parser()
    for action in _actions(parser):
        # What shtab cannot know: which words are names of files. Others keep the shell's own choice.
        word = str(action.metavar).split("[")[0].rstrip("…")
        if word in {"FILE", "IMAGE", "DATASET", "OUT"}:
            vars(action)["complete"] = shtab.FILE
        elif word == "DIR":
            vars(action)["complete"] = shtab.DIRECTORY
    print(shtab.complete(parser, shell=arguments.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option and argument of the parser and of the commands below it."""
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action
