"""The groups of unknown people that this node shares, and those that other nodes share with it."""

import sqlite3
from typing import Final

from edged.domain.kept_time import KNOWN_MS
from edged.recognition.group_template import mean_of
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.shared_groups import (
    MOST_VISITS,
    SharedFate,
    SharedGroup,
    SharedGroups,
    half_of,
    id_bytes,
    id_text,
    unit_of,
)
from edged.store import group_queries
from edged.store.database import reading, transaction
from edged.store.group_rows import next_group_revision
from edged.store.namespace_chips import embedding_to_bytes
from edged.store.sealing import Kind, Seal, seal_of
from edged.store.sync_group_fates import fates_to_tell, settle_named, take_fates

MOST_NODES: Final = 64
"""Nodes whose groups are taken in: sharing is for a house, not for a fleet."""
STALE_MS: Final = 7 * 86_400_000
"""A node that did not say its groups anew for so long has none any more; it says them once a day."""
_AHEAD_MS: Final = 60_000

TABLES: Final = ("sync_group_sharing", "sync_group_elsewhere", "sync_group_node", "sync_group_fate")
"""All that is kept for sharing groups."""


class OwnGroups:
    """The groups of this node as they are shared. Remembers the means: only what changed is read again."""

    def __init__(self, model_hash: str) -> None:
        self._model_hash = model_hash
        self._made: dict[str, tuple[object, SharedGroup]] = {}

    def read(self, connection: sqlite3.Connection) -> list[SharedGroup]:
        """All of them, those written to last first. Raises StoreError."""
        with reading(connection):
            rows = connection.execute(
                "SELECT number, id, first_seen_ms, last_seen_ms, visits, kept_ms, revision,"
                " (SELECT max(number) FROM group_track WHERE unknown_group = unknown_group.number)"
                " FROM unknown_group WHERE id NOT IN (SELECT group_id FROM sync_group_fate)"
                " ORDER BY kept_ms DESC, number DESC"
            ).fetchall()
            made: dict[str, tuple[object, SharedGroup]] = {}
            for number, group_id, *rest in rows:
                known = self._made.get(group_id)
                if known is not None and known[0] == rest:
                    made[group_id] = known
                    continue
                group = self._shared(connection, number, group_id, rest)
                if group is not None:
                    made[group_id] = (rest, group)
        self._made = made
        return [group for _, group in made.values()]

    def _shared(
        self, connection: sqlite3.Connection, number: int, group_id: str, row: list[int]
    ) -> SharedGroup | None:
        tracks = group_queries.means_of(connection, number, self._model_hash)
        means = [(track.mean, track.effective) for track in tracks if track.mean is not None]
        if not means:
            return None
        vector, effective = mean_of(means)
        first_ms, last_ms, visits, kept_ms = row[:4]
        return SharedGroup(
            id_bytes(group_id),
            max(0, first_ms),
            max(0, last_ms),
            min(visits, MOST_VISITS),
            max(0, kept_ms),
            round(max(1.0, effective), 3),
            half_of(vector),
        )


# --- what this node says


def begin_sharing(connection: sqlite3.Connection) -> None:
    """Remember that this node shares groups: what commands do to them is told from now on."""
    with transaction(connection):
        connection.execute("INSERT OR IGNORE INTO sync_group_sharing (only_row) VALUES (1)")


def is_anything_left(connection: sqlite3.Connection) -> bool:
    """Whether anything is kept for sharing groups."""
    return any(
        connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608 (constants)
        for table in TABLES
    )


def is_sharing(connection: sqlite3.Connection) -> bool:
    """Whether this node shared groups that are not taken back yet."""
    return connection.execute("SELECT 1 FROM sync_group_sharing").fetchone() is not None


def has_said(connection: sqlite3.Connection) -> bool:
    """Whether this node has said anything of groups since it shares them."""
    return connection.execute("SELECT 1 FROM sync_group_sharing WHERE said_ms > 0").fetchone() is not None


def has_untold_fates(connection: sqlite3.Connection) -> bool:
    """Whether somebody named, merged or forgot groups here since the last word."""
    found = connection.execute("SELECT 1 FROM sync_group_fate WHERE at_ms IS NULL LIMIT 1")
    return found.fetchone() is not None


def fates_due(connection: sqlite3.Connection, now_ms: int) -> list[SharedFate]:
    """What became of groups, to be told: see `fates_to_tell`. Raises StoreError."""
    with transaction(connection):
        return fates_to_tell(connection, now_ms)


def next_word_ms(connection: sqlite3.Connection, now_ms: int) -> int:
    """The time of the next word, later than any before. Raises StoreError."""
    with transaction(connection):
        ((at_ms,),) = connection.execute(
            "UPDATE sync_group_sharing SET said_ms = max(said_ms + 1, ?) RETURNING said_ms", (now_ms,)
        ).fetchall()
    return int(at_ms)


# --- what others say


def take_in(
    connection: sqlite3.Connection,
    node: str,
    word: SharedGroups,
    generation: int,
    *,
    now_ms: int,
    before_ms: int,
) -> int:
    """Take over all that a node shares, in the place of what it shared before, in one transaction.

    Args:
        connection: of the namespace's database.
        node: who says it.
        word: what.
        generation: of the namespace's key that it was sealed with.
        now_ms: UTC milliseconds.
        before_ms: groups that were not written to since are too old here.

    Returns:
        How many fates of groups were news.

    Raises:
        RefusedError: OLD for what was said before, OVERSIZED for one node too many.
        StoreError: the database does not take it.
    """
    with transaction(connection):
        known = connection.execute("SELECT said_ms FROM sync_group_node WHERE node = ?", (node,)).fetchone()
        if known is not None and word.at_ms == known[0]:
            return 0
        is_stale = now_ms >= KNOWN_MS and word.at_ms < now_ms - STALE_MS
        if is_stale or (known is not None and word.at_ms < known[0]):
            raise RefusedError(Refusal.OLD, f"{node} shared these groups before others")
        if known is None:
            _make_room(connection, node)
        connection.execute(
            "INSERT INTO sync_group_node (node, said_ms, generation) VALUES (?, ?, ?)"
            " ON CONFLICT (node) DO UPDATE SET said_ms = excluded.said_ms, generation = excluded.generation",
            (node, word.at_ms, generation),
        )
        news = take_fates(connection, word.fates, now_ms)
        _take_groups(connection, node, word, now_ms, before_ms)
    return news


def take_back(connection: sqlite3.Connection, node: str) -> bool:
    """A node shares nothing any more; whether there was anything. Raises StoreError."""
    with transaction(connection):
        gone = connection.execute("DELETE FROM sync_group_elsewhere WHERE node = ?", (node,)).rowcount
    return gone > 0


def settle(connection: sqlite3.Connection, now_ms: int) -> int:
    """Go on with what was named elsewhere; returns how many groups went. Raises StoreError."""
    if not connection.execute("SELECT 1 FROM sync_group_fate WHERE NOT is_done LIMIT 1").fetchone():
        return 0
    with transaction(connection):
        return settle_named(connection, now_ms)


def sweep(connection: sqlite3.Connection, *, now_ms: int, before_ms: int, generation: int) -> bool:
    """Let go of what others shared that is too old: by retention, by a last word, by the key of it.

    Args:
        connection: of the namespace's database.
        now_ms: UTC milliseconds.
        before_ms: groups that were not written to since are too old.
        generation: what was sealed with an earlier one is not from a member, or from one that is away.

    Returns:
        Whether anything was deleted. Raises StoreError.
    """
    stale_ms = now_ms - STALE_MS if now_ms >= KNOWN_MS else 0
    with transaction(connection):
        gone = connection.execute(
            "DELETE FROM sync_group_elsewhere WHERE kept_ms < ? OR node IN"
            " (SELECT node FROM sync_group_node WHERE said_ms < ? OR generation < ?)",
            (before_ms, stale_ms, generation),
        ).rowcount
    return gone > 0


def forget_what_others_share(connection: sqlite3.Connection) -> bool:
    """Keep nothing of other nodes' groups; whether there was anything. Raises StoreError."""
    with transaction(connection):
        gone = connection.execute("DELETE FROM sync_group_elsewhere").rowcount
        connection.execute("DELETE FROM sync_group_node")
        connection.execute("DELETE FROM sync_group_fate")
    return gone > 0


def end_sharing(connection: sqlite3.Connection) -> None:
    """What this node shared was taken back. Raises StoreError."""
    with transaction(connection):
        connection.execute("DELETE FROM sync_group_sharing")


def count_elsewhere(connection: sqlite3.Connection) -> int:
    """How many groups other nodes share."""
    ((count,),) = connection.execute("SELECT count(DISTINCT group_id) FROM sync_group_elsewhere")
    return int(count)


def _make_room(connection: sqlite3.Connection, node: str) -> None:
    """Have room for one node more; raises RefusedError where all that are known share groups."""
    ((count,),) = connection.execute("SELECT count(*) FROM sync_group_node")
    if count < MOST_NODES:
        return
    silent = connection.execute(
        "DELETE FROM sync_group_node WHERE node = (SELECT node FROM sync_group_node WHERE node NOT IN"
        " (SELECT node FROM sync_group_elsewhere) ORDER BY said_ms, node LIMIT 1)"
    )
    if not silent.rowcount:
        raise RefusedError(
            Refusal.OVERSIZED, f"{MOST_NODES} nodes share groups already; those of {node} are not taken in"
        )


def _take_groups(
    connection: sqlite3.Connection, node: str, word: SharedGroups, now_ms: int, before_ms: int
) -> None:
    there = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT group_id, first_seen_ms, last_seen_ms, visits, kept_ms, effective, number"
            " FROM sync_group_elsewhere WHERE node = ? AND model_hash = ?",
            (node, word.model),
        )
    }
    fated = {row[0] for row in connection.execute("SELECT group_id FROM sync_group_fate")}
    seal = seal_of(connection)
    stays: set[int] = set()
    for group in word.groups:
        group_id = id_text(group.id)
        # A clock that is ahead must not keep a group for ever, nor make every visit the last one.
        last_ms = min(group.last_seen_ms, now_ms + _AHEAD_MS)
        first_ms = min(group.first_seen_ms, last_ms)
        kept_ms = min(group.kept_ms, now_ms)
        if group_id in fated or kept_ms < before_ms:
            continue
        row = (first_ms, last_ms, group.visits, kept_ms, group.effective)
        known = there.get(group_id)
        if known is not None and known[:-1] == row:
            stays.add(known[-1])
        else:
            stays.add(_write(connection, seal, node, group_id, word.model, row, group.vector))
        _widen(connection, group_id, first_ms, last_ms, group.visits)
    for (number,) in connection.execute(
        "SELECT number FROM sync_group_elsewhere WHERE node = ?", (node,)
    ).fetchall():
        if number not in stays:
            connection.execute("DELETE FROM sync_group_elsewhere WHERE number = ?", (number,))


def _write(
    connection: sqlite3.Connection,
    seal: Seal,
    node: str,
    group_id: str,
    model_hash: str,
    row: tuple[int, int, int, int, float],
    half: bytes,
) -> int:
    connection.execute("DELETE FROM sync_group_elsewhere WHERE node = ? AND group_id = ?", (node, group_id))
    ((number,),) = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM sync_group_elsewhere")
    vector = seal.close(Kind.SHARED_MEAN, number, embedding_to_bytes(unit_of(half)), model_hash)
    connection.execute(
        "INSERT INTO sync_group_elsewhere (number, node, group_id, model_hash, vector, first_seen_ms,"
        " last_seen_ms, visits, kept_ms, effective) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, node, group_id, model_hash, vector, *row),
    )
    return int(number)


def _widen(connection: sqlite3.Connection, group_id: str, first_ms: int, last_ms: int, visits: int) -> None:
    """Take over what another node knows of a group that is here too.

    Of two counts the higher one is right: each node goes on from what the other said.
    """
    found = connection.execute(
        "SELECT 1 FROM unknown_group WHERE id = ? AND (first_seen_ms > ? OR last_seen_ms < ? OR visits < ?)",
        (group_id, first_ms, last_ms, visits),
    ).fetchone()
    if found is not None:
        connection.execute(
            "UPDATE unknown_group SET first_seen_ms = min(first_seen_ms, ?),"
            " last_seen_ms = max(last_seen_ms, ?), visits = max(visits, ?), revision = ? WHERE id = ?",
            (first_ms, last_ms, visits, next_group_revision(connection), group_id),
        )
