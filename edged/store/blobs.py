"""Where pictures and embeddings stand in a namespace's database, and whose each is."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edged.store.sealing import Kind, Seal


@dataclass(frozen=True, slots=True)
class BlobTable:
    """A table whose blobs are sealed where the file is.

    Attributes:
        name: of the table.
        blob: its column.
        key: its primary key, one column or two; the second is the model's hash.
        kind: what the blobs are.
        owner: SQL of whose a blob is, of the row `one`.
        words: what a finding calls the owner.
    """

    name: str
    blob: str
    key: tuple[str, ...]
    kind: Kind
    owner: str
    words: str

    def places(self, connection: sqlite3.Connection) -> list[tuple[int, str, str | int]]:
        """Of every blob: its row, its model's hash or nothing, whose it is."""
        model = self.key[1] if len(self.key) > 1 else "''"
        return connection.execute(
            f"SELECT {self.key[0]}, {model}, {self.owner} FROM {self.name} AS one ORDER BY 1, 2"  # noqa: S608
        ).fetchall()

    def read(self, connection: sqlite3.Connection, row: int, model_hash: str) -> bytes | None:
        """One blob as it is on the disk; None where it is gone."""
        found = connection.execute(
            f"SELECT {self.blob} FROM {self.name} WHERE {self._where}",  # noqa: S608
            (row, model_hash)[: len(self.key)],
        ).fetchone()
        return found[0] if found else None

    def write(self, connection: sqlite3.Connection, row: int, model_hash: str, blob: bytes) -> None:
        """Exchange one blob."""
        connection.execute(
            f"UPDATE {self.name} SET {self.blob} = ? WHERE {self._where}",  # noqa: S608
            (blob, row, model_hash)[: len(self.key) + 1],
        )

    def delete(self, connection: sqlite3.Connection, row: int, model_hash: str) -> None:
        """Delete one blob with its row."""
        connection.execute(
            f"DELETE FROM {self.name} WHERE {self._where}",  # noqa: S608
            (row, model_hash)[: len(self.key)],
        )

    @property
    def _where(self) -> str:
        return " AND ".join(f"{column} = ?" for column in self.key)


_FACE: Final = "(SELECT id FROM face WHERE number = one.face)"
_SEEN_FACE: Final = "(SELECT id FROM seen_face WHERE number = one.face)"
_OF_FACE: Final = ("face", "model_hash")

BLOB_TABLES: Final = (
    BlobTable("chip", "png", ("face",), Kind.FACE_CHIP, _FACE, "face"),
    BlobTable("embedding", "vector", _OF_FACE, Kind.FACE_EMBEDDING, _FACE, "face"),
    BlobTable("seen_chip", "png", ("face",), Kind.FACE_CHIP, _SEEN_FACE, "seen face"),
    BlobTable("seen_embedding", "vector", _OF_FACE, Kind.FACE_EMBEDDING, _SEEN_FACE, "seen face"),
    BlobTable("group_chip", "png", ("face",), Kind.GROUP_CHIP, "face", "a group's face"),
    BlobTable("group_embedding", "vector", _OF_FACE, Kind.GROUP_EMBEDDING, "face", "a group's face"),
    BlobTable(
        "group_track_embedding",
        "vector",
        ("track", "model_hash"),
        Kind.TRACK_MEAN,
        "track",
        "a group's track",
    ),
    BlobTable("picture", "jpeg", ("number",), Kind.PICTURE, "image_id", "image"),
)


@dataclass(frozen=True, slots=True)
class Blob:
    """One blob as it was found: `owner` may be None of a row whose face is gone."""

    table: BlobTable
    row: int
    model_hash: str
    owner: str | int
    sealed: bytes

    def opened(self, seal: Seal) -> bytes:
        """What it hides; raises StoreError."""
        return seal.open(self.table.kind, self.owner, self.sealed, self.model_hash)


def every_blob(connection: sqlite3.Connection) -> Iterator[Blob]:
    """All of them, one at a time: each may be hundreds of kilobytes."""
    for table in BLOB_TABLES:
        for row, model_hash, owner in table.places(connection):
            sealed = table.read(connection, row, model_hash)
            if sealed is not None:
                yield Blob(table, row, model_hash, owner, sealed)


def count_blobs(connection: sqlite3.Connection) -> int:
    """How many there are."""
    return sum(
        connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608
        for table in BLOB_TABLES
    )


def has_blobs(connection: sqlite3.Connection) -> bool:
    """Whether there is any."""
    return any(
        connection.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone()  # noqa: S608
        for table in BLOB_TABLES
    )
