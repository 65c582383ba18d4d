"""What can still be read out of a damaged outbox."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

# Parents before children. What the triggers make (`volume`) is made by them again.
_TABLES: Final = ("state", "counter", "open_job", "hook", "message", "delivery", "retained")


def rescue(damaged: Path, into: sqlite3.Connection) -> str:
    """Copy row by row what the damaged file still gives into a new outbox; returns in words what that was.

    Runs in the caller's transaction on `into`. Rows that cannot be read, or do not fit, are left behind.
    """
    found = dict.fromkeys(_TABLES, 0)
    try:
        with closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)) as source:
            for table in _TABLES:
                found[table] = _copied(source, into, table)
    except sqlite3.DatabaseError:
        pass
    into.execute(
        "DELETE FROM message WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE message_id = message.id)"
    )
    return ", ".join(f"{count} of {table}" for table, count in found.items())


def _copied(source: sqlite3.Connection, into: sqlite3.Connection, table: str) -> int:
    copied = 0
    try:
        # What an older edged made lacks columns, or the whole table.
        columns = [name for name in _columns(into, table) if name in _columns(source, table)]
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        # Names come from our own schema. Read forwards, then backwards, around a damaged page in the middle.
        for order in ("ASC", "DESC"):
            rows = source.execute(f"SELECT {names} FROM {table} ORDER BY 1 {order}")  # noqa: S608
            try:
                for row in rows:
                    copied += _inserted(into, insert, row)
            except sqlite3.DatabaseError:
                continue
            break
    except sqlite3.DatabaseError:
        pass
    return copied


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]


def _inserted(into: sqlite3.Connection, statement: str, row: tuple[object, ...]) -> int:
    try:
        return into.execute(statement, row).rowcount
    except sqlite3.IntegrityError:
        return 0
