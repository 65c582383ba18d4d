"""Copies of a namespace's people, for the day when the database itself is damaged.

Groups of unknown people and the history of jobs are in none: they come and go by themselves, and what
retention deletes shall not live on in a copy.

They lie in `snapshots/` beside it, as `<namespace>.<UTC>.r<revision>.db`. Each is made whole under another
name and then renamed, so what is there is complete. A snapshot made before the last removal would keep
somebody who was to be forgotten: those are deleted, whoever sees them first.
"""

import fcntl
import os
import re
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edged.store.database import make_private, open_database, path_of
from edged.store.faults import translated
from edged.store.namespace_files import NAMESPACE_SCHEMA
from edged.store.namespace_queries import Ledger, ledger

KEPT: Final = 3
APART_MS: Final = 10 * 60 * 1000
"""A burst of changes gives one snapshot, so that the three that are kept reach back some way."""

_TABLES: Final = (
    "ledger",
    "sealing",
    "identity",
    "face",
    "chip",
    "embedding",
    "tombstone",
    # After the people: copying them is no change that a member wants.
    "sync_key",
    "sync_member",
    "sync_invitation",
    "sync_proposed",
    "sync_change",
    "sync_proposal",
    "sync_withheld",
    "sync_retired",
    "sync_bucket",
    "sync_epoch",
    "sync_membership",
)
"""What a snapshot holds: who is enrolled, and how that is synced. A test compares these with the schema."""

_WHICH: Final = {"sync_proposed": "WHERE verdict <> 'waiting'"}
"""What waits for the owner has faces in it, which are nobody's here who could be removed. Its node sends it
again."""

_NAME: Final = re.compile(r"(\d{8}T\d{6}Z)\.r(\d+)\.db")
_STAMP: Final = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One copy: its file, when it was made, and of which revision."""

    path: Path
    made_ms: int
    revision: int


class Snapshots:
    """The snapshots of one database file. Every method raises StoreError where the disk does not do it."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._folder = database.parent / "snapshots"
        self._prefix = database.name.removesuffix(".db") + "."

    def newest_first(self) -> list[Snapshot]:
        """What there is."""
        found: list[Snapshot] = []
        for path in self._folder.glob("*.db"):
            match = _NAME.fullmatch(path.name.removeprefix(self._prefix))
            if path.name.startswith(self._prefix) and match:
                found.append(Snapshot(path, _read_stamp(match[1]), int(match[2])))
        return sorted(found, key=lambda one: (one.made_ms, one.revision), reverse=True)

    def is_behind(self, connection: sqlite3.Connection) -> bool:
        """Whether there are changes that no snapshot has."""
        newest = next(iter(self.newest_first()), None)
        return (newest.revision if newest else 0) != self._ledger(connection).revision

    def is_due(self, connection: sqlite3.Connection, utc_ms: int, *, is_last: bool = False) -> bool:
        """Whether there are such changes and the last snapshot is not just made, or this is the last chance.

        A clock that went back makes it due: better one too many than none until the clock is there again.
        """
        newest = next(iter(self.newest_first()), None)
        just_made = newest is not None and 0 <= utc_ms - newest.made_ms < APART_MS
        return self.is_behind(connection) and (is_last or not just_made)

    def take(self, connection: sqlite3.Connection, utc_ms: int) -> Path:
        """Copy the people as they are now, and let go of all but the newest KEPT."""
        partial = self._folder / f".{self._prefix}{os.getpid()}.{threading.get_ident()}.partial"
        with translated(partial):
            partial.unlink(missing_ok=True)
            make_private(partial)
            being_made = os.open(partial, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(being_made, fcntl.LOCK_EX)
                # The revision is read first: a change in between makes the copy newer than its name, never
                # older, so a snapshot is never thought to lack a person it holds.
                revision = self._ledger(connection).revision
                _copy(connection, partial)
                flush(partial)
                whole = self._folder / f"{self._prefix}{stamp(utc_ms)}.r{revision}.db"
                partial.replace(whole)
                # Somebody may have been removed, and this half been spared, while it was made.
                if self._ledger(connection).erased_revision > revision:
                    return self.start_afresh(connection, utc_ms)
            finally:
                os.close(being_made)
                for suffix in ("", "-wal", "-shm"):
                    partial.with_name(partial.name + suffix).unlink(missing_ok=True)
            for old in self.newest_first()[KEPT:]:
                old.path.unlink(missing_ok=True)
        return whole

    def start_afresh(self, connection: sqlite3.Connection, utc_ms: int) -> Path:
        """After a removal: delete every snapshot, then make one of what is left."""
        self._delete(self.newest_first())
        return self.take(connection, utc_ms)

    def tidy(self, connection: sqlite3.Connection) -> int:
        """Delete what is older than the last removal, and halves that a crash left; returns how many."""
        erased = self._ledger(connection).erased_revision
        return self._delete([one for one in self.newest_first() if one.revision < erased])

    def _ledger(self, connection: sqlite3.Connection) -> Ledger:
        with translated(self._database):
            return ledger(connection)

    def _delete(self, doomed: list[Snapshot]) -> int:
        with translated(self._folder):
            halves = [
                path for path in self._folder.glob(f".{self._prefix}*.partial") if not _is_being_made(path)
            ]
            for path in [*(one.path for one in doomed), *halves]:
                path.unlink(missing_ok=True)
        return len(doomed) + len(halves)


def _is_being_made(half: Path) -> bool:
    """Whether a thread is at it, which then deletes it itself; a lock says so, because a crash undoes it."""
    try:
        descriptor = os.open(half, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _copy(connection: sqlite3.Connection, partial: Path) -> None:
    """Make a database of the schema as it is, with the rows of _TABLES."""
    copy = open_database(partial, NAMESPACE_SCHEMA)
    try:
        copy.execute("ATTACH ? AS live", (f"{path_of(connection).as_uri()}?mode=ro",))
        copy.execute("BEGIN IMMEDIATE")
        copy.execute("PRAGMA defer_foreign_keys = ON")
        for table in _TABLES:
            copy.execute(f"DELETE FROM main.{table}")  # noqa: S608 (a constant of this module)
            which = _WHICH.get(table, "")
            copy.execute(f"INSERT INTO main.{table} SELECT * FROM live.{table} {which}")  # noqa: S608
        # An authority that falls back to it looks first at what it published since.
        copy.execute("UPDATE main.sync_membership SET is_restored = 1 WHERE role = 'authority'")
        copy.execute("COMMIT")
        copy.execute("DETACH live")
        # One file, without a log beside it: it is copied and moved as it is.
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()


def flush(path: Path) -> None:
    """Wait until a file that no database connection is open on is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stamp(utc_ms: int) -> str:
    """The time as it stands in names of files."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime(_STAMP)


def _read_stamp(text: str) -> int:
    return int(datetime.strptime(text, _STAMP).replace(tzinfo=UTC).timestamp() * 1000)
