"""What the actions of `edged groups` have in common."""

import argparse
import sys

from edged.cli.identities_place import add_place_options
from edged.domain.errors import EdgedError

GROUP_HELP = "id of a group, or its first four or more characters"


def action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str, more: str = ""
) -> argparse.ArgumentParser:
    """Declare an action, with the options that say which namespace."""
    parser = actions.add_parser(
        name, help=words, description=f"{words[0].upper()}{words[1:]}. {more}".strip()
    )
    add_place_options(parser)
    return parser


def may(question: str) -> bool:
    """Ask at the terminal; raises EdgedError where nobody is there."""
    if not sys.stdin.isatty():
        raise EdgedError("this cannot be undone, and there is nobody to ask", remedy="Say --yes.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
