"""`edged erase`: forget a person for good."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from edged.cli.groups_place import may
from edged.cli.identities_place import Place, add_place_options
from edged.cli.identities_words import counted, warn
from edged.cli.sync_wait import Waiting, add_wait_option
from edged.domain.errors import EdgedError

if TYPE_CHECKING:
    from edged.app.erasing import Receipt

DESCRIPTION = """\
Forgets a person for good: identity, faces, aligned crops and embeddings, also of faces that were only seen,
the pictures that show them, their objects in stored jobs, their tracks in groups of unknown people, every
snapshot that holds them, and what messages that are not sent yet say of them, dead letters among them. What
is left is the bare id. A running daemon need not be stopped: it forgets them within a second. Whoever was
merged into them is forgotten with them.

PERSON is a name, a customId, an id or the first four or more characters of an id. Where that is several
people, they are listed and nobody is erased.
"""

EPILOG = """\
examples:
  edged erase "Eileen Collins" --dry-run
  edged erase "Eileen Collins"
  edged erase nasa-1 --namespace office --yes --json
  edged erase "Eileen Collins" --wait "10 min"
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "erase",
        help="forget a person for good, in every file that edged has",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("who", metavar="PERSON", help="name, customId, id, or the beginning of an id")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="say what would be erased, and change nothing")
    parser.add_argument("--json", action="store_true", help="print the receipt as a JSON object")
    add_wait_option(parser)
    add_place_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from edged.app.erasing import erase, rehearse
    from edged.store.erasures import outbox_in

    place = Place(arguments)
    outbox = outbox_in(place.data_dir)
    try:
        with place.writing() as store:
            person = store.find(arguments.who)
            if arguments.dry_run:
                receipt = rehearse(store, place.namespace, [person.id], outbox)
            else:
                question = (
                    f"Erase {person.label} ({person.id}, {counted(person.faces)}) in namespace"
                    f" {place.namespace} for good?"
                )
                if not arguments.yes and not may(question):
                    raise EdgedError("nobody was erased")
                receipt = erase(store, place.namespace, [person.id], outbox)
    finally:
        if outbox is not None:
            outbox.close()
    if arguments.json:
        print(json.dumps(json_of(receipt), ensure_ascii=False, indent=2))
    else:
        print(told(receipt))
    warn(receipt.warnings)
    return 0 if arguments.dry_run else Waiting(arguments).finish([one.id for one in receipt.people])


def told(receipt: "Receipt") -> str:
    """A receipt as people read it."""
    who = ", ".join(f"{one.label} ({one.id})" for one in receipt.people)
    lines = [f"{'would erase' if receipt.is_rehearsal else 'erased'} {who} in namespace {receipt.namespace}"]
    lines += [f"  {number} {kind}" for kind, number in receipt.deleted.items()]
    changed = "would be changed" if receipt.is_rehearsal else "changed"
    lines += [f"  {number} {kind} not sent yet {changed}" for kind, number in receipt.messages.items()]
    if not receipt.is_rehearsal:
        lines.append("  left: the bare id, so that nothing brings them back")
    lines.append("out of reach, and for you to see to:")
    lines += [f"  {words}" for words in receipt.beyond_reach]
    return "\n".join(lines)


def json_of(receipt: "Receipt") -> dict[str, Any]:
    """A receipt for programs. It says the id and nothing else of whom: it may be kept."""
    return {
        "namespace": receipt.namespace,
        "identityIds": [one.id for one in receipt.people],
        "dryRun": receipt.is_rehearsal,
        "deleted": dict(receipt.deleted),
        "messages": dict(receipt.messages),
        "warnings": list(receipt.warnings),
        "outOfReach": list(receipt.beyond_reach),
    }
