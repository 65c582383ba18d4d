"""Where pictures and embeddings stand in a namespace's database, and whose each is."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from edged.store.sealing import Kind, Seal

Row: TypeAlias = tuple[int | str, ...]
"""The values of a primary key."""


@dataclass(frozen=True, slots=True)
class BlobTable:
    """A table whose blobs are sealed where the file is.

    Attributes:
        name: of the table.
        blob: its column.
        key: its primary key, one column or two.
        kind: what the blobs are.
        owner: SQL of whose a blob is, of the row `one`.
        words: what a finding calls the owner.
        model: SQL of the model's hash, or of nothing.
    """

    name: str
    blob: str
    key: tuple[str, ...]
    kind: Kind
    owner: str
    words: str
    model: str = "''"

    def places(self, connection: sqlite3.Connection) -> list[tuple[Row, str, str | int]]:
        """Of every blob: its row, its model's hash or nothing, whose it is."""
        keys = ", ".join(self.key)
        found = connection.execute(
            f"SELECT {self.model}, {self.owner}, {keys} FROM {self.name} AS one"  # noqa: S608
            f" WHERE {self.blob} IS NOT NULL ORDER BY {keys}"
        )
        return [(tuple(row), model_hash, owner) for model_hash, owner, *row in found]

    def read(self, connection: sqlite3.Connection, row: Row) -> bytes | None:
        """One blob as it is on the disk; None where it is gone."""
        found = connection.execute(
            f"SELECT {self.blob} FROM {self.name} WHERE {self._where}",  # noqa: S608
            row,
        ).fetchone()
        return found[0] if found else None

    def write(self, connection: sqlite3.Connection, row: Row, blob: bytes) -> None:
        """Exchange one blob."""
        connection.execute(
            f"UPDATE {self.name} SET {self.blob} = ? WHERE {self._where}",  # noqa: S608
            (blob, *row),
        )

    def delete(self, connection: sqlite3.Connection, row: Row) -> None:
        """Delete one blob with its row."""
        connection.execute(f"DELETE FROM {self.name} WHERE {self._where}", row)  # noqa: S608

    def count(self, connection: sqlite3.Connection) -> int:
        """How many blobs there are."""
        ((count,),) = connection.execute(f"SELECT count({self.blob}) FROM {self.name}")  # noqa: S608
        return int(count)

    @property
    def _where(self) -> str:
        return " AND ".join(f"{column} = ?" for column in self.key)


_FACE: Final = "(SELECT id FROM face WHERE number = one.face)"
_SEEN_FACE: Final = "(SELECT id FROM seen_face WHERE number = one.face)"
_MODEL: Final = "model_hash"
_OF_FACE: Final = ("face", _MODEL)

BLOB_TABLES: Final = (
    BlobTable("chip", "png", ("face",), Kind.FACE_CHIP, _FACE, "face"),
    BlobTable("embedding", "vector", _OF_FACE, Kind.FACE_EMBEDDING, _FACE, "face", _MODEL),
    BlobTable("seen_chip", "png", ("face",), Kind.FACE_CHIP, _SEEN_FACE, "seen face"),
    BlobTable("seen_embedding", "vector", _OF_FACE, Kind.FACE_EMBEDDING, _SEEN_FACE, "seen face", _MODEL),
    BlobTable("group_chip", "png", ("face",), Kind.GROUP_CHIP, "face", "a group's face"),
    BlobTable("group_embedding", "vector", _OF_FACE, Kind.GROUP_EMBEDDING, "face", "a group's face", _MODEL),
    BlobTable(
        "group_track_embedding",
        "vector",
        ("track", _MODEL),
        Kind.TRACK_MEAN,
        "track",
        "a group's track",
        _MODEL,
    ),
    BlobTable(
        "sync_group_elsewhere",
        "vector",
        ("number",),
        Kind.SHARED_MEAN,
        "number",
        "a group of another node",
        _MODEL,
    ),
    BlobTable("picture", "jpeg", ("number",), Kind.PICTURE, "image_id", "image"),
    # What a member proposes, faces and all, while it waits for the owner.
    BlobTable(
        "sync_proposed",
        "wanted",
        ("node", "number"),
        Kind.PROPOSAL,
        "node || char(0) || number",
        "the proposal of",
    ),
)


@dataclass(frozen=True, slots=True)
class Blob:
    """One blob as it was found: `owner` may be None of a row whose face is gone."""

    table: BlobTable
    row: Row
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
            sealed = table.read(connection, row)
            if sealed is not None:
                yield Blob(table, row, model_hash, owner, sealed)


def count_blobs(connection: sqlite3.Connection) -> int:
    """How many there are."""
    return sum(table.count(connection) for table in BLOB_TABLES)


def has_blobs(connection: sqlite3.Connection) -> bool:
    """Whether there is any."""
    return any(
        connection.execute(
            f"SELECT 1 FROM {table.name} WHERE {table.blob} IS NOT NULL LIMIT 1"  # noqa: S608
        ).fetchone()
        for table in BLOB_TABLES
    )
