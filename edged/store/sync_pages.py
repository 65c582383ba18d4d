"""The authority's pages: made again from the rows when they are sent, and cleared when their time is over."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator

from edged.replication.keys import NamespaceKey
from edged.replication.people import content_of
from edged.replication.publishing import sealed_pages
from edged.replication.statements import Manifest, PageEntry
from edged.store.sync_records import ids_in_buckets, shared_person


def content_in(connection: sqlite3.Connection, ids: Iterable[str], model: str, *, with_chips: bool) -> bytes:
    """The content of a bucket with these people; raises StoreError for a blob that does not open."""
    return content_of(shared_person(connection, each, model, with_chips=with_chips) for each in ids)


def pages_again(
    connection: sqlite3.Connection,
    namespace: str,
    key: NamespaceKey,
    manifest: Manifest,
    buckets: Collection[int],
) -> Iterator[tuple[PageEntry, bytes]]:
    """The pages of some buckets as the database has them now, one at a time; raises StoreError.

    Whoever calls compares them with the manifest: what changed since is another page.
    """
    for bucket, ids in ids_in_buckets(connection, manifest.buckets, buckets).items():
        content = content_in(connection, ids, manifest.model, with_chips=manifest.has_chips)
        yield from sealed_pages(key, namespace, bucket, content)


def retired_before(connection: sqlite3.Connection, since_ms: int, now_ms: int, most: int) -> list[str]:
    """Pages that no manifest has listed since then; at most so many.

    Those that went when the clock was ahead of `now_ms` too: it is not known how long ago that is.
    """
    rows = connection.execute(
        "SELECT sha256 FROM sync_retired WHERE since_ms <= ? OR since_ms > ? ORDER BY since_ms LIMIT ?",
        (since_ms, now_ms, most),
    )
    return [name for (name,) in rows]


def forget_retired(connection: sqlite3.Connection, name: str) -> None:
    """A page is cleared from the broker."""
    connection.execute("DELETE FROM sync_retired WHERE sha256 = ?", (name,))


def retire(connection: sqlite3.Connection, names: Collection[str], now_ms: int) -> None:
    """Have pages cleared once their time is over."""
    connection.executemany(
        "INSERT OR IGNORE INTO sync_retired VALUES (?, ?)", [(name, now_ms) for name in names]
    )


def sealed_since(connection: sqlite3.Connection, generation: int) -> int:
    """The first epoch that was sealed with a key."""
    row = connection.execute(
        "SELECT since_epoch FROM sync_key WHERE generation = ?", (generation,)
    ).fetchone()
    return 0 if row is None else int(row[0])
