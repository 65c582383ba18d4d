"""`edged sync`: a namespace that is the same on many nodes."""

import argparse

from edged.cli.sync_backup import add_backup_actions
from edged.cli.sync_export import add_export
from edged.cli.sync_join import add_join
from edged.cli.sync_membership import add_membership_actions
from edged.cli.sync_proposals import add_proposals
from edged.cli.sync_status import add_status

DESCRIPTION = """\
Keeps a namespace the same on many nodes: one of them, the authority, publishes all of it over the MQTT
broker, signed and encrypted; the others, its members, apply it. These commands write to this node's database,
and its running daemon acts on that. docs/sync.md has the whole picture.
"""

EPILOG = """\
examples:
  edged sync init                 on the node that is to be the authority
  edged sync invite               there; says a code that is good for an hour
  edged sync join edged1-CODE     on each other node
  edged sync status
  edged sync backup authority.backup
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser(
        "sync",
        help="keep a namespace the same on many nodes",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_membership_actions(actions)
    add_join(actions)
    add_status(actions)
    add_proposals(actions)
    add_backup_actions(actions)
    add_export(actions)
