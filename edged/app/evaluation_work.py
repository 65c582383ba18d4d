"""What an evaluation has done so far, kept in a folder: one that was broken off goes on from there."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Generic, Self, TypeVar

import msgspec

from edged.domain.errors import InputError

_SUFFIX: Final = ".jsonl"

Item = TypeVar("Item", bound=msgspec.Struct)


class Journal(Generic[Item]):
    """Results by key: in a file where a folder is given, one line each, else only in memory.

    A line is written when its result is there. One that was cut off by a crash is made again. Embeddings are
    biometric data: the file is its owner's alone.

    Args:
        folder: of the file; made where it is not there. None keeps nothing.
        name: of the file, without its ending; names everything that the results depend on beside their key.
        kind: of the results.
    """

    def __init__(self, folder: Path | None, name: str, kind: type[Item]) -> None:
        self._path = folder / f"{name}{_SUFFIX}" if folder else None
        self._decoder = msgspec.json.Decoder(_line_of(kind))
        self._items: dict[str, Item] = {}
        self._file: BinaryIO | None = None
        self.used = 0
        """Results that were there already and were asked for."""
        self._kept: set[str] = set()

    def __enter__(self) -> Self:
        """Read what is there; raises InputError where the folder cannot be used."""
        if self._path is None:
            return self
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._file = os.fdopen(descriptor, "r+b")
            self._items.update(self._lines(self._file))
        except OSError as error:
            raise InputError(
                f"the work folder {self._path.parent} cannot be used: {error.strerror or error}",
                remedy="`--work` names a folder that may be written to.",
            ) from None
        self._kept = set(self._items)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: str) -> Item | None:
        """The result of a key, if it is there."""
        self.used += key in self._kept
        return self._items.get(key)

    def put(self, key: str, item: Item) -> None:
        """Keep a result; raises InputError where it cannot be written."""
        self._items[key] = item
        if self._file is None:
            return
        try:
            self._file.write(msgspec.json.encode([key, item]) + b"\n")
            self._file.flush()
        except OSError as error:
            raise InputError(f"{self._path} cannot be written: {error.strerror or error}") from None

    def _lines(self, file: BinaryIO) -> Iterator[tuple[str, Item]]:
        end = 0
        for line in file:
            try:
                key, item = self._decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                break
            end += len(line)
            yield key, item
        # What follows a line that is not whole is not trusted, and would make the next line unreadable too.
        file.truncate(end)
        file.seek(end)


def _line_of(kind: type[Item]) -> type[tuple[str, Item]]:
    return tuple[str, kind]  # type: ignore[valid-type]
