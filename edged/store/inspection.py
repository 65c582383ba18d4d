"""What lies in the data folder, looked at without changing anything: counts, sizes, versions.

All of it reads; nothing is made, migrated or put aside. Whatever cannot be read is a StoreError.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from edged.domain.moment import Moment
from edged.store import api_store, outbox_file, outbox_letters
from edged.store.database import Schema, open_database, reading
from edged.store.namespace_files import NAMESPACE_SCHEMA, damaged_copies, namespaces_in
from edged.store.namespace_snapshots import Snapshots
from edged.store.outbox_letters import DeadLetter, OutboxStatus

T = TypeVar("T")

_COUNTED: Final = {
    "identity": "people",
    "face": "faces",
    "unknown_group": "groups",
    "job": "jobs",
    "seen_face": "seen faces",
    "picture": "pictures",
}
_COUNTED_OF_API: Final = {"access_token": "tokens", "detect_job": "detect jobs"}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a database looks like from outside.

    Attributes:
        version: number of the last migration it has had.
        size_bytes: of the file and its log.
        counts: rows by what they are, in words.
    """

    version: int
    size_bytes: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NamespaceSight(Sight):
    """The same of a namespace.

    Attributes:
        model_hashes: of the embedders whose embeddings of enrolled faces are there.
        snapshots: how many; newest_snapshot_ms: when the newest was made (UTC), None without one.
        damaged: how many damaged copies were put aside.
    """

    model_hashes: tuple[str, ...]
    snapshots: int
    newest_snapshot_ms: int | None
    damaged: int


@dataclass(frozen=True, slots=True)
class OutboxSight(Sight):
    """The same of the outbox.

    Attributes:
        status: as `edged outbox` tells it.
        dead: dead letters.
        device: the id of this device; None before the daemon's first start.
        newest_ms: when the newest message was committed (UTC), None where none waits.
    """

    status: OutboxStatus
    dead: tuple[DeadLetter, ...]
    device: str | None
    newest_ms: int | None


def look_at_namespace(path: Path) -> NamespaceSight:
    """A namespace's database and what lies beside it; raises StoreError."""
    hashes = "SELECT DISTINCT model_hash FROM embedding ORDER BY model_hash"
    found = _looked(path, NAMESPACE_SCHEMA, lambda c: tuple(str(row[0]) for row in c.execute(hashes)))
    sight = _sight(path, NAMESPACE_SCHEMA, _COUNTED)
    snapshots = Snapshots(path).newest_first()
    return NamespaceSight(
        sight.version,
        sight.size_bytes,
        sight.counts,
        model_hashes=found,
        snapshots=len(snapshots),
        newest_snapshot_ms=snapshots[0].made_ms if snapshots else None,
        damaged=len(damaged_copies(path)),
    )


def look_at_outbox(path: Path, sinks: tuple[str, ...], now: Moment) -> OutboxSight:
    """The outbox's file, with `sinks` as those that are configured; raises StoreError."""

    def look(
        connection: sqlite3.Connection,
    ) -> tuple[OutboxStatus, tuple[DeadLetter, ...], str | None, int | None]:
        device = connection.execute("SELECT value FROM state WHERE key = 'device'").fetchone()
        (newest,) = connection.execute("SELECT max(enqueued_ms) FROM message").fetchone()
        status = outbox_letters.status(connection, sinks, now)
        return status, tuple(outbox_letters.dead_letters(connection)), device and str(device[0]), newest

    status, dead, device, newest = _looked(path, outbox_file.SCHEMA, look)
    sight = _sight(path, outbox_file.SCHEMA, {"message": "messages"})
    return OutboxSight(
        sight.version,
        sight.size_bytes,
        sight.counts,
        status=status,
        dead=dead,
        device=device,
        newest_ms=newest,
    )


def look_at_api(path: Path) -> Sight:
    """The API's own database; raises StoreError."""
    return _sight(path, api_store.SCHEMA, _COUNTED_OF_API)


def integrity_of(path: Path, schema: Schema) -> list[str]:
    """What SQLite itself finds damaged in a file, in words; reads all of it. Raises StoreError."""
    rows = _looked(path, schema, lambda c: c.execute("PRAGMA integrity_check(20)").fetchall())
    return [f"SQLite finds damage: {row[0]}" for row in rows if row[0] != "ok"]


def names_in(data_dir: Path) -> list[str]:
    """The names and customIds of everybody enrolled in any namespace, for whoever must leave them out.

    Raises StoreError where one cannot be read: then nobody can promise that they are left out.
    """
    names: set[str] = set()
    for namespace in namespaces_in(data_dir):
        path = data_dir / "namespaces" / f"{namespace}.db"
        rows = _looked(
            path, NAMESPACE_SCHEMA, lambda c: c.execute("SELECT name, custom_id FROM identity").fetchall()
        )
        names |= {str(one) for row in rows for one in row if one}
    return sorted(names)


def _sight(path: Path, schema: Schema, counted: Mapping[str, str]) -> Sight:
    def look(connection: sqlite3.Connection) -> tuple[int, dict[str, int]]:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        counts = {
            words: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 (from above)
            for table, words in counted.items()
        }
        return int(version), counts

    version, counts = _looked(path, schema, look)
    files = (path, path.with_name(f"{path.name}-wal"))
    return Sight(version, sum(file.stat().st_size for file in files if file.exists()), counts)


def _looked(path: Path, schema: Schema, look: Callable[[sqlite3.Connection], T]) -> T:
    connection = open_database(path, schema, read_only=True)
    try:
        with reading(connection):
            return look(connection)
    finally:
        connection.close()
