"""What one change of a member's own is, and what several of one person want together."""

import sqlite3
from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec

from edged.replication.people import SharedFace
from edged.replication.statements import Wanted
from edged.store.sync_records import shared_person

NEW: Final = "new"

Change: TypeAlias = tuple[int, str, str | None]
"""The number, the kind and the face's id of a row of `sync_change`."""


def fitting(
    connection: sqlite3.Connection,
    identity_id: str,
    rows: list[Change],
    most_bytes: int,
) -> list[int]:
    """The numbers of the changes that go into one proposal: all but faces that have no room, at least one."""
    sizes = dict(
        connection.execute(
            "SELECT face.id, 400 + coalesce((SELECT max(length(vector)) FROM embedding"
            " WHERE face = face.number), 0) + coalesce((SELECT length(png) FROM chip"
            " WHERE face = face.number), 0) FROM face"
            " JOIN identity ON identity.number = face.identity WHERE identity.id = ?",
            (identity_id,),
        )
    )
    left, numbers, counted = most_bytes, [], set[str]()
    if any(kind == NEW for _, kind, _ in rows):
        # A new person's faces may be logged besides; of one who was here before the node joined they are not.
        _log_faces(connection, identity_id, sizes)
        rows = changes(connection, "identity_id = ? AND proposal IS NULL", (identity_id,))
    for number, kind, face_id in rows:
        size = sizes.get(face_id or "", 0) if kind == "face" and face_id not in counted else 0
        if size > left and counted:
            # At least one goes, or a face that is larger than a proposal would hold up all others.
            continue
        left -= size
        numbers.append(number)
        if kind == "face" and face_id is not None:
            counted.add(face_id)
    return numbers


def _log_faces(connection: sqlite3.Connection, identity_id: str, faces: Iterable[str]) -> None:
    connection.executemany(
        "INSERT INTO sync_change (identity_id, kind, face_id) SELECT ?1, 'face', ?2 WHERE NOT EXISTS"
        " (SELECT 1 FROM sync_change WHERE identity_id = ?1 AND face_id = ?2)",
        [(identity_id, face_id) for face_id in faces],
    )


def wanted(
    connection: sqlite3.Connection,
    identity_id: str,
    rows: list[Change],
    model: str,
    *,
    with_chips: bool,
) -> Wanted:
    """What these changes of a person want, of the person as they are now; raises StoreError."""
    try:
        person = shared_person(connection, identity_id, model, with_chips=with_chips)
    except LookupError:
        heir = connection.execute(
            "SELECT heir FROM tombstone WHERE identity_id = ?", (identity_id,)
        ).fetchone()
        return Wanted(
            identity_id=identity_id, model=model, remove=True, heir=None if heir is None else heir[0]
        )
    kinds = {kind for _, kind, _ in rows}
    is_new = NEW in kinds
    last = {face_id: kind for _, kind, face_id in rows if face_id is not None}
    present = {face.id: face for face in person.faces}
    added: list[SharedFace] = [
        present[each] for each, kind in last.items() if kind == "face" and each in present
    ]
    return Wanted(
        identity_id=identity_id,
        model=model,
        created_ms=person.created_ms if is_new else None,
        name=person.name if is_new or "name" in kinds else None,
        custom_id=(person.custom_id or "") if "custom id" in kinds or (is_new and person.custom_id) else None,
        add_faces=msgspec.msgpack.encode(added) if added else b"",
        remove_faces=tuple(each for each in last if each not in present),
    )


def changes(connection: sqlite3.Connection, condition: str, values: tuple[object, ...]) -> list[Change]:
    """The changes that meet a condition, in their order."""
    return connection.execute(
        f"SELECT number, kind, face_id FROM sync_change WHERE {condition} ORDER BY number",  # noqa: S608 (constants)
        values,
    ).fetchall()


def is_here(connection: sqlite3.Connection, identity_id: str) -> bool:
    """Whether somebody is enrolled."""
    return connection.execute("SELECT 1 FROM identity WHERE id = ?", (identity_id,)).fetchone() is not None
