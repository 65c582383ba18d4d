"""Counters of the outbox: what was sent, and every loss that is allowed."""

import sqlite3
from typing import Final

from edged.domain.hook import HOOK_PREFIX, is_hook

ALL_HOOKS: Final = f"{HOOK_PREFIX}*"
"""Hooks come and go: they have one set of counters together."""

_COUNT: Final = """
    INSERT INTO counter (sink, name, value) VALUES (?, ?, ?)
    ON CONFLICT (sink, name) DO UPDATE SET value = value + excluded.value
"""


def count(connection: sqlite3.Connection, sink: str, name: str, number: int) -> None:
    """Add to a counter that outlives the daemon."""
    connection.execute(_COUNT, (counted_as(sink), name, number))


def counted_as(sink: str) -> str:
    """The name under which a sink's counters are kept."""
    return ALL_HOOKS if is_hook(sink) else sink
