"""What SQLite and the operating system say of a file, in words that a person can act on."""

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError, StoreFault

_BY_CODE: Final[Mapping[int, StoreFault]] = {
    sqlite3.SQLITE_BUSY: StoreFault.LOCKED,
    sqlite3.SQLITE_LOCKED: StoreFault.LOCKED,
    sqlite3.SQLITE_CORRUPT: StoreFault.CORRUPT,
    sqlite3.SQLITE_NOTADB: StoreFault.CORRUPT,
    sqlite3.SQLITE_FULL: StoreFault.FULL,
    sqlite3.SQLITE_READONLY: StoreFault.FORBIDDEN,
    sqlite3.SQLITE_PERM: StoreFault.FORBIDDEN,
    sqlite3.SQLITE_CANTOPEN: StoreFault.FORBIDDEN,
}
"""By SQLite's primary result codes, https://www.sqlite.org/rescode.html."""

_NO_ROOM_FOR_SHARED_MEMORY: Final = sqlite3.SQLITE_IOERR_SHMSIZE
"""Whoever opens a database first makes its file `-shm`: there a full disk shows first, as an I/O error."""

_BY_ERRNO: Final[Mapping[int, StoreFault]] = {
    errno.ENOSPC: StoreFault.FULL,
    errno.EDQUOT: StoreFault.FULL,
    errno.EACCES: StoreFault.FORBIDDEN,
    errno.EPERM: StoreFault.FORBIDDEN,
    errno.EROFS: StoreFault.FORBIDDEN,
    errno.ENOENT: StoreFault.MISSING,
}

_WORDS: Final[Mapping[StoreFault, tuple[str, str]]] = {
    StoreFault.LOCKED: (
        "is locked: another program has been writing to it for too long",
        "Try again; if it stays so, end the program that holds it (`fuser -v FILE` shows which).",
    ),
    StoreFault.CORRUPT: (
        "is damaged, or is no SQLite database",
        "See docs/store.md: how to look at it, and how to get back the last good snapshot.",
    ),
    StoreFault.FULL: (
        "cannot be written: no room is left on its file system, or in the quota",
        "Make room (`df -h`), then try again; nothing was changed.",
    ),
    StoreFault.FORBIDDEN: (
        "cannot be opened or written",
        "Look at the rights of the file and of its folder, and run as the user who owns them.",
    ),
    StoreFault.MISSING: ("does not exist", "Look at the path and at the data folder."),
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what sqlite3 and the operating system raise in the body into StoreError about `path`.

    Left alone: ProgrammingError and InterfaceError, which are mistakes of ours, and IntegrityError, which
    only the statement that caused it can put into words.
    """
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise
    except sqlite3.DatabaseError as error:
        raise _of_sqlite(path, error) from error
    except OSError as error:
        raise _of_system(path, error) from error


def told_of(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    """What sqlite3 raised about `path` outside of `translated`, in words."""
    return _of_sqlite(path, error)


def is_there(path: Path) -> bool:
    """Whether a file or folder exists; raises StoreError where its folder may not be looked into."""
    with translated(path):
        return path.exists()


def _of_sqlite(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    # Extended codes keep the primary one in their low byte. Errors of the Python module itself have none.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    fault = _BY_CODE.get(code & 0xFF, StoreFault.BROKEN) if code is not None else StoreFault.BROKEN
    if code == _NO_ROOM_FOR_SHARED_MEMORY:
        fault = StoreFault.FULL
    return _in_words(path, fault, str(error))


def _of_system(path: Path, error: OSError) -> StoreError:
    fault = _BY_ERRNO.get(error.errno or 0, StoreFault.BROKEN)
    return _in_words(path, fault, error.strerror or str(error))


def _in_words(path: Path, fault: StoreFault, cause: str) -> StoreError:
    what, remedy = _WORDS.get(
        fault,
        (
            "could not be read or written",
            "Look at the kernel's log for errors of the device (`journalctl -k`), and at docs/store.md.",
        ),
    )
    return StoreError(f"{path} {what} ({cause})", fault=fault, remedy=remedy)
