"""Proves that a namespace's pictures and embeddings are what they are taken for. Only reads."""

import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from edged.domain.errors import StoreError, StoreFault
from edged.replication.statements import Wanted
from edged.store.blobs import Blob, every_blob
from edged.store.namespace_chips import chip_from_png
from edged.store.sealing import Kind, Seal, seal_of

_UNIT_TOLERANCE: Final = 1e-3
"""float32 leaves a unit vector within 1e-6; what is off by this was not made by the embedder."""


def blob_findings(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with them, in words."""
    if connection.execute("SELECT count(*) FROM sealing").fetchone() != (1,):
        yield "the table that says whether pictures and embeddings are encrypted has not exactly one row"
        return
    seal = seal_of(connection)
    if connection.execute("SELECT is_swept FROM sealing").fetchone() == (0,):
        yield "copies from before the encryption changed may be left; the daemon's next start clears them"
    for blob in every_blob(connection):
        try:
            yield from _of_blob(blob, seal)
        except StoreError as error:
            if error.fault is StoreFault.SEALED:
                yield f"pictures and embeddings were not looked at: {error.what}"
                return
            yield f"{blob.table.words} {_name(blob)}: {error.what}"


def _of_blob(blob: Blob, seal: Seal) -> Iterator[str]:
    content = blob.opened(seal)
    match blob.table.kind:
        case Kind.FACE_CHIP | Kind.GROUP_CHIP:
            chip_from_png(content)
        case Kind.FACE_EMBEDDING | Kind.GROUP_EMBEDDING | Kind.TRACK_MEAN | Kind.SHARED_MEAN:
            length = float(np.linalg.norm(np.frombuffer(content, "<f4").astype(np.float64)))
            # Written so that a length that is no number fails too.
            if not abs(length - 1) <= _UNIT_TOLERANCE:
                yield (
                    f"the embedding of {blob.table.words} {blob.owner} by {blob.model_hash[:12]} has length"
                    f" {length:.4g}, not 1"
                )
        case Kind.PROPOSAL:
            try:
                msgspec.msgpack.decode(content, type=Wanted)
            except (msgspec.DecodeError, UnicodeDecodeError):
                yield f"{blob.table.words} {_name(blob)} cannot be read"


def _name(blob: Blob) -> str:
    """Whose it is, for people."""
    return str(blob.owner).replace("\0", ", ")
