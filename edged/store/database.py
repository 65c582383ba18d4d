"""Opening SQLite files, and saying in words what is wrong with one. Every store of ours stands on this.

Layout: a kind of database is a `Schema` beside its store, and its migrations are a folder beside both,
`<kind>_migrations/0001_what_it_does.sql`, 0002 …; each file is prose with SQL in it. A new file runs them
all, an old one those it lacks, in one transaction. `PRAGMA user_version` is the number of the last one;
`PRAGMA application_id` says which kind the file is. Migrations contain no BEGIN, no COMMIT, and no PRAGMA but
`writable_schema`: most others do nothing within a transaction.

A connection belongs to the thread that opened it (sqlite3 itself refuses others). It is in autocommit:
writers say `with transaction(connection):`, which is BEGIN IMMEDIATE, so that a writer waits at its begin
and never in its middle.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final, Literal

from edged.domain.errors import StoreError, StoreFault
from edged.store.faults import translated

_OLDEST_SQLITE: Final = (3, 37)
"""STRICT tables are there from this on."""

BUSY_TIMEOUT_MS: Final = 5000
_RETRY_MS: Final = 50
_MAKING_MS: Final = 2000
"""How long a reader waits for whoever is making the file: it is there before anything is in it."""
_CACHE_KIB: Final = 512
"""Of pages, a connection. SQLite's own 2,000 stay taken once they were used: 3 MiB in a daemon that syncs."""
_WAL_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""A -wal file that a long reader let grow is cut back to this by the next checkpoint."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of database.

    Attributes:
        kind: what people call it: `namespace database`, `outbox`.
        application_id: 32 bits that mark its files, so that no file is taken for another kind.
        migrations: folder of the numbered .sql files.
        gives_back: whether free pages can be given back to the disk a few at a time. It is so of files made
            anew, and of others once they are vacuumed whole.
    """

    kind: str
    application_id: int
    migrations: Path
    gives_back: bool = False

    def steps(self) -> list[tuple[int, str]]:
        """Every migration as (number, SQL), in order, without gaps from 1."""
        found = sorted(self.migrations.glob("[0-9][0-9][0-9][0-9]_*.sql"))
        steps = [(int(path.name[:4]), path.read_text("utf-8")) for path in found]
        if [number for number, _ in steps] != list(range(1, len(steps) + 1)) or not steps:
            raise StoreError(
                f"the migrations in {self.migrations} are incomplete",
                remedy="edged was not installed whole: install it again.",
            )
        return steps


def open_database(
    path: Path,
    schema: Schema,
    *,
    synchronous: Literal["NORMAL", "FULL"] = "NORMAL",
    read_only: bool = False,
    may_create: bool = True,
    any_thread: bool = False,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> sqlite3.Connection:
    """Open the file, make or migrate it where needed, and set what every connection of ours has.

    With `read_only` the file must exist and be up to date, and nothing is ever written; one that another
    process is making at this moment is waited for. Without `may_create` it must exist and not be empty: what
    was cut to nothing is for whoever has a copy of it. A new file, and its folder, are readable by their
    owner alone. Rows come as plain tuples. With `any_thread` the caller keeps threads out of each other's way
    with a lock of its own. `factory` is the class of the connection.

    Raises StoreError with the file, the cause and the remedy for whatever stands in the way.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(
            f"this Python has SQLite {sqlite3.sqlite_version}, which is too old: 3.37 is needed",
            remedy="Use a newer Python, or one that brings its own SQLite.",
        )
    with translated(path):
        if read_only or not may_create:
            _must_be_there(path, or_empty=read_only)
        else:
            make_private(path)
        mode = "ro" if read_only else "rw"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_TIMEOUT_MS / 1000,
            check_same_thread=not any_thread,
            factory=factory,
        )
        try:
            # Of an older file it would write to it at each opening, and do nothing until a VACUUM.
            if schema.gives_back and not read_only and path.stat().st_size == 0:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            _set_up(connection, path, synchronous=synchronous, read_only=read_only)
            _bring_up_to_date(connection, path, schema, read_only=read_only)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A writer's transaction: all of the body or nothing of it, and foreign errors translated."""
    with _transaction(connection, "BEGIN IMMEDIATE"):
        yield connection


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A reader's transaction: every statement in the body sees the same state of the database."""
    with _transaction(connection, "BEGIN"):
        yield connection


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    with translated(path_of(connection)):
        connection.execute(begin)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself where the disk is full or failed.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def vacuum(connection: sqlite3.Connection) -> None:
    """Make the file anew, without its free pages; raises sqlite3's errors.

    The copy on the way may be larger than the memory: it is a temporary file, of what is in the database now.
    """
    connection.execute("PRAGMA temp_store = FILE")
    try:
        connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")


def path_of(connection: sqlite3.Connection) -> Path:
    """The file a connection is open on; asks SQLite, reads nothing from the disk."""
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


def make_private(path: Path) -> None:
    """Make the file, and its folder, for their owner alone, where they do not exist.

    What root makes in somebody's folder belongs to that somebody: `sudo edged identities add` must not
    leave files behind that the daemon's user cannot write.
    """
    _make_private_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        if os.geteuid() == 0:
            folder = path.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
    finally:
        os.close(descriptor)


def _make_private_folder(folder: Path) -> None:
    """Make the folder and those above it, where they are missing; each is of the owner of the one above."""
    if folder.is_dir():
        return
    _make_private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        above = folder.parent.stat()
        os.chown(folder, above.st_uid, above.st_gid)


def _must_be_there(path: Path, *, or_empty: bool) -> None:
    if not path.exists():
        raise StoreError(f"{path} does not exist", fault=StoreFault.MISSING)
    # What was just made may be in its log alone.
    if not or_empty and path.stat().st_size == 0 and not path.with_name(f"{path.name}-wal").exists():
        raise StoreError(f"{path} is empty", fault=StoreFault.MISSING)


def _set_up(connection: sqlite3.Connection, path: Path, *, synchronous: str, read_only: bool) -> None:
    # First of all, so that the pragmas below, which read the file, wait for a writer too.
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    # Deleted people are overwritten with zeros, not merely forgotten.
    connection.execute("PRAGMA secure_delete = ON")
    # What a statement needs to be taken back is kept aside as it was. In a file of /var/tmp, which nobody
    # overwrites, crops of people would outlive them, and the encryption.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return
    if (mode := _write_ahead(connection)) != "wal":
        raise StoreError(
            f"{path} cannot be kept in write-ahead mode (it is in `{mode}`)",
            remedy="Put the data folder on a local file system; network file systems cannot do it.",
        )


def _write_ahead(connection: sqlite3.Connection) -> str:
    """Turn a new file to write-ahead mode; returns the mode it is in.

    SQLite does not wait for this one lock, whatever the busy timeout: two processes that meet at a new file
    would see one of them fail.
    """
    nobody = Event()
    for _ in range(BUSY_TIMEOUT_MS // _RETRY_MS):
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            nobody.wait(_RETRY_MS / 1000)
    return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])


def _bring_up_to_date(connection: sqlite3.Connection, path: Path, schema: Schema, *, read_only: bool) -> None:
    steps = schema.steps()
    newest = steps[-1][0]
    with reading(connection):
        version = _version(connection, path, schema, newest)
    if read_only and not version:
        version = _version_once_made(connection, path, schema, newest)
    if version == newest:
        return
    if read_only:
        raise StoreError(
            f"{path} was made by an older edged and is not migrated yet",
            fault=StoreFault.FOREIGN,
            remedy="Start the daemon, or run any command that writes to it, once.",
        )
    with transaction(connection):
        # Asked again: another process may have migrated while we waited for the begin.
        version = _version(connection, path, schema, newest)
        for number, sql in steps[version:]:
            for statement in statements(sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute(f"PRAGMA application_id = {schema.application_id}")


def _version(connection: sqlite3.Connection, path: Path, schema: Schema, newest: int) -> int:
    """The file's version, 0 for an empty one; refuses files of other kinds and of newer versions."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if mark != schema.application_id and (mark or version or tables):
        raise StoreError(
            f"{path} is a database, but not a {schema.kind} of edged",
            fault=StoreFault.FOREIGN,
            remedy="Move it away, or name another data folder.",
        )
    if version > newest:
        raise StoreError(
            f"{path} was made by a newer edged (its version is {version}, this one knows {newest})",
            fault=StoreFault.FOREIGN,
            remedy="Install that edged again, or put back the backup made before it.",
        )
    return int(version)


def _version_once_made(connection: sqlite3.Connection, path: Path, schema: Schema, newest: int) -> int:
    """The version that a file with nothing in it yet is given by its maker; waits for that."""
    nobody = Event()
    for _ in range(_MAKING_MS // _RETRY_MS):
        nobody.wait(_RETRY_MS / 1000)
        with reading(connection):
            if version := _version(connection, path, schema, newest):
                return version
    raise StoreError(
        f"{path} is empty",
        fault=StoreFault.MISSING,
        remedy="Start the daemon, or run any command that writes to it, once.",
    )


_BLANK: Final = re.compile(r"(\s|--[^\n]*(\n|$)|/\*.*?\*/)*", re.DOTALL)


def statements(sql: str) -> Iterator[str]:
    """The single statements of a script. `executescript` will not do: it commits before it begins."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if not _BLANK.fullmatch(pending) and sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if not _BLANK.fullmatch(pending):
        raise ValueError(f"a migration ends in the middle of a statement: {pending.strip()[:80]}")
