"""The outbox's one file: its one connection, whose turn it is, and what happens when disk or file fail."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from edged.domain.errors import StoreError, StoreFault
from edged.store import database
from edged.store.faults import translated
from edged.store.outbox_rescue import rescue
from edged.store.outbox_reserve import Reserve

SCHEMA: Final = database.Schema(
    kind="outbox",
    application_id=0x65646F78,  # "edox"
    migrations=Path(__file__).parent / "outbox_migrations",
)

FOREVER: Final = -1.0

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class OutboxFile:
    """Opens the file and lends its connection to one thread at a time.

    One connection under one lock, rather than one a thread: SQLite has one writer anyway, and a thread that
    finds it busy would sleep in steps of up to 100 ms, which is longer than a decision may take to its
    subscriber.
    """

    def __init__(self, path: Path, *, may_replace: bool) -> None:
        self._path = path
        self._may_replace = may_replace
        self._reserve = Reserve(path.with_name(f"{path.name}.reserve"))
        self._turn = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    def take_in(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """Do something that fills the outbox, in one transaction, on the disk when this returns.

        Raises StoreError, having changed nothing; so where the room to empty the outbox again is missing.
        """
        with self._turn:
            return self._unless_damaged(lambda: self._write(act, durable=True, needs_reserve=True))

    def change(
        self, act: Callable[[sqlite3.Connection], T], *, durable: bool = True, patience_s: float = FOREVER
    ) -> T:
        """Do anything else, in one transaction; spends the reserve where the disk is full.

        Without `durable` a power cut (and only that) may undo it: for leases, which end with the daemon
        anyway. Raises StoreError, having changed nothing; so where its turn does not come within the
        patience.
        """
        with self._lent(patience_s):
            return self._unless_damaged(lambda: self._write_even_when_full(act, durable=durable))

    def look(self, act: Callable[[sqlite3.Connection], T], *, patience_s: float = FOREVER) -> T:
        """Read one state of the file; raises StoreError, also where its turn does not come in time."""
        with self._lent(patience_s):
            return self._unless_damaged(lambda: self._read(act))

    def empty_log(self) -> bool:
        """Move the write-ahead log into the file and cut it to nothing; False where a reader holds it."""
        with self._turn, translated(self._path):
            ((busy, _, _),) = self._opened().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy

    def close(self) -> None:
        """Let go of the file; may be called twice. It is not opened again."""
        with self._turn:
            self._is_closed = True
            self._drop_connection()

    @contextmanager
    def _lent(self, patience_s: float) -> Iterator[None]:
        if not self._turn.acquire(timeout=patience_s):
            raise StoreError(f"{self._path} has been in use for more than {patience_s:g} s")
        try:
            yield
        finally:
            self._turn.release()

    def _write(
        self, act: Callable[[sqlite3.Connection], T], *, durable: bool, needs_reserve: bool = False
    ) -> T:
        connection = self._opened()
        if needs_reserve:
            self._ensure_reserve(connection)
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        with database.transaction(connection):
            return act(connection)

    def _write_even_when_full(self, act: Callable[[sqlite3.Connection], T], *, durable: bool) -> T:
        try:
            return self._write(act, durable=durable)
        except StoreError as error:
            if error.fault is not StoreFault.FULL or not self._reserve.spend():
                raise
            _LOG.warning("The disk is full: the outbox is emptied, and takes nothing in until there is room")
        with translated(self._path):
            self._opened().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return self._write(act, durable=durable)

    def _ensure_reserve(self, connection: sqlite3.Connection) -> None:
        try:
            self._reserve.ensure()
        except StoreError as error:
            if error.fault is not StoreFault.FULL or not self._has_shrunk(connection):
                raise
            self._reserve.ensure()

    def _has_shrunk(self, connection: sqlite3.Connection) -> bool:
        """Give what deleted rows left in the file back to the disk, where that is more than what is kept."""
        with translated(self._path):
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            if free * 2 < pages:
                return False
            database.vacuum(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return True

    def _read(self, act: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._opened()
        with database.reading(connection):
            return act(connection)

    def _unless_damaged(self, attempt: Callable[[], T]) -> T:
        """Do it; where the file turns out to be damaged, do it again on the one that takes its place."""
        try:
            return attempt()
        except StoreError as error:
            if error.fault is not StoreFault.CORRUPT or not self._may_replace:
                raise
            self._replace(error)
        return attempt()

    def _opened(self) -> sqlite3.Connection:
        if self._is_closed:
            raise StoreError(f"{self._path} was closed")
        if self._connection is None:
            self._connection = database.open_database(self._path, SCHEMA, synchronous="FULL", any_thread=True)
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _replace(self, error: StoreError) -> None:
        self._drop_connection()
        aside = moved_aside(self._path)
        _LOG.error("The outbox was moved to %s, and a new one takes its place: %s", aside, error.what)
        with database.transaction(self._opened()) as connection:
            rescued = rescue(aside, connection)
        _LOG.warning("Out of the damaged outbox came %s", rescued)


def moved_aside(path: Path) -> Path:
    """Rename the file, and SQLite's two beside it, to the first free name; returns that name.

    The name is numbered and not dated: on a machine that has not learnt the time, dates repeat.
    """
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    with translated(path):
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    return aside
