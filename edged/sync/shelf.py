"""A folder with pages for any static web server: `<folder>/<namespace>/<sha256>`, each named by its hash.

A page is whole or not there, whenever the machine loses its power: it is written under another name, flushed
to the disk, and renamed. The manifest lies beside the pages for people to look at; members take it from the
broker only.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError

MANIFEST: Final = "manifest"
_PARTIAL: Final = ".partial"
_PAGE: Final = re.compile(r"[0-9a-f]{64}")
_MODE: Final = 0o644
"""Whatever the umask: a web server of another user reads them. Pages are sealed: only members open them."""
_FOLDER_MODE: Final = 0o755


class Shelf:
    """A `PageShelf`. One thread calls it.

    Args:
        folder: `sync.export`; it is made where it is not there.
        namespace: which.
        grace_ms: pages that are listed no more stay for so long, for members that fetch them now.
    """

    def __init__(self, folder: Path, namespace: str, grace_ms: int) -> None:
        self._folder = folder / namespace
        self._grace_ms = grace_ms
        self._unlisted_ms: dict[str, int] = {}
        """Since when. Counted anew after a start, so that it only ever is longer."""

    def put(self, sha256: str, sealed: bytes) -> None:
        """Have a page lie there, whole and on the disk; raises StoreError."""
        path = self._folder / sha256
        with self._translated():
            if not _holds(path, sealed):
                self._write(path, sealed)

    def show_manifest(self, payload: bytes) -> None:
        """Have the manifest lie beside the pages, to look at; raises StoreError."""
        with self._translated():
            self._write(self._folder / MANIFEST, payload)

    def keep_only(self, names: frozenset[str], now_ms: int) -> None:
        """Delete pages that are none of these, once their time is over; raises StoreError.

        Files that are named otherwise than pages are left alone.
        """
        with self._translated():
            there = [name for name in self._listed() if _PAGE.fullmatch(name.removesuffix(_PARTIAL))]
            since = {name: self._unlisted_ms.get(name, now_ms) for name in there if name not in names}
            over = [name for name, at_ms in since.items() if now_ms - at_ms >= self._grace_ms]
            for name in over:
                (self._folder / name).unlink(missing_ok=True)
                del since[name]
            self._unlisted_ms = since

    def _listed(self) -> list[str]:
        return [path.name for path in self._folder.iterdir()] if self._folder.is_dir() else []

    def _write(self, path: Path, content: bytes) -> None:
        for folder in (self._folder.parent, self._folder):
            if not folder.is_dir():
                folder.mkdir(parents=True)
                folder.chmod(_FOLDER_MODE)
        partial = path.with_name(f"{path.name}{_PARTIAL}")
        flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(partial, flags, _MODE), "wb") as file:
            os.fchmod(file.fileno(), _MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"pages cannot be written to {self._folder}: {error.strerror or error}",
                remedy="`sync.export` names a folder that the daemon's user can write to, with room on it.",
            ) from error


def _holds(path: Path, content: bytes) -> bool:
    """Whether a file has this content already."""
    try:
        with path.open("rb") as file:
            return file.read(len(content) + 1) == content
    except FileNotFoundError:
        return False
