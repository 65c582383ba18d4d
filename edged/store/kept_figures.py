"""How much a namespace's database keeps, of what, since when; and how much of one person. Only reads."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_WHOLE: Final = {
    "people": "SELECT count(*), NULL, min(created_ms), max(updated_ms) FROM identity",
    "faces": "SELECT count(*), NULL, min(created_ms), max(created_ms) FROM face",
    "crops": (
        "SELECT count(*), coalesce(sum(length(png)), 0), min(created_ms), max(created_ms)"
        " FROM chip JOIN face ON face.number = chip.face"
    ),
    "embeddings": (
        "SELECT count(*), coalesce(sum(length(vector)), 0), min(created_ms), max(created_ms)"
        " FROM embedding JOIN face ON face.number = embedding.face"
    ),
    "unknownPeople": "SELECT count(*), NULL, min(kept_ms), max(kept_ms) FROM unknown_group",
    "unknownTracks": "SELECT count(*), NULL, min(first_seen_ms), max(last_seen_ms) FROM group_track",
    "unknownFaces": (
        "SELECT count(*), coalesce((SELECT sum(length(png)) FROM group_chip), 0), min(at_ms), max(at_ms)"
        " FROM group_face"
    ),
    "jobs": "SELECT count(*), coalesce(sum(length(body)), 0), min(kept_ms), max(kept_ms) FROM job",
    "seenFaces": (
        "SELECT count(*), coalesce((SELECT sum(length(png)) FROM seen_chip), 0), min(kept_ms), max(kept_ms)"
        " FROM seen_face WHERE enrolled IS NULL"
    ),
    "pictures": "SELECT count(*), coalesce(sum(length(jpeg)), 0), min(kept_ms), max(kept_ms) FROM picture",
    "tombstones": "SELECT count(*), NULL, min(removed_ms), max(removed_ms) FROM tombstone",
}

_OF_PERSON: Final = {
    "faces": (
        "SELECT count(*), NULL, min(face.created_ms), max(face.created_ms) FROM face"
        " JOIN identity ON identity.number = face.identity WHERE identity.id = ?1"
    ),
    "crops": (
        "SELECT count(*), coalesce(sum(length(png)), 0), min(face.created_ms), max(face.created_ms)"
        " FROM identity JOIN face ON identity.number = face.identity"
        " JOIN chip ON chip.face = face.number WHERE identity.id = ?1"
    ),
    "embeddings": (
        "SELECT count(*), coalesce(sum(length(vector)), 0), min(face.created_ms), max(face.created_ms)"
        " FROM identity JOIN face ON identity.number = face.identity"
        " JOIN embedding ON embedding.face = face.number WHERE identity.id = ?1"
    ),
    "jobs": (
        "SELECT count(*), NULL, min(kept_ms), max(kept_ms) FROM job WHERE number IN"
        " (SELECT job FROM job_identity WHERE identity_id = ?1)"
    ),
    "seenFaces": (
        "SELECT count(*), coalesce(sum((SELECT length(png) FROM seen_chip WHERE face = number)), 0),"
        " min(kept_ms), max(kept_ms) FROM seen_face WHERE enrolled IS NULL AND identity_id = ?1"
    ),
    "pictures": (
        "SELECT count(*), coalesce(sum(length(jpeg)), 0), min(kept_ms), max(kept_ms) FROM picture"
        " WHERE image_id IN (SELECT image_id FROM seen_face WHERE identity_id = ?1)"
    ),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of something is kept.

    Attributes:
        what: `people`, `faces`, `crops`, `embeddings`, `unknownPeople`, `jobs` and so on.
        number: how many.
        size_bytes: of their crops, pictures or bodies; None of what is small.
        oldest_ms, newest_ms: by the time that retention goes by; None where there is none.
    """

    what: str
    number: int
    size_bytes: int | None
    oldest_ms: int | None
    newest_ms: int | None


def kept_of_all(connection: sqlite3.Connection) -> list[Kept]:
    """Everything, a line a kind. To be called in a reader's transaction, as the others."""
    return _asked(connection, _WHOLE, ())


def kept_of_person(connection: sqlite3.Connection, identity_id: str) -> list[Kept]:
    """What is kept of one person."""
    return _asked(connection, _OF_PERSON, (identity_id,))


def feeds_of_person(connection: sqlite3.Connection, identity_id: str) -> list[str]:
    """Where what is kept of a person's appearances was seen."""
    rows = connection.execute(
        "SELECT feed_id FROM seen_face WHERE identity_id = ?1 UNION SELECT feed_id FROM job WHERE number IN"
        " (SELECT job FROM job_identity WHERE identity_id = ?1)",
        (identity_id,),
    )
    return sorted(row[0] for row in rows if row[0] is not None)


def is_encrypted(connection: sqlite3.Connection) -> bool:
    """Whether pictures and embeddings are encrypted in the file."""
    row = connection.execute("SELECT salt IS NOT NULL FROM sealing").fetchone()
    return bool(row and row[0])


def _asked(connection: sqlite3.Connection, questions: dict[str, str], values: Sequence[object]) -> list[Kept]:
    return [Kept(what, *connection.execute(sql, values).fetchone()) for what, sql in questions.items()]
