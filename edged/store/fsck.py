"""Proves again what the code takes for granted of a namespace's database. Only reads."""

import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from edged.domain.errors import IdentityError, StoreError
from edged.domain.identity import checked_custom_id, checked_name
from edged.store.blob_fsck import blob_findings
from edged.store.database import reading
from edged.store.group_fsck import group_findings
from edged.store.history_fsck import history_findings
from edged.store.namespace_files import damaged_copies
from edged.store.namespace_opening import open_namespace
from edged.store.namespace_queries import ledger
from edged.store.namespace_snapshots import Snapshots
from edged.store.sealing import Key
from edged.store.sync_fsck import sync_findings

_MOST_FINDINGS: Final = 20
"""A check that fails everywhere says so in so many lines, not in thousands."""


def fsck(path: Path, key: Key | None = None) -> list[str]:
    """Check a namespace's database and what lies around it; returns what is wrong, in words.

    An empty list means that every invariant holds. What stops the checking is a finding too: nothing is
    raised. Takes time in proportion to the file, for it reads all of it. What is encrypted is proved too
    where the key is given; without it, that is said.
    """
    try:
        connection = open_namespace(path, key, read_only=True)
    except StoreError as error:
        return [error.what]
    try:
        with reading(connection):
            findings = _of_content(connection)
            around = list(_of_files(path, connection))
    except StoreError as error:
        return [error.what]
    finally:
        connection.close()
    return findings + around


def _of_content(connection: sqlite3.Connection) -> list[str]:
    damage = [row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    if damage:
        # What SQLite itself finds damaged cannot be asked sensible questions.
        return [f"SQLite finds damage: {line}" for line in damage]
    checks: tuple[Callable[[sqlite3.Connection], Iterator[str]], ...] = (
        _references,
        _revisions,
        _people,
        _faces,
        _sizes,
        group_findings,
        history_findings,
        sync_findings,
        blob_findings,
    )
    return [finding for check in checks for finding in _first(check(connection))]


def _first(findings: Iterator[str]) -> Iterator[str]:
    for count, finding in enumerate(findings):
        if count == _MOST_FINDINGS:
            yield "… and more of the same"
            return
        yield finding


def _references(connection: sqlite3.Connection) -> Iterator[str]:
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"{table} row {row} belongs to a row of {parent} that does not exist"


def _revisions(connection: sqlite3.Connection) -> Iterator[str]:
    if connection.execute("SELECT count(*) FROM ledger").fetchone() != (1,):
        yield "the ledger has not exactly one row"
        return
    present = ledger(connection)
    for table, column in (("identity", "id"), ("tombstone", "identity_id")):
        rows = connection.execute(
            f"SELECT {column}, revision FROM {table} WHERE revision > ?",  # noqa: S608 (both from above)
            (present.revision,),
        )
        for name, revision in rows:
            yield f"{table} {name} has revision {revision}, the ledger is only at {present.revision}"
    # Whoever was merged is not to be forgotten: a snapshot may still hold them.
    (last_removal,) = connection.execute(
        "SELECT coalesce(max(revision), 0) FROM tombstone WHERE heir IS NULL"
    ).fetchone()
    if last_removal > present.erased_revision:
        yield f"the last removal has revision {last_removal}, the ledger says {present.erased_revision}"
    for (identity_id,) in connection.execute(
        "SELECT id FROM identity WHERE id IN (SELECT identity_id FROM tombstone)"
    ):
        yield f"identity {identity_id} is enrolled and removed at once"


def _people(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute("SELECT id, name, custom_id, created_ms, updated_ms FROM identity")
    for identity_id, name, custom_id, created_ms, updated_ms in rows:
        try:
            if checked_name(name) != name or (custom_id and checked_custom_id(custom_id) != custom_id):
                yield f"identity {identity_id} has a name or a customId that is not written as it is kept"
        except IdentityError as error:
            yield f"identity {identity_id}: {error.what}"
        if not 0 <= created_ms <= updated_ms:
            yield f"identity {identity_id} was changed before it was made"


def _faces(connection: sqlite3.Connection) -> Iterator[str]:
    for (face_id,) in connection.execute(
        """
        SELECT id FROM face
        WHERE NOT EXISTS (SELECT 1 FROM embedding WHERE embedding.face = number)
          AND NOT EXISTS (SELECT 1 FROM chip WHERE chip.face = number)
        """
    ):
        yield f"face {face_id} has neither an embedding nor a chip to make one from"


def _sizes(connection: sqlite3.Connection) -> Iterator[str]:
    for model_hash, sizes in connection.execute(
        "SELECT model_hash, count(DISTINCT length(vector)) FROM embedding GROUP BY model_hash"
    ):
        if sizes > 1:
            yield f"the embeddings by {model_hash[:12]} are of {sizes} different sizes"


def _of_files(path: Path, connection: sqlite3.Connection) -> Iterator[str]:
    for file in (path, path.with_name(f"{path.name}-wal")):
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield f"{file} can be read by other users; `chmod 600` it"
    (erased,) = connection.execute("SELECT max(erased_revision) FROM ledger").fetchone()
    for snapshot in Snapshots(path).newest_first():
        if erased is not None and snapshot.revision < erased:
            yield f"{snapshot.path} was made before the last removal and still holds who was removed"
    for copy in damaged_copies(path):
        yield f"{copy} is a damaged copy that was put aside; delete it when nothing is wanted of it"
