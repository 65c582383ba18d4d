"""Writing down what was told of a job, but for people who were removed meanwhile.

A telling may have been on its way while somebody was removed: it says them still, or says of their track that
nobody knows who it is by now. Neither is written.
"""

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec

from edged.domain.history import HistoryEntry, JobPicture, SeenFace
from edged.domain.job import Job, JobImage, JobObject
from edged.store.namespace_chips import embedding_to_bytes
from edged.store.sealing import Kind, seal_of


@dataclass(frozen=True, slots=True)
class _Fates:
    """What became of the people and tracks of an entry.

    Attributes:
        gone: identities that were removed.
        heirs: who identities were merged into, by their ids.
        erased: tracks of people who were removed.
    """

    gone: frozenset[str]
    heirs: Mapping[str, str]
    erased: frozenset[str]

    def is_gone(self, identity_id: str | None, track_id: str) -> bool:
        """Whether what says this identity of this track must not be written."""
        if identity_id is None:
            return track_id in self.erased
        return identity_id in self.gone

    def present(self, identity_id: str | None) -> str | None:
        """Who an identity is by now."""
        return None if identity_id is None else self.heirs.get(identity_id, identity_id)


def write_entry(
    connection: sqlite3.Connection, entry: HistoryEntry, pngs: Mapping[str, bytes], now_ms: int
) -> None:
    """Write one telling, within a transaction; `pngs` are the chips of its faces, by the faces' ids."""
    fates = _fates(connection, entry, now_ms)
    job, hidden = _left_of(entry.job, fates)
    hidden |= {face.image_id for face in entry.faces if fates.is_gone(face.identity_id, face.track_id)}
    number = _put_job(connection, job, now_ms)
    for face in entry.faces:
        if not fates.is_gone(face.identity_id, face.track_id):
            put_face(
                connection,
                face,
                pngs.get(face.id),
                now_ms,
                job_id=job.id,
                now=fates.present(face.identity_id),
            )
    for picture in entry.pictures:
        if picture.image_id not in hidden:
            _put_picture(connection, picture, number, now_ms)


def put_face(
    connection: sqlite3.Connection,
    face: SeenFace,
    png: bytes | None,
    now_ms: int,
    *,
    job_id: str | None,
    now: str | None,
) -> None:
    """Write a face, within a transaction; of one that is there, only who it is (`now`) may change."""
    known = connection.execute(
        "SELECT number, enrolled, identity_id FROM seen_face WHERE id = ?", (face.id,)
    ).fetchone()
    identity_id = _if_there(connection, now)
    if known is None:
        _insert_face(connection, face, png, now_ms, job_id, identity_id)
    elif known[1] is None and known[2] != identity_id:
        connection.execute("UPDATE seen_face SET identity_id = ? WHERE number = ?", (identity_id, known[0]))


def _insert_face(
    connection: sqlite3.Connection,
    face: SeenFace,
    png: bytes | None,
    now_ms: int,
    job_id: str | None,
    identity_id: str | None,
) -> None:
    box = face.box
    number = connection.execute(
        "INSERT INTO seen_face (id, job_id, image_id, track_id, feed_id, custom_id, identity_id, box,"
        " detection_score, width_px, height_px, quality, is_frontal, sharpness, created_ms, kept_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            face.id,
            job_id,
            face.image_id,
            face.track_id,
            face.feed_id,
            face.custom_id,
            identity_id,
            msgspec.json.encode((box.x_min, box.y_min, box.x_max, box.y_max)).decode(),
            face.detection_score,
            face.width_px,
            face.height_px,
            face.quality,
            face.is_frontal,
            face.sharpness,
            face.created_ms,
            now_ms,
        ),
    ).lastrowid
    seal = seal_of(connection)
    if png is not None:
        blob = seal.close(Kind.FACE_CHIP, face.id, png)
        connection.execute("INSERT INTO seen_chip (face, png) VALUES (?, ?)", (number, blob))
    if face.embedding is not None and face.model_hash is not None:
        vector = embedding_to_bytes(face.embedding)
        connection.execute(
            "INSERT INTO seen_embedding (face, model_hash, vector) VALUES (?, ?, ?)",
            (number, face.model_hash, seal.close(Kind.FACE_EMBEDDING, face.id, vector, face.model_hash)),
        )


def _put_job(connection: sqlite3.Connection, job: Job, now_ms: int) -> int:
    """Write a job where the telling is newer than what is kept; returns its row."""
    connection.execute(
        "INSERT INTO job (id, feed_id, custom_id, created_ms, kept_ms, status, sequence, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET kept_ms = excluded.kept_ms,"
        " status = excluded.status, sequence = excluded.sequence, body = excluded.body"
        " WHERE excluded.sequence > job.sequence",
        (
            job.id,
            job.feed_id,
            job.custom_id,
            job.created_at,
            now_ms,
            job.status.value,
            job.edge.sequence,
            msgspec.json.encode(job),
        ),
    )
    ((number,),) = connection.execute("SELECT number FROM job WHERE id = ?", (job.id,)).fetchall()
    objects = [one for image in job.images for one in image.objects]
    connection.executemany(
        "INSERT INTO job_track (track_id, job, group_id) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET group_id = coalesce(excluded.group_id, group_id)",
        {(one.edge.track_id, number, one.edge.group_id) for one in objects},
    )
    connection.executemany(
        "INSERT OR IGNORE INTO job_identity (identity_id, job, track_id) VALUES (?, ?, ?)",
        {(one.identity_id, number, one.edge.track_id) for one in objects if one.identity_id is not None},
    )
    return int(number)


def _put_picture(connection: sqlite3.Connection, picture: JobPicture, job: int, now_ms: int) -> None:
    blob = seal_of(connection).close(Kind.PICTURE, picture.image_id, picture.jpeg)
    connection.execute(
        "INSERT OR IGNORE INTO picture (image_id, job, created_ms, kept_ms, jpeg) VALUES (?, ?, ?, ?, ?)",
        (picture.image_id, job, picture.created_ms, now_ms, blob),
    )


def _fates(connection: sqlite3.Connection, entry: HistoryEntry, now_ms: int) -> _Fates:
    said = {(one.identity_id, one.edge.track_id) for image in entry.job.images for one in image.objects}
    said |= {(face.identity_id, face.track_id) for face in entry.faces}
    gone: set[str] = set()
    heirs: dict[str, str] = {}
    for identity_id in {identity_id for identity_id, _ in said if identity_id is not None}:
        row = connection.execute(
            "SELECT heir FROM tombstone WHERE identity_id = ?", (identity_id,)
        ).fetchone()
        if row is not None and row[0] is not None:
            heirs[identity_id] = row[0]
        elif row is not None:
            gone.add(identity_id)
    # The next telling may say nobody of this track.
    connection.executemany(
        "INSERT OR IGNORE INTO erased_track (track_id, erased_ms) VALUES (?, ?)",
        {(track_id, now_ms) for identity_id, track_id in said if identity_id in gone},
    )
    erased = {
        track_id
        for track_id in {track_id for _, track_id in said}
        if connection.execute("SELECT 1 FROM erased_track WHERE track_id = ?", (track_id,)).fetchone()
    }
    return _Fates(frozenset(gone), heirs, frozenset(erased))


def _left_of(job: Job, fates: _Fates) -> tuple[Job, set[str]]:
    """The job without people who are gone, and the images that they were in."""
    if not (fates.gone or fates.heirs or fates.erased):
        return job, set()
    hidden: set[str] = set()
    images: list[JobImage] = []
    for image in job.images:
        kept = [one for one in image.objects if not fates.is_gone(one.identity_id, one.edge.track_id)]
        if len(kept) < len(image.objects):
            hidden.add(image.id)
        images.append(msgspec.structs.replace(image, objects=tuple(_renamed(one, fates) for one in kept)))
    return msgspec.structs.replace(job, images=tuple(images)), hidden


def _renamed(one: JobObject, fates: _Fates) -> JobObject:
    heir = fates.present(one.identity_id)
    if heir == one.identity_id:
        return one
    # The name is that of the merged one; the next telling brings the other.
    edge = msgspec.structs.replace(one.edge, name=None)
    return msgspec.structs.replace(one, identity_id=heir, edge=edge)


def _if_there(connection: sqlite3.Connection, identity_id: str | None) -> str | None:
    """The identity, where it is enrolled: the database may have been exchanged for an older copy."""
    row = connection.execute("SELECT id FROM identity WHERE id = ?", (identity_id,)).fetchone()
    return row[0] if row else None


def wanted_chips(entries: Collection[HistoryEntry], known: Collection[str]) -> list[SeenFace]:
    """The faces whose chips are to be encoded: those that are not written yet."""
    return [
        face for entry in entries for face in entry.faces if face.chip is not None and face.id not in known
    ]
