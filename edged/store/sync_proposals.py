"""A member's own changes on their way to the authority: from rows that triggers write to what is wanted.

Nothing of a person is copied: what is wanted is read from the people's own rows each time it is sent. Who was
removed meanwhile leaves their id behind, and nothing else. Every function is of the caller's transaction.
"""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from edged.replication.people import bucket_of
from edged.replication.statements import ANSWERS_KEPT, MOST_WAITING, Answer, Wanted
from edged.store.namespace_store import next_revision
from edged.store.sync_own_changes import NEW, changes, fitting, is_here, wanted
from edged.store.sync_records import write_bucket

MOST_UNDER_WAY: Final = 16
"""Proposals without an answer, besides those that wait for the owner."""
_MOST_PARTS: Final = 8
"""Of one person, that wait for the owner; what is changed after that goes together, once they are decided."""
_MOST_REFUSED_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class OwnProposal:
    """A proposal of this node; see `0007_sync.sql`."""

    number: int
    token: str
    identity_id: str
    made_ms: int
    verdict: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A change of this node that the authority did not take, and that is taken back."""

    identity_id: str
    why: str


def unanswered(connection: sqlite3.Connection, epoch: int = 0) -> frozenset[str]:
    """The ids of people whose own changes are not in force: an epoch does not touch them.

    `epoch` is the one that is about to be applied: what was accepted for it, or before, is in it.
    """
    rows = connection.execute(
        "SELECT DISTINCT identity_id FROM sync_change WHERE proposal IS NULL OR proposal NOT IN"
        " (SELECT number FROM sync_proposal WHERE verdict = 'accepted' AND epoch BETWEEN 1 AND ?)",
        (epoch,),
    )
    return frozenset(identity_id for (identity_id,) in rows)


def own_proposals(connection: sqlite3.Connection) -> list[OwnProposal]:
    """Those that are not in force, by number; refused ones are left out."""
    rows = connection.execute(
        "SELECT number, token, identity_id, made_ms, verdict, epoch FROM sync_proposal"
        " WHERE verdict <> 'refused' ORDER BY number"
    )
    return [OwnProposal(*row) for row in rows]


def open_proposals(
    connection: sqlite3.Connection, now_ms: int, tokens: Iterable[str], most_bytes: int
) -> int:
    """Make proposals of the changes that are in none, one a person; returns how many were made.

    What waits for the owner is not made more than the authority keeps: then only removals are proposed.

    Args:
        connection: of the namespace's database.
        now_ms: UTC milliseconds.
        tokens: chance in hex, 32 characters each, one a proposal.
        most_bytes: so much MessagePack fits in one; the faces that do not fit go into the next.
    """
    ((under_way, waiting),) = connection.execute(
        "SELECT count(*) FILTER (WHERE verdict = ''), count(*) FILTER (WHERE verdict = 'waiting')"
        " FROM sync_proposal"
    )
    made = 0
    source = iter(tokens)
    for identity_id in _ready(connection):
        if under_way + made >= MOST_UNDER_WAY:
            break
        if under_way + waiting + made >= MOST_WAITING and is_here(connection, identity_id):
            continue
        made += _opened(connection, identity_id, now_ms, next(source), most_bytes)
    return made


def wanted_by(
    connection: sqlite3.Connection, proposal: OwnProposal, model: str, *, with_chips: bool
) -> Wanted:
    """What a proposal wants, of the people as they are now; raises StoreError where a blob does not open."""
    rows = changes(connection, "proposal = ?", (proposal.number,))
    return wanted(connection, proposal.identity_id, rows, model, with_chips=with_chips)


def take_answers(connection: sqlite3.Connection, answers: Collection[Answer]) -> list[Refused]:
    """Note what the authority said; what it did not take is free to be applied as it is there.

    An answer counts for the proposal of its number and its token. Where only the number is right it is for
    one that this node forgot when it was set back: the proposal goes out under another number.
    """
    refused = []
    present = {each.number: each for each in own_proposals(connection)}
    for answer in answers:
        own = present.get(answer.number)
        if own is None:
            continue
        if own.token != answer.token:
            _take_back(connection, own.number)
        elif answer.verdict == "refused":
            refused.append(_refuse(connection, own, answer.why))
        elif own.verdict != "accepted" or own.epoch == 0:
            connection.execute(
                "UPDATE sync_proposal SET verdict = ?, epoch = ?, why = ? WHERE number = ?",
                (answer.verdict, answer.epoch, answer.why, own.number),
            )
    for number in _overlooked(present.values(), answers):
        _take_back(connection, number)
    _number_after(connection, max((answer.number for answer in answers), default=0))
    return refused


def _overlooked(own: Iterable[OwnProposal], answers: Collection[Answer]) -> list[int]:
    """Proposals that the authority tells nothing of any more, so many later ones came: they are made anew.

    It takes them under their number no more, or took them and was never heard to say with which epoch.
    """
    decided = {answer.number for answer in answers if answer.verdict != "waiting"}
    waiting = {answer.number for answer in answers} - decided
    if len(decided) < ANSWERS_KEPT:
        return []
    return [
        each.number
        for each in own
        if each.number < min(decided) and each.number not in waiting and not each.epoch
    ]


def settle(connection: sqlite3.Connection, epoch: int) -> bool:
    """Forget the proposals that are in force with an epoch that was applied; whether there were any.

    The pages of their people are to be applied again: what the authority made of them counts.
    """
    done = [
        each for each in own_proposals(connection) if each.verdict == "accepted" and 0 < each.epoch <= epoch
    ]
    for each in done:
        connection.execute("DELETE FROM sync_change WHERE proposal = ?", (each.number,))
        connection.execute("DELETE FROM sync_proposal WHERE number = ?", (each.number,))
        _apply_again(connection, each.identity_id)
        _use_faces(connection, each.identity_id)
    return bool(done)


def withhold(connection: sqlite3.Connection, *, is_wanted: bool) -> bool:
    """Have new faces withheld from now on until the authority took them, or none; whether that is news."""
    changed = connection.execute(
        "UPDATE sync_membership SET is_withholding = ?1 WHERE is_withholding <> ?1", (is_wanted,)
    ).rowcount
    if changed and not is_wanted:
        _use_faces(connection, None)
    return bool(changed)


def propose_everybody(connection: sqlite3.Connection) -> None:
    """Have everybody who is here proposed as new: of a node that joins with people of its own."""
    connection.execute(
        "INSERT INTO sync_change (identity_id, kind) SELECT id, 'new' FROM identity WHERE id NOT IN"
        " (SELECT identity_id FROM sync_change) ORDER BY number"
    )


def forget_own_changes(connection: sqlite3.Connection) -> None:
    """Of a node that is no member any more: nothing is proposed, and nothing withheld."""
    _use_faces(connection, None)
    for table in ("sync_change", "sync_proposal"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 (constants)


# --- what goes into a proposal


def _ready(connection: sqlite3.Connection) -> list[str]:
    """People with changes that can be proposed now, in the order of the changes.

    One proposal of a person at a time, or so many as may wait for the owner together. Only a removal is not
    held up by those. Who is merged into somebody new comes after them.
    """
    rows = connection.execute(
        """
        SELECT identity_id FROM sync_change AS change
        LEFT JOIN tombstone USING (identity_id)
        WHERE proposal IS NULL
        AND NOT EXISTS (SELECT 1 FROM sync_proposal AS own WHERE own.identity_id = change.identity_id
            AND own.verdict = '')
        AND (NOT EXISTS (SELECT 1 FROM identity WHERE id = change.identity_id)
            OR (SELECT count(*) FROM sync_proposal AS own WHERE own.identity_id = change.identity_id
                AND own.verdict = 'waiting') < ?)
        AND NOT EXISTS (SELECT 1 FROM sync_change AS other LEFT JOIN sync_proposal AS its
            ON its.number = other.proposal WHERE other.identity_id = heir AND other.kind = 'new'
            AND coalesce(its.verdict, '') <> 'accepted')
        GROUP BY identity_id ORDER BY min(number)
        """,
        (_MOST_PARTS,),
    )
    return [identity_id for (identity_id,) in rows]


def _opened(
    connection: sqlite3.Connection, identity_id: str, now_ms: int, token: str, most_bytes: int
) -> bool:
    rows = changes(connection, "identity_id = ? AND proposal IS NULL", (identity_id,))
    is_present = is_here(connection, identity_id)
    is_known = connection.execute(
        "SELECT 1 FROM sync_proposal WHERE identity_id = ? AND verdict <> 'refused'", (identity_id,)
    ).fetchone()
    if not is_present and not is_known and any(kind == NEW for _, kind, _ in rows):
        # Nobody else ever heard of them.
        connection.execute("DELETE FROM sync_change WHERE identity_id = ?", (identity_id,))
        return False
    numbers = [number for number, _, _ in rows]
    if is_present:
        numbers = fitting(connection, identity_id, rows, most_bytes)
    else:
        _overtake(connection, identity_id)
    number = _next_number(connection, now_ms)
    connection.execute(
        "INSERT INTO sync_proposal (number, token, identity_id, made_ms) VALUES (?, ?, ?, ?)",
        (number, token, identity_id, now_ms),
    )
    connection.executemany(
        "UPDATE sync_change SET proposal = ? WHERE number = ?", [(number, each) for each in numbers]
    )
    if not is_present:
        connection.execute(
            "UPDATE sync_change SET proposal = ? WHERE identity_id = ? AND proposal IS NULL",
            (number, identity_id),
        )
    return True


# --- numbers


def _next_number(connection: sqlite3.Connection, now_ms: int) -> int:
    """Greater than any before, and than those of before the file was set back, if the clock goes on."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'sync_proposal'").fetchone()
    return max(now_ms, (row[0] if row else 0) + 1)


def _number_after(connection: sqlite3.Connection, number: int) -> None:
    """Have the next number be greater than one that the authority knows of."""
    if number <= _next_number(connection, 0) - 1:
        return
    connection.execute(
        "INSERT INTO sync_proposal (number, token, identity_id, made_ms) VALUES (?, '', '', 0)", (number,)
    )
    connection.execute("DELETE FROM sync_proposal WHERE number = ?", (number,))


# --- what becomes of it


def _overtake(connection: sqlite3.Connection, identity_id: str) -> None:
    """A removal says all that there is to say of somebody: what waits for the owner is over."""
    rows = connection.execute(
        "DELETE FROM sync_proposal WHERE identity_id = ? AND verdict = 'waiting' RETURNING number",
        (identity_id,),
    ).fetchall()
    for (number,) in rows:
        connection.execute("UPDATE sync_change SET proposal = NULL WHERE proposal = ?", (number,))


def _take_back(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("UPDATE sync_change SET proposal = NULL WHERE proposal = ?", (number,))
    connection.execute("DELETE FROM sync_proposal WHERE number = ?", (number,))


def _refuse(connection: sqlite3.Connection, own: OwnProposal, why: str) -> Refused:
    """Let go of what was refused; with a new person, all that was wanted of them, and merges into them."""
    ids = [own.identity_id]
    was_new = connection.execute(
        "SELECT 1 FROM sync_change WHERE proposal = ? AND kind = 'new'", (own.number,)
    ).fetchone()
    connection.execute("DELETE FROM sync_change WHERE proposal = ?", (own.number,))
    if was_new:
        rows = connection.execute("SELECT identity_id FROM tombstone WHERE heir = ?", (own.identity_id,))
        ids += [identity_id for (identity_id,) in rows]
        for each in ids:
            connection.execute("DELETE FROM sync_change WHERE identity_id = ?", (each,))
            connection.execute(
                "DELETE FROM sync_proposal WHERE identity_id = ? AND number <> ?", (each, own.number)
            )
    connection.execute(
        "UPDATE sync_proposal SET verdict = 'refused', why = ? WHERE number = ?", (why, own.number)
    )
    connection.execute(
        "DELETE FROM sync_proposal WHERE verdict = 'refused' AND number NOT IN (SELECT number FROM"
        " sync_proposal WHERE verdict = 'refused' ORDER BY number DESC LIMIT ?)",
        (_MOST_REFUSED_KEPT,),
    )
    for each in ids:
        _apply_again(connection, each)
    return Refused(own.identity_id, why)


def _apply_again(connection: sqlite3.Connection, identity_id: str) -> None:
    """Have the bucket of a person fetched and applied again, however many buckets there are."""
    ((buckets,),) = connection.execute("SELECT count(*) FROM sync_bucket")
    if buckets:
        write_bucket(connection, bucket_of(identity_id, buckets), None)


def _use_faces(connection: sqlite3.Connection, identity_id: str | None) -> None:
    """Use the faces of a person (None: of all) that no change waits for; their gallery is read again."""
    rows = connection.execute(
        "SELECT sync_withheld.face, face.identity FROM sync_withheld"
        " JOIN face ON face.number = sync_withheld.face"
        " JOIN identity ON identity.number = face.identity WHERE ?1 IS NULL OR (identity.id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM sync_change WHERE face_id = face.id))",
        (identity_id,),
    ).fetchall()
    if not rows:
        return
    revision = next_revision(connection)
    for face, number in rows:
        connection.execute("DELETE FROM sync_withheld WHERE face = ?", (face,))
        connection.execute("UPDATE identity SET revision = ? WHERE number = ?", (revision, number))
