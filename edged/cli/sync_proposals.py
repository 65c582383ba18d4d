"""`edged sync proposals`: what members want changed, and the owner's word on it."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from edged.cli.identities_words import counted, warn
from edged.cli.sync_place import SyncPlace, sync_action
from edged.cli.sync_words import when
from edged.domain.errors import ConfigurationError, EdgedError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from edged.settings.root import Settings
    from edged.store.namespace_store import NamespaceStore
    from edged.store.sync_decisions import WaitingProposal

_DECIDED = "proposals are answered"
_OWN = (
    "SELECT identity_id, max(number), min(made_ms), verdict, why FROM sync_proposal"
    " GROUP BY identity_id, verdict, why ORDER BY max(number)"
)
"""What one person's changes needed several messages for is one proposal."""


def add_proposals(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action and its own actions."""
    parser = actions.add_parser(
        "proposals",
        help="list what members want changed, take it or not",
        description="What members want changed waits for the authority's owner where its configuration says"
        " `sync.proposals: ask`.",
    )
    inner = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listed = sync_action(
        inner,
        "list",
        "list what waits for the owner; at a member its own proposals",
        "What a node wants of one person is one proposal, also where it came in several messages.",
        "edged sync proposals list",
        _list,
    )
    listed.add_argument("--json", action="store_true", help="print a JSON array")
    accept = sync_action(
        inner,
        "accept",
        "take a proposal; every node has it with the next epoch",
        "",
        "edged sync proposals accept cam-2 1700000000000",
        _accept,
    )
    _add_which(accept)
    refuse = sync_action(
        inner,
        "refuse",
        "refuse a proposal; the node that made it takes it back",
        "",
        'edged sync proposals refuse cam-2 1700000000000 --why "not one of ours"',
        _refuse,
    )
    _add_which(refuse)
    refuse.add_argument(
        "--why", metavar="WORDS", default="the owner did not want it", help="told to the node"
    )


def _add_which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", metavar="NODE", help="who proposed it")
    parser.add_argument("number", metavar="NUMBER", type=int, help="which, as the list has it")


def _list(arguments: argparse.Namespace) -> int:
    from edged.domain.sync_state import SyncRole

    place = SyncPlace(arguments)
    with place.tables() as tables:
        is_authority = tables.membership().role is SyncRole.AUTHORITY
        found = _waiting(tables.connection) if is_authority else _own(tables.connection)
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return 0
    for each in found:
        head = f"{each['node']}  " if is_authority else ""
        print(f"{head}{each['number']}  {when(each['at'])}  {each['identityId'][:8]}  {each['what']}")
    if not found:
        print("there are no proposals", file=sys.stderr)
    return 0


def _waiting(connection: "sqlite3.Connection") -> list[dict[str, Any]]:
    from edged.store.sync_decisions import waiting_proposals

    return [
        {
            "node": each.node,
            "number": each.number,
            "at": each.at_ms,
            "identityId": each.identity_id,
            "what": _what(each),
        }
        for each in waiting_proposals(connection)
    ]


def _what(proposal: "WaitingProposal") -> str:
    """What is wanted, in words: what it comes to when all its parts are done."""
    parts = proposal.parts
    if parts[-1].remove:
        heir = parts[-1].heir
        return "forget them" if heir is None else f"merge them into {heir[:8]}"
    name = _last(part.name for part in parts)
    custom_id = _last(part.custom_id for part in parts)
    gone = sum(len(part.remove_faces) for part in parts)
    words = []
    if any(part.created_ms is not None for part in parts):
        words.append(f"enrol {name or 'somebody without a name'}")
    elif name is not None:
        words.append(f"call them {name}")
    if custom_id is not None:
        words.append(f"customId {custom_id}" if custom_id else "no customId")
    if proposal.faces:
        words.append(f"add {counted(proposal.faces)}")
    if gone:
        words.append(f"take {counted(gone)} away")
    return ", ".join(words) or "nothing"


def _last(texts: "Iterable[str | None]") -> str | None:
    return next((text for text in reversed(list(texts)) if text is not None), None)


def _own(connection: "sqlite3.Connection") -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "at": made_ms,
            "identityId": who,
            "what": " ".join(words for words in (verdict or "not answered yet", why) if words),
        }
        for who, number, made_ms, verdict, why in connection.execute(_OWN)
    ]


def _accept(arguments: argparse.Namespace) -> int:
    from edged.app.bare_node import embedder_in_use
    from edged.app.erasing import swept
    from edged.store.sync_decisions import accept

    place = SyncPlace(arguments)
    if place.settings is None:
        raise ConfigurationError("there is no configuration", remedy="Name it with `--config FILE`.")
    with place.store_of_authority(_DECIDED) as store:
        embedder = embedder_in_use(place.settings, place.data_dir)
        outcome = accept(store, arguments.node, arguments.number, embedder)
        if outcome.has_erased:
            warn(swept(store, place.namespace, place.data_dir))
        if outcome.lacks_vectors:
            _embed(place, place.settings, store, embedder.model_hash)
        warn(place.finish(store))
    print(f"accepted: {arguments.node} {arguments.number}")
    return 0


def _embed(place: SyncPlace, settings: "Settings", store: "NamespaceStore", model_hash: str) -> None:
    """The faces came from a node with another embedder, with their crops."""
    from edged.app.sync_reembedding import embed_now

    try:
        embed_now(place.namespace, store, settings.models, place.data_dir, model_hash, place.clock)
    except EdgedError as error:
        warn([f"its faces are not embedded yet, which the daemon's next start does: {error.what}"])


def _refuse(arguments: argparse.Namespace) -> int:
    from edged.store.sync_decisions import refuse

    place = SyncPlace(arguments)
    with place.store_of_authority(_DECIDED) as store:
        refuse(store, arguments.node, arguments.number, arguments.why)
        # What was wanted had faces in it.
        warn(list(store.swept_log()))
    print(f"refused: {arguments.node} {arguments.number}")
    return 0
