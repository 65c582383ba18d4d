"""Faces seen before that come to stand for somebody, and that cease to; each within a change."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from edged.domain.errors import IdentityError
from edged.domain.history import SeenFace
from edged.domain.identity import NewFace
from edged.store.history_people import merge_people
from edged.store.history_writing import put_face
from edged.store.namespace_store import NamespaceStore


def enrol_faces(store: NamespaceStore, identity_id: str, face_ids: Sequence[str], model_hash: str) -> None:
    """Let seen faces stand for somebody; those that do already are passed over.

    Raises IdentityError for a face that is not there, is somebody else's, or has no embedding of the model.
    """
    for face_id in dict.fromkeys(face_ids):
        owner = _owner(store.connection, face_id)
        if owner == identity_id:
            continue
        if owner is not None:
            raise IdentityError(
                f"the face {face_id} is enrolled as {owner} already", remedy="Remove it from there first."
            )
        _enrol(store, identity_id, face_id, model_hash)


def take_faces_out(
    connection: sqlite3.Connection, identity_id: str, face_ids: Sequence[str], now_ms: int
) -> bool:
    """Let faces stand for somebody no more; whether one was deleted, which was seen in no job.

    Raises IdentityError for a face that does not stand for them.
    """
    is_deleted = False
    for face_id in dict.fromkeys(face_ids):
        if _owner(connection, face_id) != identity_id:
            raise IdentityError(f"the face {face_id} does not stand for {identity_id}")
        ((number,),) = connection.execute("SELECT number FROM face WHERE id = ?", (face_id,)).fetchall()
        seen = connection.execute("SELECT number FROM seen_face WHERE enrolled = ?", (number,)).fetchone()
        if seen is None:
            is_deleted = True
        else:
            _move(connection, ("chip", number), ("seen_chip", seen[0]))
            _move(connection, ("embedding", number), ("seen_embedding", seen[0]))
            # Retention begins anew: it might be past its time, and gone before anybody can put it elsewhere.
            connection.execute("UPDATE seen_face SET kept_ms = ? WHERE number = ?", (now_ms, seen[0]))
        connection.execute("DELETE FROM face WHERE number = ?", (number,))
        if seen is not None:
            # Of a track whose person was removed meanwhile nothing is kept that is nobody's.
            is_deleted |= bool(
                connection.execute(
                    "DELETE FROM seen_face WHERE number = ?"
                    " AND track_id IN (SELECT track_id FROM erased_track)",
                    (seen[0],),
                ).rowcount
            )
    return is_deleted


def enrol_picture(store: NamespaceStore, identity_id: str, new: NewFace, seen: SeenFace, now_ms: int) -> None:
    """Enrol a face of a picture that was sent for that, and keep where in the picture it was."""
    bare = replace(seen, embedding=None, chip=None)
    put_face(store.connection, bare, None, now_ms, job_id=None, now=None)
    number = store.insert_face(identity_id, new.quality, new.source, seen.created_ms, face_id=seen.id)
    store.keep_of_face(number, new)


def merge_identity(store: NamespaceStore, merged: str, heir: str, revision: int, now_ms: int) -> None:
    """Give all that is somebody's to somebody else; what is left of them is a tombstone that says to whom.

    Raises IdentityError for somebody who is not enrolled.
    """
    connection = store.connection
    store.get(merged)
    connection.execute(
        "UPDATE face SET identity = (SELECT number FROM identity WHERE id = ?)"
        " WHERE identity = (SELECT number FROM identity WHERE id = ?)",
        (heir, merged),
    )
    merge_people(connection, merged, heir, store.get(heir).name)
    connection.execute("DELETE FROM identity WHERE id = ?", (merged,))
    connection.execute("UPDATE tombstone SET heir = ? WHERE heir = ?", (heir, merged))
    connection.execute(
        "INSERT OR REPLACE INTO tombstone (identity_id, revision, removed_ms, heir) VALUES (?, ?, ?, ?)",
        (merged, revision, now_ms, heir),
    )


def _owner(connection: sqlite3.Connection, face_id: str) -> str | None:
    """Whom a face stands for."""
    row = connection.execute(
        "SELECT identity.id FROM face JOIN identity ON identity.number = face.identity WHERE face.id = ?",
        (face_id,),
    ).fetchone()
    return row[0] if row else None


def _enrol(store: NamespaceStore, identity_id: str, face_id: str, model_hash: str) -> None:
    connection = store.connection
    row = connection.execute(
        "SELECT number, coalesce(quality, 0), feed_id, created_ms, EXISTS"
        " (SELECT 1 FROM seen_embedding WHERE face = number AND model_hash = ?) FROM seen_face WHERE id = ?",
        (model_hash, face_id),
    ).fetchone()
    if row is None:
        raise IdentityError(
            f"there is no face {face_id}", remedy="Faces are kept for a while only: see `history.faces`."
        )
    number, quality, feed_id, created_ms, is_embedded = row
    if not is_embedded:
        raise IdentityError(f"the face {face_id} was not good enough to be embedded", remedy="Take another.")
    source = "a request" if feed_id is None else f"feed {feed_id}"
    enrolled = store.insert_face(identity_id, quality, source, created_ms, face_id=face_id)
    _move(connection, ("seen_chip", number), ("chip", enrolled))
    _move(connection, ("seen_embedding", number), ("embedding", enrolled))


def _move(connection: sqlite3.Connection, source: tuple[str, int], target: tuple[str, int]) -> None:
    """Move the rows of a face from one table to one of the same columns."""
    columns = "png" if source[0].endswith("chip") else "model_hash, vector"
    connection.execute(
        f"INSERT INTO {target[0]} (face, {columns}) SELECT ?, {columns} FROM {source[0]} WHERE face = ?",  # noqa: S608
        (target[1], source[1]),
    )
    connection.execute(f"DELETE FROM {source[0]} WHERE face = ?", (source[1],))  # noqa: S608
