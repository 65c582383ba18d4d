"""A chip on the disk: PNG, which gives back every bit of it."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import numpy as np

from edged.domain.errors import StoreError, StoreFault
from edged.domain.face import CHIP_SIZE_PX, Chip, Embedding
from edged.store.sealing import Kind, seal_of

CHIP_LIMIT_BYTES: Final = 256 * 1024
"""An incompressible chip is 67 kB; whatever is larger is none."""

_LITTLE_ENDIAN: Final = np.dtype("<f4")
LEAST_NUMBERS: Final = 16
MOST_NUMBERS: Final = 4096
"""Of an embedding, as the schema has it."""


def chip_to_png(chip: Chip) -> bytes:
    """CHIP_SIZE_PX x CHIP_SIZE_PX x 3 uint8 RGB as the bytes of a PNG file."""
    import cv2  # noqa: PLC0415 (180 ms that listing people does not need)

    if chip.shape != (CHIP_SIZE_PX, CHIP_SIZE_PX, 3) or chip.dtype != np.uint8:
        raise ValueError(f"a chip is 150 x 150 x 3 uint8, not {chip.shape} {chip.dtype}")
    done, encoded = cv2.imencode(".png", chip[:, :, ::-1])
    if not done:
        raise StoreError("a chip could not be encoded as PNG")
    return encoded.tobytes()


def chip_from_png(png: bytes) -> Chip:
    """The chip again, read-only; raises StoreError where the bytes are no PNG of a chip's size."""
    import cv2  # noqa: PLC0415

    plausible = png.startswith(b"\x89PNG\r\n\x1a\n") and len(png) <= CHIP_LIMIT_BYTES
    # Width and height stand at a fixed place in every PNG: nothing large is ever decoded.
    size = (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big"))
    decoded = None
    if plausible and size == (CHIP_SIZE_PX, CHIP_SIZE_PX):
        decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None or decoded.shape != (CHIP_SIZE_PX, CHIP_SIZE_PX, 3):
        raise StoreError("a chip is damaged: it is no PNG of 150 x 150 pixels", fault=StoreFault.CORRUPT)
    chip = np.ascontiguousarray(decoded[:, :, ::-1], dtype=np.uint8)
    chip.setflags(write=False)
    return chip


def embedding_to_bytes(embedding: Embedding) -> bytes:
    """As many float32 as the model gives, as little-endian bytes."""
    if embedding.ndim != 1 or not LEAST_NUMBERS <= embedding.size <= MOST_NUMBERS:
        raise ValueError(
            f"an embedding has {LEAST_NUMBERS} to {MOST_NUMBERS} numbers, not the shape {embedding.shape}"
        )
    return embedding.astype(_LITTLE_ENDIAN).tobytes()


def embeddings_from_bytes(vectors: Sequence[bytes]) -> Embedding:
    """K x S float32, read-only, from K >= 1 embeddings of one model.

    Raises StoreError where they are not all of one size.
    """
    if len({len(vector) for vector in vectors}) != 1:
        raise StoreError("embeddings of one model are of several sizes", fault=StoreFault.CORRUPT)
    rows = np.frombuffer(b"".join(vectors), _LITTLE_ENDIAN).reshape(len(vectors), -1).astype(np.float32)
    rows.setflags(write=False)
    return rows


def stored_chip(connection: sqlite3.Connection, face_number: int) -> Chip | None:
    """A face's chip, or None where none was kept."""
    row = connection.execute(
        "SELECT face.id, png FROM chip JOIN face ON number = chip.face WHERE number = ?", (face_number,)
    ).fetchone()
    return chip_from_png(seal_of(connection).open(Kind.FACE_CHIP, row[0], row[1])) if row else None


def keep_blobs(
    connection: sqlite3.Connection, face_number: int, vectors: Sequence[tuple[str, bytes]], png: bytes | None
) -> None:
    """Keep embeddings, (model_hash, bytes) each, and the chip of a face just enrolled, within a change."""
    seal = seal_of(connection)
    (face_id,) = connection.execute("SELECT id FROM face WHERE number = ?", (face_number,)).fetchone()
    connection.executemany(
        "INSERT INTO embedding (face, model_hash, vector) VALUES (?, ?, ?)",
        [
            (face_number, model_hash, seal.close(Kind.FACE_EMBEDDING, face_id, vector, model_hash))
            for model_hash, vector in vectors
        ],
    )
    if png is not None:
        connection.execute(
            "INSERT INTO chip (face, png) VALUES (?, ?)",
            (face_number, seal.close(Kind.FACE_CHIP, face_id, png)),
        )
