"""`edged config`: check, show and describe the configuration file."""

import argparse
import json
import sys
from collections.abc import Sized
from pathlib import Path

from edged.cli.config_option import add_config_option

_DESCRIPTION = """\
check   reads the file as the daemon does and tells all mistakes at once, each with its line
show    prints what is in force: the file's values, every default, secrets as stars
schema  prints a JSON Schema for editors, made from the same types that read the file
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its own subcommands."""
    parser = subparsers.add_parser(
        "config",
        help="check, show or describe the configuration file",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="what to do", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="tell all mistakes in the file; exits with 78 if there are any")
    _add_file(check)
    check.add_argument(
        "--no-secrets",
        action="store_true",
        help="do not look secrets up: for a user who may not see the daemon's",
    )
    check.set_defaults(run=_check)
    show = actions.add_parser("show", help="print the effective configuration, secrets as stars")
    _add_file(show)
    show.set_defaults(run=_show)
    actions.add_parser("schema", help="print a JSON Schema for editors").set_defaults(run=_schema)


def _add_file(parser: argparse.ArgumentParser) -> None:
    add_config_option(parser)
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the file, instead of --config")


def _check(arguments: argparse.Namespace) -> int:
    from edged.app.configuration import load

    loaded = load(arguments.file or arguments.config, with_secrets=not arguments.no_secrets)
    for doubt in loaded.doubts:
        print(f"edged: is this meant? {doubt}", file=sys.stderr)
    settings = loaded.settings
    print(f"{loaded.path} is right: {_count(settings.feeds, 'feed')}, {_count(settings.sinks, 'sink')}")
    return 0


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _show(arguments: argparse.Namespace) -> int:
    from edged.app.configuration import load
    from edged.app.shown import shown

    # Stars need no secret, so whoever may read the file may see what is in force.
    loaded = load(arguments.file or arguments.config, with_secrets=False)
    print(shown(loaded.settings), end="")
    return 0


def _schema(_arguments: argparse.Namespace) -> int:
    from edged.app.json_schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
