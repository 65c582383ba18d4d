"""`edged privacy`: what is kept about whom, and what it is kept safe with."""

import argparse

from edged.cli.privacy_keys import add_key_parsers
from edged.cli.privacy_report import add_report

DESCRIPTION = """\
What edged keeps about people, for how long, and where it goes. `edged erase` forgets somebody for good;
docs/privacy.md has the whole picture.
"""

EPILOG = """\
examples:
  edged privacy report
  edged privacy report --person "Eileen Collins"
  edged privacy new-key --file /etc/edged/secrets/faces
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its subcommands."""
    parser = subparsers.add_parser(
        "privacy",
        help="say what is kept about whom and for how long",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_report(actions)
    add_key_parsers(actions)
