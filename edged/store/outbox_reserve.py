"""Room on the disk that is kept for emptying the outbox when there is no other."""

import os
from pathlib import Path
from typing import Final

from edged.store.faults import translated

SIZE_BYTES: Final = 6 * 1024 * 1024
"""More than SQLite's write-ahead log holds before it is written back (1,000 pages of 4 kB)."""


class Reserve:
    """A file that is there to be deleted.

    Deleting rows needs room too: their pages go through the write-ahead log, and the log can be emptied only
    into a database that may grow. An outbox that filled its disk while the broker was away could never be
    emptied again when the broker comes back. So it gives this file up then, and takes nothing in until there
    is room for the file again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def ensure(self) -> None:
        """Make the file where it is missing; raises StoreError where there is no room for it."""
        if self._path.exists():
            return
        with translated(self._path):
            descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, SIZE_BYTES)
            except OSError:
                self._path.unlink()
                raise
            finally:
                os.close(descriptor)

    def spend(self) -> bool:
        """Delete the file; False where it was spent before."""
        with translated(self._path):
            try:
                self._path.unlink()
            except FileNotFoundError:
                return False
        return True
