"""What the daemon does with a damaged namespace: it puts the file aside and goes on with the last snapshot.

Commands never do this: a person at a terminal is told, and decides.
"""

import logging
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError, StoreFault
from edged.domain.moment import Clock
from edged.store.database import make_private
from edged.store.faults import translated
from edged.store.namespace_snapshots import Snapshot, Snapshots, flush, stamp
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key

_LOG: Final = logging.getLogger(__name__)

_CHECKED: Final = (
    *("ledger", "sealing", "identity", "face", "embedding", "tombstone"),
    *(
        "group_ledger",
        "unknown_group",
        "group_track",
        "group_track_embedding",
        "group_fate",
        "group_lost_track",
    ),
    *("seen_face", "job_track", "job_identity", "history_volume", "erased_track"),
    "kept_bytes",
    *("sync_membership", "sync_epoch", "sync_bucket", "sync_key", "sync_member", "sync_change"),
)
"""What the gallery and the groups are read from, by what a person's history is found, and what this node is
to the others of a synced namespace. Chips, pictures and bodies of jobs, most of the bytes by far, are left to
`edged doctor --fsck`: reading them all would hold up the start."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of a damaged file.

    Attributes:
        moved_to: where the damaged file is now.
        snapshot: what took its place, or None where there was none and the namespace begins empty.
    """

    moved_to: Path
    snapshot: Path | None


def open_or_recover(
    path: Path, clock: Clock, new_id: Callable[[], str], key: Key | None = None
) -> tuple[NamespaceStore, Recovery | None]:
    """Open the namespace's database; where it is damaged, put it aside and take the newest good snapshot.

    The damaged file keeps its content as `<name>.db.corrupt-<UTC>`, and the log says so. Raises StoreError
    for everything but damage: a lock, rights, a full disk or another key are no reason to exchange somebody's
    data.
    """
    copy = path.with_name(f".{path.name}.recovered")
    with translated(path):
        # A crash in the middle of this leaves it, with everybody in it, where nobody looks.
        _remove_database(copy)
    try:
        return _open_sound(path, clock, new_id, key), None
    except StoreError as error:
        if error.fault is not StoreFault.CORRUPT:
            raise
        _LOG.error("%s", error.what)
    utc_ms = clock.moment().utc_ms
    with translated(path):
        try:
            snapshot = _proven_copy(path, copy, clock, new_id, key)
            moved_to = _move_aside(path, utc_ms)
            if snapshot is not None:
                copy.replace(path)
        finally:
            _remove_database(copy)
    if snapshot is None:
        _LOG.error("%s was moved to %s; there is no good snapshot, so nobody is enrolled", path, moved_to)
    else:
        _LOG.error("%s was moved to %s; the snapshot %s took its place", path, moved_to, snapshot)
    return NamespaceStore.open(path, clock, new_id, key=key), Recovery(moved_to, snapshot)


def _open_sound(path: Path, clock: Clock, new_id: Callable[[], str], key: Key | None) -> NamespaceStore:
    require_content(path)
    store = NamespaceStore.open(path, clock, new_id, key=key)
    try:
        with translated(path):
            _prove(path, store.connection)
    except BaseException:
        store.close()
        raise
    return store


def require_content(path: Path) -> None:
    """Raise StoreError (CORRUPT) for a file that is empty and once was not: SQLite would take it for new."""
    with translated(path):
        try:
            is_empty = path.stat().st_size == 0
        except FileNotFoundError:
            return
        has_log = path.with_name(f"{path.name}-wal").exists()
    if is_empty and not has_log and Snapshots(path).newest_first():
        raise StoreError(f"{path} is damaged (it is empty)", fault=StoreFault.CORRUPT)


def _prove(path: Path, connection: sqlite3.Connection) -> None:
    """Raise StoreError where what the gallery is read from is damaged."""
    damage = [
        f"{table}: {answer}"
        for table in _CHECKED
        for (answer,) in connection.execute(f"PRAGMA quick_check({table})")
        if answer != "ok"
    ]
    if connection.execute("SELECT count(*) FROM ledger").fetchone() != (1,):
        damage.append("its ledger is gone")
    if damage:
        raise StoreError(f"{path} is damaged ({damage[0]})", fault=StoreFault.CORRUPT)


def _move_aside(path: Path, utc_ms: int) -> Path:
    aside = path.with_name(f"{path.name}.corrupt-{stamp(utc_ms)}")
    while aside.exists():
        utc_ms += 1000
        aside = path.with_name(f"{path.name}.corrupt-{stamp(utc_ms)}")
    path.replace(aside)
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        # The log belongs to this file and may hold its last good changes; left here it would be read into
        # the file that comes next.
        log.replace(aside.with_name(f"{aside.name}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    return aside


def _proven_copy(
    path: Path, copy: Path, clock: Clock, new_id: Callable[[], str], key: Key | None
) -> Path | None:
    """Make `copy` of the newest snapshot that is sound; returns which that is, None where none is."""
    for snapshot in Snapshots(path).newest_first():
        if _is_sound(snapshot, copy, clock, new_id, key):
            return snapshot.path
        _LOG.error("the snapshot %s is damaged too and was deleted", snapshot.path)
        snapshot.path.unlink(missing_ok=True)
    return None


def _is_sound(
    snapshot: Snapshot, copy: Path, clock: Clock, new_id: Callable[[], str], key: Key | None
) -> bool:
    """Copy the snapshot, and prove the copy."""
    try:
        _remove_database(copy)
        make_private(copy)
        shutil.copyfile(snapshot.path, copy)
        if copy.stat().st_size == 0:
            return False
        store = _open_sound(copy, clock, new_id, key)
        try:
            store.empty_log()
        finally:
            store.close()
        flush(copy)
    except StoreError as error:
        if error.fault is not StoreFault.CORRUPT:
            raise
        return False
    return True


def _remove_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
