"""The authority's rows of what members propose, and what it said to each.

Functions that take a connection are of the caller's transaction.
"""

import sqlite3
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from edged.domain.embedder import EmbedderInUse
from edged.domain.errors import InputError
from edged.replication.people import SharedFace
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statements import ANSWERS_KEPT, MOST_WAITING, Answer, Wanted
from edged.store.database import transaction
from edged.store.namespace_queries import ledger
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Kind, seal_of
from edged.store.sync_members import untell
from edged.store.sync_records import epoch_record
from edged.store.sync_wanted import Outcome, WantedError, apply_wanted, checked_wanted

_FACES: Final = msgspec.msgpack.Decoder(tuple[SharedFace, ...])


@dataclass(frozen=True, slots=True)
class Offer:
    """What a member proposes, opened, and checked for nothing but its form."""

    node: str
    number: int
    token: str
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class WaitingProposal:
    """What a node wants of one person and waits for the owner's word, however many messages it came in.

    Attributes:
        node: whose.
        identity_id: the person's.
        number: at the node, of the latest of its parts.
        at_ms: when the first of them came, UTC milliseconds.
        parts: what each wants, in the order in which they are to be done.
    """

    node: str
    identity_id: str
    number: int
    at_ms: int
    parts: tuple[Wanted, ...]

    @property
    def faces(self) -> int:
        """How many new ones."""
        return sum(len(_FACES.decode(part.add_faces)) for part in self.parts if part.add_faces)


def decide(store: NamespaceStore, offer: Offer, embedder: EmbedderInUse, *, asks: bool) -> Outcome:
    """Take a proposal, refuse it, or have it wait for the owner; all of it in one transaction.

    Raises StoreError, and RefusedError for one that is too old.
    """
    with transaction(store.connection) as connection:
        refusal = _refusal_of_old(connection, offer)
        if refusal is not None:
            untell(connection, offer.node)
        else:
            return _decided(store, offer, embedder, asks=asks)
    if refusal:
        raise RefusedError(Refusal.OLD, refusal)
    return Outcome()


def answers(connection: sqlite3.Connection, node: str) -> tuple[Answer, ...]:
    """What a node is told of its latest proposals, the oldest first."""
    rows = connection.execute(
        "SELECT number, verdict, epoch, why, token FROM sync_proposed WHERE node = ? ORDER BY number", (node,)
    )
    return tuple(
        Answer(number=number, verdict=verdict, epoch=epoch, why=why, token=token)
        for number, verdict, epoch, why, token in rows
    )


def waiting_proposals(connection: sqlite3.Connection) -> list[WaitingProposal]:
    """What waits for the owner, the oldest first; raises StoreError where it does not open."""
    rows = connection.execute(
        "SELECT node, identity_id, number, at_ms, wanted FROM sync_proposed WHERE verdict = 'waiting'"
        " ORDER BY node, identity_id, number"
    )
    found = []
    for (node, identity_id), each in groupby(rows, itemgetter(0, 1)):
        parts = list(each)
        found.append(
            WaitingProposal(
                node,
                identity_id,
                number=parts[-1][2],
                at_ms=min(at_ms for *_, at_ms, _ in parts),
                parts=tuple(_opened(connection, node, number, blob) for _, _, number, _, blob in parts),
            )
        )
    return sorted(found, key=lambda one: (one.at_ms, one.node, one.number))


def accept(store: NamespaceStore, node: str, number: int, embedder: EmbedderInUse) -> Outcome:
    """Take a proposal that waits, with all parts of it up to this number; the daemon publishes it.

    Raises InputError: there is none, or what it wants cannot be (all of it stays, to be refused).
    """
    outcomes = []
    with transaction(store.connection) as connection:
        for offer in _waiting_parts(connection, node, number):
            try:
                checked_wanted(offer.wanted, embedder)
                outcomes.append(apply_wanted(store, offer.wanted, embedder))
            except WantedError as error:
                raise InputError(
                    f"the proposal {number} of {node} cannot be taken: {error.why}",
                    remedy=f"Refuse it: `edged sync proposals refuse {node} {number}`.",
                ) from None
            _answer(connection, offer, store.now_ms, "")
        untell(connection, node)
    return Outcome(
        has_changed=any(each.has_changed for each in outcomes),
        has_erased=any(each.has_erased for each in outcomes),
        lacks_vectors=any(each.lacks_vectors for each in outcomes),
    )


def refuse(store: NamespaceStore, node: str, number: int, why: str = "the owner did not want it") -> None:
    """Refuse a proposal that waits, with all parts of it up to this number; InputError where there is none.

    Of somebody who is not here later parts are refused too: without the first there is nobody to be changed.
    """
    with transaction(store.connection) as connection:
        connection.execute(
            "UPDATE sync_proposed SET verdict = 'refused', wanted = NULL, why = ?"
            " WHERE node = ? AND identity_id = ? AND verdict = 'waiting' AND (number <= ?"
            " OR NOT EXISTS (SELECT 1 FROM identity WHERE id = identity_id))",
            (why[:300], node, _waits_for(connection, node, number), number),
        )
        untell(connection, node)


def _refusal_of_old(connection: sqlite3.Connection, offer: Offer) -> str | None:
    """Why a proposal that is no news is not taken; empty for one that was sent again, None for news."""
    row = connection.execute(
        "SELECT token FROM sync_proposed WHERE node = ? AND number = ?", (offer.node, offer.number)
    ).fetchone()
    if row is not None:
        return "" if row[0] == offer.token else f"{offer.node} gave the number {offer.number} twice"
    (count, floor) = connection.execute(
        "SELECT count(*), min(number) FROM sync_proposed WHERE node = ? AND verdict <> 'waiting'",
        (offer.node,),
    ).fetchone()
    if count >= ANSWERS_KEPT and offer.number < floor:
        return f"the proposal {offer.number} of {offer.node} is older than what is known of it"
    return None


def _decided(store: NamespaceStore, offer: Offer, embedder: EmbedderInUse, *, asks: bool) -> Outcome:
    connection, outcome, why = store.connection, Outcome(), ""
    is_overtaking = _overtake(connection, offer)
    # A later part is not done before those that wait, also where the owner is asked no more.
    is_waiting = asks or _has_earlier(connection, offer)
    try:
        checked_wanted(offer.wanted, embedder)
        if is_waiting:
            _require_somebody(connection, offer)
            _wait(connection, offer, store.now_ms)
        else:
            outcome = apply_wanted(store, offer.wanted, embedder)
    except WantedError as error:
        why = error.why
    if why or not is_waiting:
        _answer(connection, offer, store.now_ms, why)
    untell(connection, offer.node)
    _forget_oldest(connection, offer.node)
    return replace(outcome, has_erased=True) if is_overtaking else outcome


def _has_earlier(connection: sqlite3.Connection, offer: Offer) -> bool:
    query = "SELECT 1 FROM sync_proposed WHERE node = ? AND identity_id = ? AND verdict = 'waiting'"
    return connection.execute(query, (offer.node, offer.wanted.identity_id)).fetchone() is not None


def _require_somebody(connection: sqlite3.Connection, offer: Offer) -> None:
    """Of who is neither here nor asked for, no change can be taken, whatever the owner says."""
    wanted = offer.wanted
    if wanted.remove or wanted.created_ms is not None or _has_earlier(connection, offer):
        return
    if not connection.execute("SELECT 1 FROM identity WHERE id = ?", (wanted.identity_id,)).fetchone():
        raise WantedError("the person was removed meanwhile")


def _wait(connection: sqlite3.Connection, offer: Offer, now_ms: int) -> None:
    ((count,),) = connection.execute(
        "SELECT count(*) FROM sync_proposed WHERE node = ? AND verdict = 'waiting'", (offer.node,)
    )
    if count >= MOST_WAITING:
        raise WantedError("too many of this node's changes wait for the owner already")
    content = msgspec.msgpack.encode(offer.wanted)
    blob = seal_of(connection).close(Kind.PROPOSAL, _owner(offer.node, offer.number), content)
    connection.execute(
        "INSERT INTO sync_proposed (node, number, token, identity_id, at_ms, verdict, wanted)"
        " VALUES (?, ?, ?, ?, ?, 'waiting', ?)",
        (offer.node, offer.number, offer.token, offer.wanted.identity_id, now_ms, blob),
    )


def _answer(connection: sqlite3.Connection, offer: Offer, now_ms: int, why: str) -> None:
    """Keep the answer. What changed nothing is in the epoch in force already, where that has everything."""
    revision, record = ledger(connection).revision, epoch_record(connection)
    is_there = record is not None and record.revision >= revision
    connection.execute(
        "INSERT OR REPLACE INTO sync_proposed (node, number, token, identity_id, at_ms, verdict, revision,"
        " epoch, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            offer.node,
            offer.number,
            offer.token,
            offer.wanted.identity_id,
            now_ms,
            "refused" if why else "accepted",
            revision,
            record.epoch if record and is_there and not why else 0,
            why[:300],
        ),
    )


def _overtake(connection: sqlite3.Connection, offer: Offer) -> bool:
    """A removal says all that there is to say of somebody: what waited of this node is over.

    Whether there was anything: faces, which may be in the log still.
    """
    if not offer.wanted.remove:
        return False
    overtaken = connection.execute(
        "UPDATE sync_proposed SET verdict = 'refused', wanted = NULL,"
        " why = 'the node wants the person removed'"
        " WHERE node = ? AND identity_id = ? AND verdict = 'waiting'",
        (offer.node, offer.wanted.identity_id),
    ).rowcount
    return overtaken > 0


def _forget_oldest(connection: sqlite3.Connection, node: str) -> None:
    connection.execute(
        "DELETE FROM sync_proposed WHERE node = ?1 AND verdict <> 'waiting' AND number NOT IN"
        " (SELECT number FROM sync_proposed WHERE node = ?1 AND verdict <> 'waiting'"
        " ORDER BY number DESC LIMIT ?2)",
        (node, ANSWERS_KEPT),
    )


def _waiting_parts(connection: sqlite3.Connection, node: str, number: int) -> list[Offer]:
    """All of a person up to a number, in the order in which they were made."""
    rows = connection.execute(
        "SELECT number, token, wanted FROM sync_proposed WHERE node = ? AND identity_id = ?"
        " AND verdict = 'waiting' AND number <= ? ORDER BY number",
        (node, _waits_for(connection, node, number), number),
    ).fetchall()
    return [Offer(node, each, token, _opened(connection, node, each, blob)) for each, token, blob in rows]


def _waits_for(connection: sqlite3.Connection, node: str, number: int) -> str:
    """The id of the person of a proposal that waits."""
    row = connection.execute(
        "SELECT identity_id FROM sync_proposed WHERE node = ? AND number = ? AND verdict = 'waiting'",
        (node, number),
    ).fetchone()
    if row is None:
        raise InputError(
            f"no proposal {number} of {node} waits", remedy="`edged sync proposals list` says which do."
        )
    return str(row[0])


def _opened(connection: sqlite3.Connection, node: str, number: int, blob: bytes) -> Wanted:
    content = seal_of(connection).open(Kind.PROPOSAL, _owner(node, number), blob)
    return msgspec.msgpack.decode(content, type=Wanted)


def _owner(node: str, number: int) -> str:
    return f"{node}\0{number}"
