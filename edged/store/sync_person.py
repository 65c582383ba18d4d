"""Having one person's rows be what an epoch says of them, within the transaction that applies it."""

import sqlite3
from dataclasses import dataclass, field

from edged.domain.errors import IdentityError
from edged.domain.identity import checked_custom_id, checked_name
from edged.replication.people import SharedFace, SharedPerson, bucket_of
from edged.replication.refusal import Refusal, RefusedError
from edged.store.sealing import Kind, seal_of
from edged.store.sync_records import shared_person

_ID_LENGTH = 36
_MOST_MS = 2**53
_SOURCE_LIMIT = 300
_VECTOR_BYTES = range(64, 16_385, 4)


@dataclass(slots=True)
class Terms:
    """How an epoch is applied, and what came of it so far.

    Attributes:
        revision: that changes are stamped with.
        model: hash of the embedder that its vectors are of.
        with_chips: its people have their crops with them.
        custom_ids: given at the end, when nobody has one any more who is to lose it: (id, customId).
        changed: how many people are new or changed.
        faces_removed: how many faces went from people who stay.
    """

    revision: int
    model: str
    with_chips: bool
    custom_ids: list[tuple[str, str]] = field(default_factory=list)
    changed: int = 0
    faces_removed: int = 0


def require_sound(people: tuple[SharedPerson, ...], bucket: int, buckets: int) -> None:
    """Raise RefusedError (MALFORMED) where a bucket's people cannot be kept as they are."""
    ids = [person.id for person in people]
    if ids != sorted(set(ids)):
        raise RefusedError(Refusal.MALFORMED, f"the people of bucket {bucket} are not in order")
    for person in people:
        face_ids = [face.id for face in person.faces]
        is_sound = (
            len(person.id) == _ID_LENGTH
            and bucket_of(person.id, buckets) == bucket
            and _is_named(person)
            and 0 <= person.created_ms <= _MOST_MS
            and 0 <= person.updated_ms <= _MOST_MS
            and face_ids == sorted(set(face_ids))
            and all(_is_sound(face) for face in person.faces)
        )
        if not is_sound:
            raise RefusedError(Refusal.MALFORMED, f"somebody in bucket {bucket} cannot be kept as they are")


def _is_named(person: SharedPerson) -> bool:
    try:
        is_kept_so = checked_name(person.name) == person.name
        return is_kept_so and (
            person.custom_id is None or checked_custom_id(person.custom_id) == person.custom_id
        )
    except IdentityError:
        return False


def _is_sound(face: SharedFace) -> bool:
    return (
        len(face.id) == _ID_LENGTH
        and 0 <= face.quality <= 1
        and len(face.source) <= _SOURCE_LIMIT
        and 0 <= face.created_ms <= _MOST_MS
        and (face.vector is None or len(face.vector) in _VECTOR_BYTES)
        and face.png != b""
    )


def person_here(connection: sqlite3.Connection, identity_id: str, terms: Terms) -> SharedPerson | None:
    """The person as the database has them; None where it has nobody of that id."""
    try:
        return shared_person(connection, identity_id, terms.model, with_chips=terms.with_chips)
    except LookupError:
        return None


def write_person(connection: sqlite3.Connection, person: SharedPerson, terms: Terms) -> None:
    """Have a person be as the epoch says; nothing is written where they are so already."""
    here = person_here(connection, person.id, terms)
    if here == person:
        return
    terms.changed += 1
    if here is None:
        _insert(connection, person, terms)
    else:
        connection.execute(
            "UPDATE identity SET name = ?, custom_id = NULL, created_ms = ?, updated_ms = ?, revision = ?"
            " WHERE id = ?",
            (person.name, person.created_ms, person.updated_ms, terms.revision, person.id),
        )
    if person.custom_id is not None:
        terms.custom_ids.append((person.id, person.custom_id))
    ((number,),) = connection.execute("SELECT number FROM identity WHERE id = ?", (person.id,)).fetchall()
    known = {} if here is None else {face.id: face for face in here.faces}
    listed = {face.id for face in person.faces}
    gone = [(face_id,) for face_id in known if face_id not in listed]
    connection.executemany("DELETE FROM face WHERE id = ?", gone)
    terms.faces_removed += len(gone)
    for face in person.faces:
        before = known.get(face.id)
        if before != face:
            _write_face(connection, number, face, terms)
            if terms.with_chips and before is not None and before.png not in {None, face.png} and face.png:
                _forget_other_vectors(connection, face.id, terms.model)


def give_custom_ids(connection: sqlite3.Connection, terms: Terms) -> None:
    """Give the customIds of the epoch, once all who are to lose theirs have lost them.

    Whoever has one of them and is not to be touched loses it: the authority gave it to somebody else.
    """
    for identity_id, custom_id in terms.custom_ids:
        connection.execute(
            "UPDATE identity SET custom_id = NULL, revision = ? WHERE custom_id = ? AND id <> ?",
            (terms.revision, custom_id, identity_id),
        )
        connection.execute("UPDATE identity SET custom_id = ? WHERE id = ?", (custom_id, identity_id))


def _insert(connection: sqlite3.Connection, person: SharedPerson, terms: Terms) -> None:
    connection.execute(
        "INSERT INTO identity (id, name, custom_id, created_ms, updated_ms, revision)"
        " VALUES (?, ?, NULL, ?, ?, ?)",
        (person.id, person.name, person.created_ms, person.updated_ms, terms.revision),
    )
    # They are back: no reader may be told both.
    connection.execute("DELETE FROM tombstone WHERE identity_id = ?", (person.id,))


def _forget_other_vectors(connection: sqlite3.Connection, face_id: str, model: str) -> None:
    """The crop is another one: what this node's own embedder made of the old one is out of date."""
    connection.execute(
        "DELETE FROM embedding WHERE face = (SELECT number FROM face WHERE id = ?) AND model_hash <> ?",
        (face_id, model),
    )


def _write_face(connection: sqlite3.Connection, identity: int, face: SharedFace, terms: Terms) -> None:
    """Have a face be this person's, whoever had it before."""
    connection.execute(
        "UPDATE identity SET revision = ?1 WHERE number = (SELECT identity FROM face WHERE id = ?2)",
        (terms.revision, face.id),
    )
    connection.execute(
        "INSERT INTO face (id, identity, quality, source, created_ms) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET identity = excluded.identity, quality = excluded.quality,"
        " source = excluded.source, created_ms = excluded.created_ms",
        (face.id, identity, face.quality, face.source, face.created_ms),
    )
    ((number,),) = connection.execute("SELECT number FROM face WHERE id = ?", (face.id,)).fetchall()
    seal = seal_of(connection)
    connection.execute("DELETE FROM embedding WHERE face = ? AND model_hash = ?", (number, terms.model))
    if face.vector is not None:
        vector = seal.close(Kind.FACE_EMBEDDING, face.id, face.vector, terms.model)
        connection.execute("INSERT INTO embedding VALUES (?, ?, ?)", (number, terms.model, vector))
    if terms.with_chips:
        connection.execute("DELETE FROM chip WHERE face = ?", (number,))
        if face.png is not None:
            png = seal.close(Kind.FACE_CHIP, face.id, face.png)
            connection.execute("INSERT INTO chip (face, png) VALUES (?, ?)", (number, png))
