"""The authority's rows: its members, what they reported, and the invitations that are out.

Every function is of the caller's transaction.
"""

import hashlib
import sqlite3
from dataclasses import dataclass, field
from typing import Final

from edged.domain.sync_state import NodeLag
from edged.replication.statements import Report
from edged.store.namespace_store import next_revision

_COLUMNS: Final = (
    "node, node_key, sealing_key, authority_key, joined_ms, removed_ms, is_told, told_ms, reported_ms,"
    " heard_ms, epoch, swept_epoch, state, report_every_ms"
)
_FUTURE_MS: Final = 3_600_000
"""A report of later than that, by this node's clock, was made by a clock that is wrong."""


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member; see `0007_sync.sql`.

    Attributes:
        node: its name.
        node_key, sealing_key, authority_key: its public keys, 32 bytes each.
        removed_ms: since when it is none any more; None of those that are.
        is_told: `member/<node>` was published with what is here.
        told_ms: the time in what was published, or made to be published, last.
        reported_ms: its last report's time by its own clock; `heard_ms` by this node's; 0: never.
        epoch, swept_epoch, state: as it reported.
        report_every_ms: it reports so often where nothing changes; 0: it has not said.
    """

    node: str
    node_key: bytes
    sealing_key: bytes
    authority_key: bytes
    joined_ms: int
    removed_ms: int | None
    is_told: bool
    told_ms: int
    reported_ms: int
    heard_ms: int
    epoch: int
    swept_epoch: int
    state: str
    report_every_ms: int = 0


@dataclass(frozen=True, slots=True)
class InvitationRecord:
    """An invitation that is out. Its secret is kept out of the representation."""

    hash: bytes
    secret: bytes = field(repr=False)
    expires_ms: int
    uses: int


def members(connection: sqlite3.Connection, *, with_removed: bool = False) -> list[MemberRecord]:
    """The members by name, the authority itself left out; `with_removed`: those that were put out too."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM sync_member WHERE removed_ms IS NULL OR ? ORDER BY node",  # noqa: S608 (a constant)
        (with_removed,),
    )
    return [_record(row) for row in rows]


def member(connection: sqlite3.Connection, node: str) -> MemberRecord | None:
    """A node that is a member, or was one; None of a stranger."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM sync_member WHERE node = ?", (node,)).fetchone()  # noqa: S608
    return None if row is None else _record(row)


def add_member(
    connection: sqlite3.Connection,
    node: str,
    node_key: bytes,
    sealing_key: bytes,
    authority_key: bytes,
    now_ms: int,
) -> None:
    """Have a node be a member, to be told so; what was known of one of that name before is forgotten."""
    connection.execute(
        "INSERT INTO sync_member (node, node_key, sealing_key, authority_key, joined_ms)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET node_key = excluded.node_key,"
        " sealing_key = excluded.sealing_key, authority_key = excluded.authority_key,"
        " joined_ms = excluded.joined_ms, removed_ms = NULL, is_told = 0, told_ms = told_ms + 1,"
        # That it had left, said once, does not put it out again when that comes once more.
        " reported_ms = CASE WHEN node_key = excluded.node_key THEN reported_ms ELSE 0 END,"
        " report = NULL, heard_ms = 0, epoch = 0, swept_epoch = 0, state = ''",
        (node, node_key, sealing_key, authority_key, now_ms),
    )
    # A snapshot is due.
    next_revision(connection)


def remove_member(connection: sqlite3.Connection, node: str, now_ms: int, *, has_left: bool = False) -> bool:
    """Put a member out: it is told, and the namespace's key is to be changed; False where it is none.

    Unless it `has_left` by itself, no invitation holds any more: it may know the code that others were to
    come in with.
    """
    found = connection.execute(
        "UPDATE sync_member SET removed_ms = ? WHERE node = ? AND removed_ms IS NULL", (now_ms, node)
    ).rowcount
    if found:
        next_revision(connection)
        untell(connection, node)
        if not has_left:
            connection.execute("DELETE FROM sync_invitation")
        connection.execute("UPDATE sync_membership SET rotation_wanted = 1")
    return bool(found)


def untell(connection: sqlite3.Connection, node: str | None = None) -> None:
    """What a member (None: each) was told is not what holds any more: it is told again.

    Its time goes on, so that the acknowledgement of what is under way now does not count for what is to come.
    """
    connection.execute(
        "UPDATE sync_member SET is_told = 0, told_ms = told_ms + 1 WHERE ? IS NULL OR node = ?", (node, node)
    )


def untold(connection: sqlite3.Connection, most: int) -> list[MemberRecord]:
    """Members that are to be told something, those that were put out too; at most so many."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM sync_member WHERE NOT is_told ORDER BY told_ms, node LIMIT ?",  # noqa: S608
        (most,),
    )
    return [_record(row) for row in rows]


def count_untold(connection: sqlite3.Connection) -> int:
    """How many members are to be told something."""
    ((count,),) = connection.execute("SELECT count(*) FROM sync_member WHERE NOT is_told")
    return int(count)


def begin_telling(connection: sqlite3.Connection, node: str, at_ms: int) -> None:
    """A statement of this time is on its way to a member."""
    connection.execute("UPDATE sync_member SET told_ms = ? WHERE node = ?", (at_ms, node))


def end_telling(connection: sqlite3.Connection, node: str, at_ms: int) -> None:
    """The broker has the statement of this time: nothing is left to be told, if nothing changed meanwhile."""
    connection.execute("UPDATE sync_member SET is_told = 1 WHERE node = ? AND told_ms = ?", (node, at_ms))


def ordered_ms(report: Report, heard_ms: int) -> int:
    """A report's place among the others of its node: its time, unless that is still to come.

    A clock that was wrong for a while would else have every later report be an old one. `heard_ms` is when it
    came, by this node's clock.
    """
    return report.at if report.at <= heard_ms + _FUTURE_MS else heard_ms


def is_news(report: Report, last_ms: int, reached: tuple[int, int]) -> bool:
    """Whether a report says more than the last one of its node.

    A later one does; and one of a node that has come further, by whatever clock: an earlier one cannot be.

    Args:
        report: what came.
        last_ms: the last one's place, see `ordered_ms`.
        reached: the last one's epoch and swept epoch.
    """
    # That a node left may be of an earlier membership, which went further than this one did yet.
    is_further = (report.epoch, report.swept_epoch) > reached and not report.has_left
    return report.at > last_ms or is_further


def write_report(connection: sqlite3.Connection, report: Report, payload: bytes, heard_ms: int) -> None:
    """Keep a member's report; one that is no news is passed over, see `is_news`."""
    known = member(connection, report.node)
    if known is None or not is_news(report, known.reported_ms, (known.epoch, known.swept_epoch)):
        return
    at_ms = ordered_ms(report, heard_ms) if report.at > known.reported_ms else known.reported_ms
    connection.execute(
        "UPDATE sync_member SET report = ?, reported_ms = ?, heard_ms = ?, epoch = ?, swept_epoch = ?,"
        " state = ?, report_every_ms = ? WHERE node = ?",
        (
            payload,
            at_ms,
            heard_ms,
            report.epoch,
            report.swept_epoch,
            report.state,
            report.report_every,
            report.node,
        ),
    )


def report_of(connection: sqlite3.Connection, node: str) -> bytes | None:
    """A member's last report as it came, signature and all: its receipt."""
    row = connection.execute("SELECT report FROM sync_member WHERE node = ?", (node,)).fetchone()
    return None if row is None else row[0]


def lags(connection: sqlite3.Connection) -> list[NodeLag]:
    """How far each member is, by name."""
    return [
        NodeLag(
            each.node,
            each.epoch,
            each.swept_epoch,
            each.heard_ms,
            each.state,
            each.report_every_ms,
            each.joined_ms,
        )
        for each in members(connection)
    ]


def count_members(connection: sqlite3.Connection, epoch: int) -> tuple[int, int]:
    """How many members there are, and how many of them did not report an epoch yet."""
    ((count, behind),) = connection.execute(
        "SELECT count(*), coalesce(sum(epoch < ?), 0) FROM sync_member WHERE removed_ms IS NULL", (epoch,)
    )
    return int(count), int(behind)


def count_waiting(connection: sqlite3.Connection) -> int:
    """How many proposals wait for the owner: what one node wants of one person is one."""
    ((count,),) = connection.execute(
        "SELECT count(DISTINCT node || identity_id) FROM sync_proposed WHERE verdict = 'waiting'"
    )
    return int(count)


def add_invitation(connection: sqlite3.Connection, secret: bytes, expires_ms: int, uses: int) -> None:
    """Let so many nodes join with a secret of 16 bytes, until it runs out."""
    connection.execute(
        "INSERT INTO sync_invitation (hash, secret, expires_ms, uses) VALUES (?, ?, ?, ?)",
        (hashlib.sha256(secret).digest(), secret, expires_ms, uses),
    )


def invitation(connection: sqlite3.Connection, secret_hash: bytes) -> InvitationRecord | None:
    """The invitation whose secret has this SHA-256; None where there is none, or it is used up."""
    row = connection.execute(
        "SELECT hash, secret, expires_ms, uses FROM sync_invitation WHERE hash = ?", (secret_hash,)
    ).fetchone()
    return None if row is None else InvitationRecord(*row)


def use_invitation(connection: sqlite3.Connection, secret_hash: bytes) -> None:
    """One node joined with an invitation: after the last one it is gone."""
    last = connection.execute("DELETE FROM sync_invitation WHERE hash = ? AND uses = 1", (secret_hash,))
    if not last.rowcount:
        connection.execute("UPDATE sync_invitation SET uses = uses - 1 WHERE hash = ?", (secret_hash,))


def forget_late_invitations(connection: sqlite3.Connection, now_ms: int) -> int:
    """Forget what has run out; returns how many."""
    return connection.execute("DELETE FROM sync_invitation WHERE expires_ms <= ?", (now_ms,)).rowcount


def _record(row: tuple[object, ...]) -> MemberRecord:
    values: list[object] = list(row)
    values[6] = bool(values[6])
    return MemberRecord(*values)  # type: ignore[arg-type] # the columns are STRICT
