"""Opening a namespace's database with the key that pictures and embeddings are encrypted with."""

import sqlite3
from pathlib import Path

from edged.store.blobs import has_blobs
from edged.store.database import open_database, transaction
from edged.store.faults import translated
from edged.store.namespace_files import NAMESPACE_SCHEMA
from edged.store.sealing import Key, NamespaceConnection, UnreadableKey, seal_of, write_seal


def open_namespace(path: Path, key: Key | None, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a namespace's database with the key that is configured for it.

    A file that has nothing to hide yet is sealed from now on. Raises StoreError, SEALED where the key is
    another than the file's; without a key, whoever needs one is told when they do.
    """
    connection = open_database(path, NAMESPACE_SCHEMA, read_only=read_only, factory=NamespaceConnection)
    try:
        if isinstance(connection, NamespaceConnection) and key is not None:
            connection.take(key)
            _prove_or_begin(path, connection, key, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _prove_or_begin(path: Path, connection: sqlite3.Connection, key: Key, *, read_only: bool) -> None:
    with translated(path):
        if seal_of(connection).is_sealed or read_only or isinstance(key, UnreadableKey):
            return
        if has_blobs(connection):
            return
    with transaction(connection):
        # Asked again: another process may have written while we waited for the begin.
        if not seal_of(connection).is_sealed and not has_blobs(connection):
            write_seal(connection, key, is_swept=_is_new(connection))


def _is_new(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever in the file that could have left traces."""
    counted = connection.execute(
        "SELECT (SELECT revision FROM ledger), (SELECT revision FROM group_ledger),"
        " (SELECT jobs + faces FROM history_volume)"
    ).fetchone()
    return not any(counted)
