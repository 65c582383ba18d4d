"""Who the jobs and faces of the history are of, when people and groups change or are to be forgotten.

Each function runs within a writer's transaction of its caller's.

An object or a face is somebody's if it says so, or if it says nobody and its track was said to be theirs: by
another telling, by an enrolled face of it, or because its group was named. What says somebody else is theirs.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from edged.store.group_rows import take_out_of_groups

_NOTHING: Final = ""
"""Says nobody."""


def erase_people(connection: sqlite3.Connection, identity_ids: Sequence[str], now_ms: int) -> int:
    """Take people out of the history, before they are removed; returns how many objects of jobs that were.

    Gone are their faces, the pictures that show them, their objects in jobs, and their tracks in groups.
    Whoever was merged into them is removed with them, at the ledger's revision.
    """
    objects = 0
    for identity_id in identity_ids:
        connection.execute(
            "UPDATE tombstone SET heir = NULL, revision = (SELECT revision FROM ledger) WHERE heir = ?",
            (identity_id,),
        )
        objects += _erase(connection, identity_id, _tracks_of_person(connection, identity_id), now_ms)
    return objects


def erase_groups(
    connection: sqlite3.Connection, group_ids: Iterable[str], now_ms: int, *, is_told: bool = True
) -> None:
    """Take unknown people out of the history, before their groups are deleted.

    `is_told` as of `remove_groups`.
    """
    for group_id in group_ids:
        _erase(connection, _NOTHING, _tracks_of_group(connection, group_id), now_ms, is_told=is_told)


def merge_people(connection: sqlite3.Connection, merged: str, heir: str, heir_name: str) -> None:
    """What was one person's is another's from now on: seen faces, and objects in jobs."""
    connection.execute("UPDATE seen_face SET identity_id = ? WHERE identity_id = ?", (heir, merged))
    numbers = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT job FROM job_identity WHERE identity_id = ?", (merged,)
        )
    ]

    def renamed(image: dict[str, Any]) -> dict[str, Any]:
        return image | {"objects": [_given(one, merged, heir, heir_name) for one in image["objects"]]}

    for number in numbers:
        _rewrite(connection, number, renamed)
    connection.execute(
        "UPDATE OR IGNORE job_identity SET identity_id = ? WHERE identity_id = ?", (heir, merged)
    )
    connection.execute("DELETE FROM job_identity WHERE identity_id = ?", (merged,))


def name_group(connection: sqlite3.Connection, group_id: str, identity_id: str) -> None:
    """What is kept of an unknown person's tracks is a named person's, before the group is deleted."""
    for track_id in _tracks_of_group(connection, group_id):
        connection.execute(
            "UPDATE seen_face SET identity_id = ? WHERE track_id = ? AND identity_id IS NULL",
            (identity_id, track_id),
        )
        connection.execute(
            "INSERT OR IGNORE INTO job_identity (identity_id, job, track_id)"
            " SELECT ?, job, track_id FROM job_track WHERE track_id = ?",
            (identity_id, track_id),
        )


def merge_groups(connection: sqlite3.Connection, merged: Iterable[str], heir: str) -> None:
    """The tracks of groups are those of another group, also those that the groups remember no more."""
    connection.executemany(
        "UPDATE job_track SET group_id = ? WHERE group_id = ?", [(heir, group_id) for group_id in merged]
    )


def split_group(connection: sqlite3.Connection, track_ids: Iterable[str], made: str) -> None:
    """Some tracks are in a group of their own."""
    connection.executemany(
        "UPDATE job_track SET group_id = ? WHERE track_id = ?", [(made, track_id) for track_id in track_ids]
    )


def _tracks_of_person(connection: sqlite3.Connection, identity_id: str) -> set[str]:
    rows = connection.execute(
        "SELECT track_id FROM seen_face WHERE identity_id = ?1"
        " UNION SELECT track_id FROM job_identity WHERE identity_id = ?1",
        (identity_id,),
    )
    return {row[0] for row in rows}


def _tracks_of_group(connection: sqlite3.Connection, group_id: str) -> set[str]:
    rows = connection.execute(
        "SELECT group_track.id FROM group_track JOIN unknown_group ON unknown_group.number = unknown_group"
        " WHERE unknown_group.id = ?1 UNION SELECT track_id FROM job_track WHERE group_id = ?1",
        (group_id,),
    )
    return {row[0] for row in rows}


def _erase(
    connection: sqlite3.Connection, identity_id: str, tracks: set[str], now_ms: int, *, is_told: bool = True
) -> int:
    """Erase what says `identity_id`, and what is of these tracks and says nobody; returns jobs' objects."""
    connection.executemany(
        "INSERT OR REPLACE INTO erased_track (track_id, erased_ms) VALUES (?, ?)",
        [(track_id, now_ms) for track_id in tracks],
    )
    images = _erase_faces(connection, identity_id, tracks)
    objects = 0
    for number in _jobs_of(connection, identity_id, tracks):
        theirs, taken = _erase_objects(connection, number, identity_id, tracks)
        images |= theirs
        objects += taken
    connection.execute("DELETE FROM job_identity WHERE identity_id = ?", (identity_id,))
    take_out_of_groups(connection, tracks, is_told=is_told)
    connection.executemany("DELETE FROM picture WHERE image_id = ?", [(image_id,) for image_id in images])
    return objects


def _erase_faces(connection: sqlite3.Connection, identity_id: str, tracks: set[str]) -> set[str]:
    """Delete faces; returns the images that they were in."""
    rows = connection.execute(
        "SELECT number, enrolled, image_id FROM seen_face WHERE identity_id = ?", (identity_id,)
    ).fetchall()
    for track_id in tracks:
        rows += connection.execute(
            "SELECT number, enrolled, image_id FROM seen_face WHERE track_id = ? AND identity_id IS NULL",
            (track_id,),
        ).fetchall()
    connection.executemany(
        "DELETE FROM face WHERE number = ?", [(enrolled,) for _, enrolled, _ in rows if enrolled is not None]
    )
    connection.executemany("DELETE FROM seen_face WHERE number = ?", [(number,) for number, _, _ in rows])
    return {image_id for _, _, image_id in rows}


def _jobs_of(connection: sqlite3.Connection, identity_id: str, tracks: set[str]) -> list[int]:
    numbers = {
        row[0]
        for row in connection.execute("SELECT job FROM job_identity WHERE identity_id = ?", (identity_id,))
    }
    for track_id in tracks:
        rows = connection.execute("SELECT job FROM job_track WHERE track_id = ?", (track_id,))
        numbers |= {row[0] for row in rows}
    return sorted(numbers)


def _erase_objects(
    connection: sqlite3.Connection, number: int, identity_id: str, tracks: set[str]
) -> tuple[set[str], int]:
    """Take objects out of a job; returns the images that they were in, and how many they were."""
    images: set[str] = set()
    left: set[str] = set()
    taken = 0

    def without(image: dict[str, Any]) -> dict[str, Any]:
        nonlocal taken
        kept = [one for one in image["objects"] if not _is_theirs(one, identity_id, tracks)]
        if len(kept) < len(image["objects"]):
            images.add(image["id"])
            taken += len(image["objects"]) - len(kept)
        left.update(one["edge"]["trackId"] for one in kept)
        return image | {"objects": kept}

    _rewrite(connection, number, without)
    gone = [
        (number, track_id)
        for (track_id,) in connection.execute("SELECT track_id FROM job_track WHERE job = ?", (number,))
        if track_id not in left
    ]
    connection.executemany("DELETE FROM job_track WHERE job = ? AND track_id = ?", gone)
    return images, taken


def _is_theirs(one: dict[str, Any], identity_id: str, tracks: set[str]) -> bool:
    said = one.get("identityId")
    if said is not None:
        return bool(said == identity_id)
    return one["edge"]["trackId"] in tracks


def _given(one: dict[str, Any], merged: str, heir: str, heir_name: str) -> dict[str, Any]:
    if one.get("identityId") != merged:
        return one
    edge = {key: value for key, value in one["edge"].items() if key != "name"}
    return one | {"identityId": heir, "edge": edge | ({"name": heir_name} if heir_name else {})}


def _rewrite(
    connection: sqlite3.Connection, number: int, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Change every image of a stored job. One that cannot be read is deleted: who is in it cannot be told."""
    (body,) = connection.execute("SELECT body FROM job WHERE number = ?", (number,)).fetchone()
    try:
        # As plain values: the edged that wrote it may have had other types.
        job = msgspec.json.decode(body)
        job["images"] = [change(image) for image in job["images"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        connection.execute("DELETE FROM job WHERE number = ?", (number,))
        return
    connection.execute("UPDATE job SET body = ? WHERE number = ?", (msgspec.json.encode(job), number))
