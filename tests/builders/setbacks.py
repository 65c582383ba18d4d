"""A node whose database does not take anything at moments that a test chooses: locked, or on a full disk.

Nothing is feigned. Where it is to be locked, another connection holds the write lock; where the disk is to be
full, it is: a small file system is filled to its last block. What SQLite says then is its own.
"""

import contextlib
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Protocol

from edged.store.namespace_store import NamespaceStore

_BETWEEN = ("contextlib.py", "database.py", "setbacks.py")
"""What stands between a writer and its BEGIN."""


class Setback(Protocol):
    """What keeps a database from being written to."""

    def begin(self) -> None:
        """From now on nothing is written."""

    def end(self) -> None:
        """It works again."""


class Locked:
    """Another program writes to the database and does not finish."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._other: sqlite3.Connection | None = None

    def begin(self) -> None:
        self._other = sqlite3.connect(self._path, isolation_level=None, timeout=0)
        self._other.execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        if self._other is not None:
            self._other.execute("ROLLBACK")
            self._other.close()
        self._other = None


def fill(ballast: Path) -> None:
    """Write a file until the disk takes nothing more."""
    for size in (65_536, 64):
        with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(size))


class FullDisk:
    """No room is left on the small file system that the database is on, not in its log either."""

    def __init__(self, path: Path, mounted: Path) -> None:
        self._path = path
        self._ballast = mounted / "ballast"

    def begin(self) -> None:
        with contextlib.closing(sqlite3.connect(self._path, isolation_level=None, timeout=0)) as other:
            # What is in the log is overwritten before it grows: a full disk would be noticed much later.
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            fill(self._ballast)

    def end(self) -> None:
        self._ballast.unlink(missing_ok=True)


class Hindrance:
    """Has a setback begin when a node is about to write, at the points that are chosen.

    Args:
        setback: what happens.
        is_chosen: told of each point where a transaction begins, `module.function`, and how often it was
            passed before; whether it is to fail there.
    """

    def __init__(self, setback: Setback, is_chosen: Callable[[str, int], bool]) -> None:
        self._setback = setback
        self.is_chosen = is_chosen
        self.is_on = False
        self.passed: Counter[str] = Counter()
        self.failed: list[str] = []
        self.openings = 0
        """How often the database was opened while it lasted."""

    def opening(self, open_store: Callable[[], NamespaceStore]) -> Callable[[], NamespaceStore]:
        """The same, of a connection that does not wait for locks, and that is watched."""

        def opened() -> NamespaceStore:
            self.openings += self.is_on
            store = open_store()
            store.connection.execute("PRAGMA busy_timeout = 0")
            store.connection.set_trace_callback(self._traced)
            return store

        return opened

    def begin(self) -> None:
        """It happens."""
        if not self.is_on:
            self._setback.begin()
            self.is_on = True

    def end(self) -> None:
        """It is over."""
        if self.is_on:
            self._setback.end()
            self.is_on = False

    def _traced(self, statement: str) -> None:
        if statement != "BEGIN IMMEDIATE":
            return
        if self.is_on:
            return
        point = writer_of(sys._getframe(1))
        if self.is_chosen(point, self.passed[point]):
            self.failed.append(point)
            self.begin()
        self.passed[point] += 1


def writer_of(frame: FrameType | None) -> str:
    """Who has a statement made, as `module.function`."""
    while frame is not None and Path(frame.f_code.co_filename).name in _BETWEEN:
        frame = frame.f_back
    if frame is None:
        return ""
    return f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"


@contextlib.contextmanager
def small_disk(place: Path, size: str = "4m") -> Iterator[bool]:
    """A file system of so much at a folder; False where this user may not mount one."""
    place.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    is_mounted = not subprocess.run(command, capture_output=True, check=False).returncode
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)
