"""Proves again what the code takes for granted of the history in a namespace's database. Only reads."""

import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

_ODD: Final = {
    "face {} says that it is enrolled, and is not, or not under its id": """
        SELECT seen_face.id FROM seen_face LEFT JOIN face ON face.number = enrolled
        WHERE enrolled IS NOT NULL AND face.id IS NOT seen_face.id
    """,
    "face {} is enrolled and does not say so": """
        SELECT seen_face.id FROM seen_face JOIN face ON face.id = seen_face.id WHERE enrolled IS NULL
    """,
    "face {} is enrolled as one person and says that it is another": """
        SELECT seen_face.id FROM seen_face JOIN face ON face.number = enrolled
        JOIN identity ON identity.number = face.identity WHERE identity_id IS NOT identity.id
    """,
    "face {} is of somebody who is not enrolled": """
        SELECT id FROM seen_face
        WHERE identity_id IS NOT NULL AND identity_id NOT IN (SELECT id FROM identity)
    """,
    "face {} is enrolled, and its chip or an embedding is still among the seen ones": """
        SELECT id FROM seen_face WHERE enrolled IS NOT NULL AND (
            EXISTS (SELECT 1 FROM seen_chip WHERE face = number)
            OR EXISTS (SELECT 1 FROM seen_embedding WHERE face = number)
        )
    """,
    "face {} is of somebody who was removed": """
        SELECT id FROM seen_face WHERE identity_id IS NULL AND track_id IN (SELECT track_id FROM erased_track)
    """,
    "a job still mentions {}, who was removed": """
        SELECT DISTINCT job_identity.identity_id FROM job_identity
        JOIN tombstone ON tombstone.identity_id = job_identity.identity_id
    """,
    "somebody was merged into {}, who is not enrolled": """
        SELECT DISTINCT heir FROM tombstone WHERE heir IS NOT NULL AND heir NOT IN (SELECT id FROM identity)
    """,
}
"""What must not be, and how to find it."""


def history_findings(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with the history, in words."""
    yield from _volume(connection)
    for words, sql in _ODD.items():
        for (name,) in connection.execute(sql):
            yield words.format(name)
    yield from _jobs(connection)


def _volume(connection: sqlite3.Connection) -> Iterator[str]:
    counted = connection.execute("SELECT jobs, faces, picture_bytes FROM history_volume").fetchall()
    present = connection.execute(
        "SELECT (SELECT count(*) FROM job), (SELECT count(*) FROM seen_face WHERE enrolled IS NULL),"
        " (SELECT coalesce(sum(length(jpeg)), 0) FROM picture)"
    ).fetchone()
    if counted != [present]:
        yield f"the history's volume (jobs, faces, bytes of pictures) says {counted}, and there is {present}"
    counted = connection.execute("SELECT chips, seen_chips, group_chips, jobs FROM kept_bytes").fetchall()
    present = connection.execute(
        "SELECT (SELECT coalesce(sum(length(png)), 0) FROM chip),"
        " (SELECT coalesce(sum(length(png)), 0) FROM seen_chip),"
        " (SELECT coalesce(sum(length(png)), 0) FROM group_chip),"
        " (SELECT coalesce(sum(length(body)), 0) FROM job)"
    ).fetchone()
    if counted != [present]:
        yield f"the bytes of crops (enrolled, seen, grouped) and jobs are {present}; counted are {counted}"


def _jobs(connection: sqlite3.Connection) -> Iterator[str]:
    """Bodies are what their rows say, and mention nobody and no track that the index does not know."""
    for number, job_id, sequence, status, body in connection.execute(
        "SELECT number, id, sequence, status, body FROM job"
    ):
        try:
            job = msgspec.json.decode(body)
            says = (job["id"], job["edge"]["sequence"], job["status"])
            objects = [one for image in job["images"] for one in image["objects"]]
            tracks = {one["edge"]["trackId"] for one in objects}
            people = {(one["identityId"], one["edge"]["trackId"]) for one in objects if "identityId" in one}
        except (ValueError, TypeError, KeyError, AttributeError):
            yield f"the body of job {job_id} is no job"
            continue
        if says != (job_id, sequence, status):
            yield f"the body of job {job_id} says another id, sequence or status than its row"
        known_tracks = connection.execute("SELECT track_id FROM job_track WHERE job = ?", (number,))
        if not tracks <= {row[0] for row in known_tracks}:
            yield f"job {job_id} has tracks that its index lacks"
        known = connection.execute(
            "SELECT identity_id, track_id FROM job_identity WHERE job = ?", (number,)
        ).fetchall()
        if not people <= set(known):
            yield f"job {job_id} mentions people that its index lacks"
