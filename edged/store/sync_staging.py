"""Sealed pages that came and wait for the others of their epoch: rows of `sync_page`.

Only pages that a believed manifest lists get here, each checked against its hash, so that the table is never
larger than what is to be applied. What is staged outlives a start.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from edged.replication.keys import NamespaceKey
from edged.replication.people import page_place
from edged.replication.statements import PageEntry
from edged.store.database import transaction

_AT_ONCE: Final = 500


def staged_names(connection: sqlite3.Connection) -> frozenset[str]:
    """The names of the pages that are here."""
    return frozenset(name for (name,) in connection.execute("SELECT sha256 FROM sync_page"))


def stage(connection: sqlite3.Connection, pages: Iterable[tuple[str, bytes]], now_ms: int) -> None:
    """Keep pages, (name, sealed bytes) each, whose hashes were checked, at once; raises StoreError."""
    with transaction(connection):
        connection.executemany(
            "INSERT OR IGNORE INTO sync_page (sha256, sealed, came_ms) VALUES (?, ?, ?)",
            [(name, sealed, now_ms) for name, sealed in pages],
        )


def keep_only(connection: sqlite3.Connection, wanted: Collection[str]) -> int:
    """Delete staged pages that are not wanted any more; returns how many that were. Raises StoreError."""
    unwanted = sorted(staged_names(connection) - frozenset(wanted))
    for start in range(0, len(unwanted), _AT_ONCE):
        with transaction(connection):
            connection.executemany(
                "DELETE FROM sync_page WHERE sha256 = ?",
                [(name,) for name in unwanted[start : start + _AT_ONCE]],
            )
    return len(unwanted)


def staged_content(
    connection: sqlite3.Connection, namespace: str, key: NamespaceKey, entries: Sequence[PageEntry]
) -> bytes:
    """The content of one bucket, of its staged pages in their order.

    Raises RefusedError (ALTERED) for a page that does not open, LookupError where one is not staged.
    """
    pieces = []
    for entry in entries:
        row = connection.execute("SELECT sealed FROM sync_page WHERE sha256 = ?", (entry.sha256,)).fetchone()
        if row is None:
            raise LookupError(entry.sha256)
        pieces.append(key.open(row[0], page_place(namespace, entry.bucket, entry.part)))
    return b"".join(pieces)
