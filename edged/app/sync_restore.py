"""Bringing a backup of the authority back, beside no daemon."""

import sqlite3
from contextlib import closing
from pathlib import Path

from edged.app.sync_backup import load
from edged.app.sync_keys import is_configured, key_path, seed_of, write_seed
from edged.domain.errors import EdgedError, StoreError
from edged.settings.sync import Sync
from edged.store.database import make_private, open_database, transaction
from edged.store.faults import is_there, translated
from edged.store.namespace_files import NAMESPACE_SCHEMA, namespace_path
from edged.store.namespace_snapshots import Snapshots
from edged.system.lock import FolderLock


def restore(
    file: Path, passphrase: str, data_dir: Path, settings: Sync | None, *, may_replace: bool = False
) -> None:
    """Put a backup's namespace and secret in their places: whole, or nothing is changed.

    Args:
        file: what `sync_backup.save` wrote.
        passphrase: of it.
        data_dir: where to.
        settings: the section `sync`; the secret must not come from there.
        may_replace: delete the namespace that is here, with its snapshots, and its secret.

    Raises:
        InputError: another passphrase, or the file is damaged.
        EdgedError: a namespace, or a secret, is here already.
        StoreError: the folder cannot be written, or a daemon runs on it.
    """
    partial = data_dir / "namespaces" / ".restored.partial"
    make_private(partial)
    try:
        with FolderLock(data_dir):
            saved, seed = load(file, passphrase, partial)
            path = namespace_path(data_dir, saved.namespace)
            _require_room(path, data_dir, saved.namespace, settings, may_replace=may_replace)
            if (
                is_configured(settings, saved.namespace)
                and seed_of(settings, data_dir, saved.namespace) != seed
            ):
                raise EdgedError(
                    "`sync.keys` has another secret than the backup",
                    remedy="Take it out of the configuration: the backup's is kept in the data folder.",
                )
            _mark(partial)
            with translated(path):
                if may_replace:
                    _delete(path)
                    key_path(data_dir, saved.namespace).unlink(missing_ok=True)
                partial.replace(path)
            if not is_configured(settings, saved.namespace):
                write_seed(data_dir, saved.namespace, seed)
    finally:
        for suffix in ("", "-wal", "-shm"):
            partial.with_name(partial.name + suffix).unlink(missing_ok=True)


def _require_room(
    path: Path, data_dir: Path, namespace: str, settings: Sync | None, *, may_replace: bool
) -> None:
    has_seed = not is_configured(settings, namespace) and key_path(data_dir, namespace).exists()
    if not may_replace and (is_there(path) or has_seed):
        raise EdgedError(
            f"namespace {namespace} is here already",
            remedy="`--replace` deletes it, and what is enrolled in it, for the backup's.",
        )


def mark_restored(connection: sqlite3.Connection) -> None:
    """Have an authority take over what was published since, before it publishes; also one that was split."""
    with transaction(connection):
        connection.execute("UPDATE sync_membership SET is_restored = 1 WHERE role IN ('authority', 'split')")
        connection.execute("UPDATE sync_membership SET role = 'authority' WHERE role = 'split'")


def _mark(partial: Path) -> None:
    with closing(open_database(partial, NAMESPACE_SCHEMA, may_create=False)) as connection:
        mark_restored(connection)
        row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if row[0]:
        raise StoreError(f"{partial} is held by another program")


def _delete(path: Path) -> None:
    for snapshot in Snapshots(path).newest_first():
        snapshot.path.unlink(missing_ok=True)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
