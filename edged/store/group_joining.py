"""Making one group of two, as commands, the recogniser and other nodes do, in the caller's transaction."""

import sqlite3
from collections.abc import Iterable

from edged.store import history_people
from edged.store.group_rows import next_group_revision, remove_groups


def join_groups(
    connection: sqlite3.Connection,
    merged: Iterable[str],
    heir: str,
    *,
    seen_ms: tuple[int, int],
    visits: int,
    is_told: bool = True,
) -> None:
    """Have groups be another one from now on: its id stays, or comes to be where it is not here yet.

    Args:
        connection: of the namespace's database.
        merged: ids of groups that are no more; those that are not here are only remembered as gone.
        heir: the id that stays.
        seen_ms: when the person was seen first and last, by all that is known, UTC milliseconds.
        visits: how often they came.
        is_told: other nodes that groups are shared with hear of it.
    """
    gone = [group_id for group_id in merged if group_id != heir]
    there = [group_id for group_id in gone if _number_of(connection, group_id) is not None]
    if there and _number_of(connection, heir) is None:
        connection.execute("UPDATE unknown_group SET id = ? WHERE id = ?", (heir, there[0]))
    connection.execute("DELETE FROM group_fate WHERE group_id = ?", (heir,))
    number = _number_of(connection, heir)
    kept_ms = 0
    for group_id in there:
        found = connection.execute(
            "SELECT number, kept_ms FROM unknown_group WHERE id = ?", (group_id,)
        ).fetchone()
        if found is not None:
            kept_ms = max(kept_ms, found[1])
            connection.execute(
                "UPDATE group_track SET unknown_group = ? WHERE unknown_group = ?", (number, found[0])
            )
    history_people.merge_groups(connection, gone, heir)
    remove_groups(connection, gone, heir=heir, is_told=is_told)
    first_ms, last_ms = seen_ms
    connection.execute(
        "UPDATE unknown_group SET first_seen_ms = min(first_seen_ms, ?), last_seen_ms = max(last_seen_ms, ?),"
        " visits = ?, kept_ms = max(kept_ms, ?), revision = ? WHERE number = ?",
        (first_ms, last_ms, visits, kept_ms, next_group_revision(connection), number),
    )


def _number_of(connection: sqlite3.Connection, group_id: str) -> int | None:
    row = connection.execute("SELECT number FROM unknown_group WHERE id = ?", (group_id,)).fetchone()
    return None if row is None else int(row[0])
