"""Encrypting what a namespace's database holds, decrypting it, or going over to another key.

All blobs are exchanged in one transaction, so that a crash leaves the file as it was or as it is to be. What
was there before may still be in free pages, in the log and in snapshots: the file says so until
`sweep_copies` has made it anew (VACUUM), emptied the log and exchanged the snapshots.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from edged.domain.errors import StoreError, StoreFault
from edged.store.blobs import Blob, count_blobs, every_blob
from edged.store.database import transaction, vacuum
from edged.store.faults import translated
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import EncryptionKey, NamespaceConnection, Seal, seal_of, write_seal

_TOLD_EVERY: Final = 64
_TICK_EVERY: Final = 200
"""Steps of SQLite's machine: some twenty rows are copied in them, which may be megabytes."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was done.

    Attributes:
        blobs: pictures and embeddings that were written anew.
        discarded: those that did not open and were deleted.
    """

    blobs: int
    discarded: int


def is_swept(store: NamespaceStore) -> bool:
    """Whether no copy from before the last conversion can be left."""
    with translated(store.path):
        return bool(store.connection.execute("SELECT is_swept FROM sealing").fetchone()[0])


def take_key(store: NamespaceStore, key: EncryptionKey | None) -> Seal:
    """Let the store use a key from now on; raises StoreError (SEALED) where the file has another."""
    if isinstance(store.connection, NamespaceConnection):
        store.connection.take(key)
    with translated(store.path):
        return seal_of(store.connection)


def reseal(
    store: NamespaceStore,
    key: EncryptionKey | None,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
    *,
    may_discard: bool = False,
) -> Resealed:
    """Write every blob anew, sealed with `key`, or plain without one; afterwards `sweep_copies` is due.

    `tell` hears how many of how many are done. With `may_discard` blobs that do not open are deleted; else
    one of these raises StoreError, and nothing was changed. The store goes over to the key.
    """
    connection = store.connection
    done = discarded = 0
    with transaction(connection):
        old = seal_of(connection)
        new = write_seal(connection, key, is_swept=False)
        total = count_blobs(connection)
        for blob in every_blob(connection):
            if _exchange(store, blob, old, new, may_discard=may_discard):
                done += 1
            else:
                discarded += 1
            if (done + discarded) % _TOLD_EVERY == 0:
                tell(done + discarded, total)
    tell(total, total)
    take_key(store, key)
    return Resealed(done, discarded)


def sweep_copies(store: NamespaceStore, tick: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Let no copy from before a conversion lie about; yields what could not be done.

    The next start of the daemon tries that again. `tick` is called all the while, which may be minutes. Needs
    as much room on the disk as the file has.
    """
    try:
        with translated(store.path):
            # As of new files, see `Schema.gives_back`: an older file becomes one by being made anew.
            store.connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            store.connection.set_progress_handler(tick, _TICK_EVERY)
            try:
                vacuum(store.connection)
            finally:
                store.connection.set_progress_handler(None, 0)
        store.snapshots.start_afresh(store.connection, store.now_ms)
        if not store.empty_log():
            yield f"{store.path}-wal may hold what was there before: another program is reading"
            return
        with transaction(store.connection):
            store.connection.execute("UPDATE sealing SET is_swept = 1")
    except StoreError as error:
        yield f"copies of what was there before may be left: {error.what}"


def _exchange(store: NamespaceStore, blob: Blob, old: Seal, new: Seal, *, may_discard: bool) -> bool:
    """Write one blob anew, or delete it where it does not open and may be deleted; whether it was written."""
    table = blob.table
    try:
        content = blob.opened(old)
    except StoreError as error:
        if error.fault is not StoreFault.CORRUPT:
            raise
        if not may_discard:
            raise StoreError(
                f"{store.path}: {error.what}",
                fault=StoreFault.CORRUPT,
                remedy="Nothing was changed. `edged doctor --fsck` lists all such; the option"
                " `--discard-damaged` deletes them, for nobody can read them.",
            ) from error
        table.delete(store.connection, blob.row)
        return False
    closed = new.close(table.kind, blob.owner, content, blob.model_hash)
    table.write(store.connection, blob.row, closed)
    return True
