"""What is asked of a namespace's database, and how its rows become values of the domain."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from edged.domain.identity import EnrolledFace, GalleryChange, Identity, IdentityFaces
from edged.store.database import path_of
from edged.store.namespace_chips import embeddings_from_bytes, stored_chip
from edged.store.sealing import Kind, Seal, opened_or_none, seal_of

_LOG: Final = logging.getLogger(__name__)

_GALLERY = """
    SELECT identity.id, name, custom_id, identity.created_ms, updated_ms,
           (SELECT count(*) FROM face AS each WHERE each.identity = identity.number), face.id, vector
    FROM identity
    LEFT JOIN face ON face.identity = identity.number
    LEFT JOIN embedding ON embedding.face = face.number AND model_hash = ?{}
    WHERE identity.revision > ? ORDER BY identity.number, face.number
"""
_BUT_WITHHELD = " AND NOT EXISTS (SELECT 1 FROM sync_withheld WHERE sync_withheld.face = face.number)"

_IDENTITY = """
    SELECT id, name, custom_id, created_ms, updated_ms,
           (SELECT count(*) FROM face WHERE face.identity = identity.number)
    FROM identity
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The one row that counts.

    Attributes:
        revision: counts the changes.
        erased_revision: the revision of the last removal.
    """

    revision: int
    erased_revision: int


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """A face with everything that is kept of it, as an archive carries it.

    Attributes:
        id: UUID.
        quality: 0 to 1.
        source: where it came from.
        created_ms: UTC milliseconds.
        png: the chip as PNG, or None.
        vectors: (model_hash, little-endian float32) of each model, in the order of the hashes.
    """

    id: str
    quality: float
    source: str
    created_ms: int
    png: bytes | None
    vectors: tuple[tuple[str, bytes], ...]


def ledger(connection: sqlite3.Connection) -> Ledger:
    """Where the namespace stands."""
    return Ledger(*connection.execute("SELECT revision, erased_revision FROM ledger").fetchone())


def identities(connection: sqlite3.Connection) -> list[Identity]:
    """Everybody, by name, then by age."""
    rows = connection.execute(f"{_IDENTITY} ORDER BY name COLLATE NOCASE, name, created_ms, id")
    return [Identity(*row) for row in rows]


def identity_of(connection: sqlite3.Connection, identity_id: str) -> Identity | None:
    """One person by id."""
    row = connection.execute(f"{_IDENTITY} WHERE id = ?", (identity_id,)).fetchone()
    return Identity(*row) if row else None


def faces_of(connection: sqlite3.Connection, identity_id: str, model_hash: str) -> list[EnrolledFace]:
    """A person's faces that have an embedding of the model, the oldest first."""
    rows = connection.execute(
        """
        SELECT face.number, face.id, quality, source, face.created_ms, vector
        FROM face JOIN identity ON identity.number = face.identity
        JOIN embedding ON embedding.face = face.number AND model_hash = ?
        WHERE identity.id = ? ORDER BY face.number
        """,
        (model_hash, identity_id),
    ).fetchall()
    seal = seal_of(connection)
    return [
        EnrolledFace(
            id=face_id,
            identity_id=identity_id,
            model_hash=model_hash,
            embedding=embeddings_from_bytes([seal.open(Kind.FACE_EMBEDDING, face_id, vector, model_hash)])[0],
            chip=stored_chip(connection, number),
            quality=quality,
            source=source,
            created_ms=created_ms,
        )
        for number, face_id, quality, source, created_ms, vector in rows
    ]


def face_records(
    connection: sqlite3.Connection, identity_id: str, *, without_broken: bool = False
) -> Iterator[FaceRecord]:
    """A person's faces with all that is kept of each, the oldest first, one at a time.

    Raises StoreError for a chip or an embedding that does not open; `without_broken` leaves such out.
    """
    rows = connection.execute(
        """
        SELECT face.number, face.id, quality, source, face.created_ms
        FROM face JOIN identity ON identity.number = face.identity
        WHERE identity.id = ? ORDER BY face.number
        """,
        (identity_id,),
    ).fetchall()
    opened: Callable[..., bytes | None] = seal_of(connection).open
    if without_broken:
        opened = partial(opened_or_none, seal_of(connection))
    for number, face_id, quality, source, created_ms in rows:
        chip = connection.execute("SELECT png FROM chip WHERE face = ?", (number,)).fetchone()
        png = opened(Kind.FACE_CHIP, face_id, chip[0]) if chip else None
        vectors = [
            (model_hash, opened(Kind.FACE_EMBEDDING, face_id, vector, model_hash))
            for model_hash, vector in connection.execute(
                "SELECT model_hash, vector FROM embedding WHERE face = ? ORDER BY model_hash", (number,)
            ).fetchall()
        ]
        present = tuple((model_hash, vector) for model_hash, vector in vectors if vector is not None)
        yield FaceRecord(face_id, quality, source, created_ms, png, present)


def changes_since(connection: sqlite3.Connection, revision: int, model_hash: str) -> GalleryChange | None:
    """See `NamespaceStore.changes_since`. To be called in a reader's transaction."""
    present = ledger(connection).revision
    if present == revision:
        return None
    since = revision if revision < present else 0
    # Asked apart: the query for everybody is no slower where nothing is withheld.
    ((is_withholding,),) = connection.execute("SELECT EXISTS (SELECT 1 FROM sync_withheld)")
    rows = connection.execute(_GALLERY.format(_BUT_WITHHELD if is_withholding else ""), (model_hash, since))
    seal = seal_of(connection)
    broken: list[str] = []
    changed: list[IdentityFaces] = []
    removed: list[str] = []
    for _, group in groupby(rows, key=itemgetter(0)):
        faces = list(group)
        vectors = _opened(seal, [row[6:] for row in faces if row[7] is not None], model_hash, broken)
        if vectors:
            changed.append(IdentityFaces(Identity(*faces[0][:6]), embeddings_from_bytes(vectors)))
        elif since:
            removed.append(faces[0][0])
    if since:
        removed += _first_column(
            connection.execute(
                "SELECT identity_id FROM tombstone WHERE revision > ? ORDER BY revision, identity_id",
                (since,),
            )
        )
    if broken:
        _LOG.error(
            "%s: the embeddings of %d faces do not open: they were altered, and the faces are passed over;"
            " `edged doctor --fsck` names them",
            path_of(connection),
            len(broken),
        )
    return GalleryChange(present, tuple(changed), tuple(removed))


def _opened(seal: Seal, faces: list[tuple[str, bytes]], model_hash: str, broken: list[str]) -> list[bytes]:
    """The vectors of (face id, blob); faces whose blob does not open are added to `broken`."""
    vectors = []
    for face_id, blob in faces:
        vector = opened_or_none(seal, Kind.FACE_EMBEDDING, face_id, blob, model_hash)
        if vector is None:
            broken.append(face_id)
        else:
            vectors.append(vector)
    return vectors


def without_model(connection: sqlite3.Connection, model_hash: str) -> list[Identity]:
    """People who have faces, and none with an embedding of the model."""
    rows = connection.execute(
        _IDENTITY  # noqa: S608 (a constant of this module)
        + """
        WHERE EXISTS (SELECT 1 FROM face WHERE face.identity = identity.number) AND NOT EXISTS (
            SELECT 1 FROM face JOIN embedding ON embedding.face = face.number AND model_hash = ?
            WHERE face.identity = identity.number
        ) ORDER BY name, id
        """,
        (model_hash,),
    )
    return [Identity(*row) for row in rows]


def models(connection: sqlite3.Connection) -> dict[str, int]:
    """How many faces have an embedding of each model, by its hash."""
    return dict(
        connection.execute(
            "SELECT model_hash, count(*) FROM embedding GROUP BY model_hash ORDER BY 2 DESC, 1"
        )
    )


def _first_column(rows: sqlite3.Cursor) -> list[Any]:
    return [row[0] for row in rows]
