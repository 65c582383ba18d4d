"""What people made of groups, here and at other nodes, in the caller's transaction.

A fate is told on by whoever hears it, so that it reaches nodes that were away when it was told first. It is
remembered for FATES_MS: so long a group cannot come back from a node that has not heard of it.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

from edged.replication.shared_groups import MOST_FATES, SharedFate, id_bytes, id_text
from edged.store import history_people
from edged.store.group_joining import join_groups
from edged.store.group_rows import remove_groups

FATES_MS: Final = 30 * 86_400_000
_STRENGTH: Final = {"merged": 0, "named": 1, "forgotten": 2}
_PATIENCE_MS: Final = 600_000
"""A group that was named elsewhere waits so long for its person, who comes with an epoch."""


def fates_to_tell(connection: sqlite3.Connection, now_ms: int) -> list[SharedFate]:
    """The latest first; those that were not told yet are told from now on, and the oldest are forgotten."""
    connection.execute("UPDATE sync_group_fate SET at_ms = ? WHERE at_ms IS NULL", (now_ms,))
    connection.execute("DELETE FROM sync_group_fate WHERE at_ms < ? AND is_done", (now_ms - FATES_MS,))
    connection.execute(
        "DELETE FROM sync_group_fate WHERE is_done AND group_id NOT IN"
        " (SELECT group_id FROM sync_group_fate ORDER BY at_ms DESC, group_id LIMIT ?)",
        (MOST_FATES,),
    )
    rows = connection.execute(
        "SELECT group_id, fate, heir, at_ms FROM sync_group_fate ORDER BY at_ms DESC, group_id LIMIT ?",
        (MOST_FATES,),
    )
    return [
        SharedFate(id_bytes(group_id), fate, None if heir is None else id_bytes(heir), max(0, at_ms))
        for group_id, fate, heir, at_ms in rows
    ]


def take_fates(connection: sqlite3.Connection, fates: Iterable[SharedFate], now_ms: int) -> int:
    """Do here what was done elsewhere; returns how many of the fates were news."""
    return sum(_take(connection, fate, min(fate.at_ms, now_ms), now_ms) for fate in fates)


def settle_named(connection: sqlite3.Connection, now_ms: int) -> int:
    """Go on with groups that were named elsewhere; returns how many are gone now."""
    waiting = connection.execute(
        "SELECT group_id, heir, at_ms FROM sync_group_fate WHERE NOT is_done ORDER BY group_id"
    ).fetchall()
    return sum(
        _settle(connection, group_id, identity_id, at_ms, now_ms) for group_id, identity_id, at_ms in waiting
    )


def _take(connection: sqlite3.Connection, fate: SharedFate, at_ms: int, now_ms: int) -> bool:
    group_id = id_text(fate.id)
    heir = None if fate.heir is None else id_text(fate.heir)
    if at_ms < now_ms - FATES_MS:
        return False
    known = connection.execute(
        "SELECT fate, heir, is_done FROM sync_group_fate WHERE group_id = ?", (group_id,)
    ).fetchone()
    if known is not None:
        return _outdo(connection, fate, at_ms, known, now_ms)
    path = [] if heir is None or fate.fate != "merged" else _path(connection, heir)
    if group_id in path:
        # Two people merged the same groups at once, each into another one. All nodes choose the same.
        stays = min(path)
        if stays == group_id:
            return False
        connection.execute("DELETE FROM sync_group_fate WHERE group_id = ?", (stays,))
        path = path[: path.index(stays) + 1]
    connection.execute(
        "INSERT INTO sync_group_fate (group_id, fate, heir, at_ms, is_done) VALUES (?, ?, ?, ?, ?)",
        (group_id, fate.fate, heir, at_ms, fate.fate != "named"),
    )
    connection.execute("DELETE FROM sync_group_elsewhere WHERE group_id = ?", (group_id,))
    _act(connection, group_id, fate.fate, heir, path, now_ms)
    return True


def _outdo(
    connection: sqlite3.Connection,
    fate: SharedFate,
    at_ms: int,
    known: tuple[str, str | None, int],
    now_ms: int,
) -> bool:
    """Of what two people made of a group at once, forgetting comes before naming, and that before merging."""
    if _STRENGTH[fate.fate] <= _STRENGTH[known[0]]:
        return False
    group_id = id_text(fate.id)
    heir = None if fate.heir is None else id_text(fate.heir)
    connection.execute(
        "UPDATE sync_group_fate SET fate = ?, heir = ?, at_ms = ?, is_done = 1 WHERE group_id = ?",
        (fate.fate, heir, at_ms, group_id),
    )
    if not known[2]:
        # It waited for who it was named as.
        _forget(connection, group_id, now_ms)
    if known[0] == "merged" and known[1] is not None:
        # It is the group that it was merged into by now.
        last = _path(connection, known[1])[-1]
        _take(connection, SharedFate(id_bytes(last), fate.fate, fate.heir, fate.at_ms), at_ms, now_ms)
    return True


def _act(
    connection: sqlite3.Connection, group_id: str, fate: str, heir: str | None, path: list[str], now_ms: int
) -> None:
    if path:
        heir = path[-1]
        beyond = connection.execute(
            "SELECT fate, heir, is_done FROM sync_group_fate WHERE group_id = ?", (heir,)
        ).fetchone()
        if beyond is None:
            _join(connection, group_id, heir)
            return
        fate, heir = beyond[0], beyond[1]
    if fate == "forgotten":
        _forget(connection, group_id, now_ms)
    elif heir is not None:
        _settle(connection, group_id, heir, now_ms, now_ms)


def _path(connection: sqlite3.Connection, group_id: str) -> list[str]:
    """The group, the one that it was merged into, and so on, as far as is known."""
    path = [group_id]
    while True:
        row = connection.execute(
            "SELECT heir FROM sync_group_fate WHERE group_id = ? AND fate = 'merged'", (path[-1],)
        ).fetchone()
        if row is None or row[0] in path:
            return path
        path.append(row[0])


def _join(connection: sqlite3.Connection, group_id: str, heir: str) -> None:
    rows = connection.execute(
        "SELECT first_seen_ms, last_seen_ms, visits FROM unknown_group WHERE id IN (?, ?)", (group_id, heir)
    ).fetchall()
    first, last, visits = zip(*rows, strict=True) if rows else ((0,), (0,), (1,))
    join_groups(
        connection,
        [group_id],
        heir,
        seen_ms=(min(first), max(last)),
        visits=sum(visits),
        is_told=False,
    )


def _forget(connection: sqlite3.Connection, group_id: str, now_ms: int) -> None:
    history_people.erase_groups(connection, [group_id], now_ms, is_told=False)
    remove_groups(connection, [group_id], is_told=False)


def _settle(connection: sqlite3.Connection, group_id: str, identity_id: str, at_ms: int, now_ms: int) -> bool:
    """Have a group be gone that was named; its history is the person's. Waits for who is not here yet."""
    removed = connection.execute(
        "SELECT heir FROM tombstone WHERE identity_id = ?", (identity_id,)
    ).fetchone()
    named = identity_id if removed is None else removed[0]
    if named is None:
        # Who was named was erased: that goes for the history here too.
        _forget(connection, group_id, now_ms)
    elif connection.execute("SELECT 1 FROM identity WHERE id = ?", (named,)).fetchone():
        history_people.name_group(connection, group_id, named)
        remove_groups(connection, [group_id], is_told=False)
    elif now_ms - at_ms > _PATIENCE_MS:
        remove_groups(connection, [group_id], is_told=False)
    else:
        connection.execute("UPDATE sync_group_fate SET is_done = 0 WHERE group_id = ?", (group_id,))
        return False
    connection.execute("UPDATE sync_group_fate SET is_done = 1 WHERE group_id = ?", (group_id,))
    return True
