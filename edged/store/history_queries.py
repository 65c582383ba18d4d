"""What is asked of a namespace's history, and how its rows become values. To be called in a transaction."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import UNSET

from edged.api.requests import Search
from edged.domain.history import StoredFace
from edged.domain.identity import Identity
from edged.domain.job import WireBox
from edged.store.group_queries import Group, group_of
from edged.store.history_search import Found, Place, found, holders, page
from edged.store.namespace_queries import identity_of
from edged.store.sealing import Kind, opened_or_none, seal_of

MOST_GROUP_FACES: Final = 64
"""Of a group, the newest are told."""

JOBS: Final = Place("job", feed="feed_id", custom="custom_id")
SEEN_FACES: Final = Place("seen_face", feed="feed_id", custom="custom_id")
FILED_FACES: Final = Place("face", only="NOT EXISTS (SELECT 1 FROM seen_face WHERE enrolled = face.number)")
"""Enrolled faces that were seen in no job: they have no feed and no customId."""
IDENTITIES: Final = Place("identity", custom="custom_id")
GROUPS: Final = Place("unknown_group", created="first_seen_ms")

_SEEN: Final = """
    SELECT seen.id, seen.custom_id, seen.feed_id, seen.identity_id, seen.enrolled IS NOT NULL, box,
           detection_score,
           (SELECT unknown_group.id FROM group_track
            JOIN unknown_group ON unknown_group.number = unknown_group WHERE group_track.id = track_id),
           is_frontal, sharpness, width_px, height_px, seen.created_ms, job_id, image_id, track_id,
           seen.quality, face.source,
           EXISTS (SELECT 1 FROM chip WHERE chip.face = enrolled)
           OR EXISTS (SELECT 1 FROM seen_chip WHERE seen_chip.face = seen.number),
           CASE WHEN enrolled IS NULL
                THEN (SELECT group_concat(model_hash) FROM seen_embedding AS made
                      WHERE made.face = seen.number)
                ELSE (SELECT group_concat(model_hash) FROM embedding WHERE embedding.face = enrolled) END
    FROM seen_face AS seen LEFT JOIN face ON face.number = enrolled
"""

_FILED: Final = """
    SELECT face.id, NULL, NULL, identity.id, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, face.created_ms,
           NULL, NULL, NULL, quality, source, EXISTS (SELECT 1 FROM chip WHERE chip.face = face.number),
           (SELECT group_concat(model_hash) FROM embedding WHERE embedding.face = face.number)
    FROM face JOIN identity ON identity.number = face.identity
"""


def job(connection: sqlite3.Connection, job_id: str) -> bytes | None:
    """A job's JSON."""
    row = connection.execute("SELECT body FROM job WHERE id = ?", (job_id,)).fetchone()
    return row[0] if row else None


def jobs(connection: sqlite3.Connection, search: Search) -> list[bytes]:
    """The JSON of the jobs that a search means."""
    rows = page(search, found(connection, JOBS, search))
    return [
        connection.execute("SELECT body FROM job WHERE number = ?", (number,)).fetchone()[0]
        for _, _, number in rows
    ]


def faces(connection: sqlite3.Connection, search: Search) -> list[StoredFace]:
    """The faces that a search means: seen ones, enrolled ones, and those that are both once."""
    rows = page(search, found(connection, SEEN_FACES, search), found(connection, FILED_FACES, search))
    return faces_by(connection, [face_id for _, face_id, _ in rows])


def faces_by(connection: sqlite3.Connection, face_ids: Sequence[str]) -> list[StoredFace]:
    """The faces with these ids, in their order, without those that are not there."""
    wanted = list(dict.fromkeys(face_ids))
    by_id: dict[str, StoredFace] = {}
    for few in (wanted[start : start + 500] for start in range(0, len(wanted), 500)):
        for statement, name in ((_FILED, "face.id"), (_SEEN, "seen.id")):
            # A face that is both comes last as seen: more is known of it so.
            rows = connection.execute(f"{statement} WHERE {name} IN ({holders(len(few))})", few)
            by_id |= {row[0]: _face(row) for row in rows}
    return [by_id[face_id] for face_id in wanted if face_id in by_id]


def faces_of_identity(connection: sqlite3.Connection, identity_id: str) -> list[StoredFace]:
    """The faces that stand for somebody, in the order in which they were enrolled."""
    rows = connection.execute(
        "SELECT face.id FROM face JOIN identity ON identity.number = face.identity"
        " WHERE identity.id = ? ORDER BY face.number",
        (identity_id,),
    )
    return faces_by(connection, [row[0] for row in rows])


def faces_of_group(connection: sqlite3.Connection, group: Group) -> list[StoredFace]:
    """The faces seen in a group's tracks, the newest MOST_GROUP_FACES, the newest first."""
    rows = connection.execute(
        "SELECT seen_face.id FROM group_track JOIN seen_face ON seen_face.track_id = group_track.id"
        " WHERE unknown_group = ? ORDER BY created_ms DESC, seen_face.id DESC LIMIT ?",
        (group.number, MOST_GROUP_FACES),
    )
    return faces_by(connection, [row[0] for row in rows])


def identities(connection: sqlite3.Connection, search: Search) -> list[Identity]:
    """The identities that a search means. A feed asks for those with an enrolled face that was seen there."""
    there = (
        "EXISTS (SELECT 1 FROM face JOIN seen_face ON enrolled = face.number"
        " WHERE face.identity = identity.number AND feed_id {})"
    )
    rows = _by_feed(connection, IDENTITIES, search, there)
    people = (identity_of(connection, identity_id) for _, identity_id, _ in rows)
    return [person for person in people if person is not None]


def groups(connection: sqlite3.Connection, search: Search) -> list[Group]:
    """The groups that a search means. A feed asks for those with a track there; none has a customId."""
    there = "EXISTS (SELECT 1 FROM group_track WHERE unknown_group = unknown_group.number AND feed_id {})"
    rows = _by_feed(connection, GROUPS, search, there)
    found_groups = (group_of(connection, group_id) for _, group_id, _ in rows)
    return [group for group in found_groups if group is not None]


def face_png(connection: sqlite3.Connection, face_id: str) -> bytes | None:
    """A face's aligned crop as PNG; None where none is kept, it does not open, or the face is not there."""
    for sql in (
        "SELECT png FROM face JOIN chip ON chip.face = face.number WHERE id = ?",
        "SELECT png FROM seen_face JOIN seen_chip ON seen_chip.face = seen_face.number WHERE id = ?",
    ):
        row = connection.execute(sql, (face_id,)).fetchone()
        if row:
            return opened_or_none(seal_of(connection), Kind.FACE_CHIP, face_id, row[0])
    return None


def picture(connection: sqlite3.Connection, image_id: str) -> bytes | None:
    """The whole picture of one image of a job, JPEG; None where none is kept, or it does not open."""
    row = connection.execute("SELECT jpeg FROM picture WHERE image_id = ?", (image_id,)).fetchone()
    return opened_or_none(seal_of(connection), Kind.PICTURE, image_id, row[0]) if row else None


def _by_feed(connection: sqlite3.Connection, place: Place, search: Search, there: str) -> list[Found]:
    """Search rows whose feeds are those of other rows: `there` says how, with a place for which feed."""
    asked = search.feed_ids
    more: list[tuple[str, Sequence[object]]] = []
    if isinstance(asked, tuple):
        more.append((there.format(f"IN ({holders(len(asked))})"), asked))
    elif asked is None:
        more.append((f"NOT {there.format('IS NOT NULL')}", ()))
    plain = msgspec.structs.replace(search, feed_ids=UNSET)
    return page(search, found(connection, place, plain, more))


def _face(row: tuple[object, ...]) -> StoredFace:
    values = list(row)
    values[4] = bool(row[4])
    values[5] = _box(row[5])
    values[8] = None if row[8] is None else bool(row[8])
    values[18] = bool(row[18])
    values[19] = tuple(sorted(str(row[19]).split(","))) if row[19] else ()
    return StoredFace(*values)  # type: ignore[arg-type] # (the columns are in its order)


def _box(text: object) -> WireBox | None:
    if text is None:
        return None
    x_min, y_min, x_max, y_max = msgspec.json.decode(str(text), type=tuple[float | int, ...])
    return WireBox(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)


def known_among(connection: sqlite3.Connection, face_ids: Iterable[str]) -> set[str]:
    """Those of the ids that are of a seen face already."""
    return {
        face_id
        for face_id in face_ids
        if connection.execute("SELECT 1 FROM seen_face WHERE id = ?", (face_id,)).fetchone()
    }
