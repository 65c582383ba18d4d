"""The ledger of what brokers keep of us, in SQL. Each function runs in its caller's transaction."""

import sqlite3
from collections.abc import Iterable, Mapping


def topics(connection: sqlite3.Connection, sink: str, broker: str) -> dict[str, str]:
    """Topics that the broker may keep for the sink, each with its parts."""
    rows = connection.execute(
        "SELECT topic, parts FROM retained WHERE sink = ? AND broker = ? ORDER BY topic", (sink, broker)
    )
    return dict(rows.fetchall())


def note(connection: sqlite3.Connection, sink: str, broker: str, parts: Mapping[str, str]) -> None:
    """Write topics down, each with its parts."""
    connection.executemany(
        """INSERT INTO retained (sink, broker, topic, parts) VALUES (?, ?, ?, ?)
           ON CONFLICT (sink, broker, topic) DO UPDATE SET parts = excluded.parts""",
        [(sink, broker, topic, of_topic) for topic, of_topic in parts.items()],
    )


def forget(connection: sqlite3.Connection, sink: str, broker: str, gone: Iterable[str]) -> None:
    """The broker keeps nothing there any more."""
    connection.executemany(
        "DELETE FROM retained WHERE sink = ? AND broker = ? AND topic = ?",
        [(sink, broker, topic) for topic in gone],
    )
