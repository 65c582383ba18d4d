"""The outbox's one file: its one connection, whose turn it is, and what happens when the file is damaged."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError, StoreFault
from edged.store import database
from edged.store.faults import translated
from edged.store.outbox_rescue import rescue

SCHEMA: Final = database.Schema(
    kind="outbox",
    application_id=0x65646F78,  # "edox"
    migrations=Path(__file__).parent / "outbox_migrations",
)

_LOG = logging.getLogger(__name__)


class OutboxFile:
    """Opens the file and lends its connection to one thread at a time.

    One connection under one lock, rather than one a thread: SQLite has one writer anyway, and a thread that
    finds it busy would sleep in steps of up to 100 ms, which is longer than a decision may take to its
    subscriber.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction, all or nothing; raises StoreError.

        With `durable` it is on the disk when it ends. Without, a power cut (and only that) may undo it: for
        leases, which end with the daemon anyway.
        """
        with self._turn, self._damage_handled():
            connection = self._opened()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with database.transaction(connection):
                yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A look at one state of the file; raises StoreError."""
        with self._turn, self._damage_handled():
            connection = self._opened()
            with database.reading(connection):
                yield connection

    def close(self) -> None:
        """Let go of the file; may be called twice. It is not opened again."""
        with self._turn:
            self._is_closed = True
            self._drop_connection()

    def _opened(self) -> sqlite3.Connection:
        if self._is_closed:
            raise StoreError(f"{self._path} was closed")
        if self._connection is None:
            try:
                self._connection = self._open()
            except StoreError as error:
                if error.fault is not StoreFault.CORRUPT:
                    raise
                return self._replaced(error)
        return self._connection

    def _open(self) -> sqlite3.Connection:
        return database.open_database(self._path, SCHEMA, synchronous="FULL", any_thread=True)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _damage_handled(self) -> Iterator[None]:
        """A file found damaged in use is replaced; the caller gets the error, and succeeds next time."""
        try:
            yield
        except StoreError as error:
            if error.fault is StoreFault.CORRUPT and self._connection is not None:
                self._replaced(error)
            raise

    def _replaced(self, error: StoreError) -> sqlite3.Connection:
        self._drop_connection()
        aside = _moved_aside(self._path)
        _LOG.error("The outbox is damaged and was moved to %s; a new one takes its place: %s", aside, error)
        self._connection = self._open()
        with database.transaction(self._connection) as connection:
            rescued = rescue(aside, connection)
        _LOG.warning("Out of the damaged outbox came %s", rescued)
        return self._connection


def _moved_aside(path: Path) -> Path:
    """Rename the file, and SQLite's two beside it, to the first free name; returns that name.

    The name is numbered and not dated: on a machine that has not learnt the time, dates repeat.
    """
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    with translated(path):
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    return aside
