"""Which embedder a data folder is used with: one small file, exchanged whole.

All namespaces of a folder go over to another embedder at once, and each is a database of its own; so the
choice is not in one of them. The file takes its name by a rename: a crash leaves the old choice or the new.
"""

import os
from pathlib import Path
from typing import Annotated, Final

import msgspec

from edged.domain.errors import StoreError, StoreFault
from edged.store.database import make_private
from edged.store.faults import translated
from edged.store.namespace_snapshots import flush

FILE_NAME: Final = "embedder.json"
_MOST_BYTES: Final = 10_000


class ChosenEmbedder(msgspec.Struct, frozen=True, kw_only=True):
    """A card's name and the hash that its embeddings are stored with."""

    card: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    model_hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class EmbedderRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The choice that is in force, and the one before, for going back."""

    chosen: ChosenEmbedder
    previous: ChosenEmbedder | None = None


def read_record(data_dir: Path) -> EmbedderRecord | None:
    """The choice; None where nobody ever made one. Raises StoreError where it cannot be read."""
    path = data_dir / FILE_NAME
    with translated(path):
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES)
        except FileNotFoundError:
            return None
    try:
        return msgspec.json.decode(content, type=EmbedderRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{path}, which says which embedder is used, is damaged: {error}",
            fault=StoreFault.CORRUPT,
            remedy="`edged models use CARD` writes it anew",
        ) from None


def write_record(data_dir: Path, record: EmbedderRecord) -> None:
    """Make a choice; when this returns it is on the disk. Raises StoreError, and then the old one stands."""
    path = data_dir / FILE_NAME
    partial = data_dir / f".{FILE_NAME}.partial"
    with translated(path):
        partial.unlink(missing_ok=True)
        make_private(partial)
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        flush(partial)
        partial.replace(path)
        folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
