"""What commands and the daemon do alike to the rows of groups, each within a transaction of the caller's."""

import sqlite3
from collections.abc import Iterable

from edged.recognition.enrolment import best_and_varied
from edged.recognition.grouping import KEPT_TRACKS
from edged.store.group_queries import faces_of
from edged.store.namespace_chips import keep_blobs
from edged.store.sealing import Kind, opened_or_none, seal_of


def next_group_revision(connection: sqlite3.Connection) -> int:
    """Count one change more; returns its revision."""
    ((revision,),) = connection.execute(
        "UPDATE group_ledger SET revision = revision + 1 RETURNING revision"
    ).fetchall()
    return int(revision)


def remove_groups(
    connection: sqlite3.Connection,
    group_ids: Iterable[str],
    heir: str | None = None,
    *,
    named: str | None = None,
    is_told: bool = True,
) -> None:
    """Delete groups and say so to a running daemon.

    Args:
        connection: of the namespace's database.
        group_ids: which.
        heir: the group they were merged into.
        named: the identity they were named as.
        is_told: somebody wanted it so: other nodes that groups are shared with hear of it.
    """
    revision = next_group_revision(connection)
    for group_id in group_ids:
        if heir is None:
            connection.execute(
                "INSERT OR REPLACE INTO group_lost_track (track_id, revision) SELECT group_track.id, ?"
                " FROM group_track JOIN unknown_group ON unknown_group.number = unknown_group"
                " WHERE unknown_group.id = ?",
                (revision, group_id),
            )
        connection.execute("DELETE FROM unknown_group WHERE id = ?", (group_id,))
        # Whoever was sent to this one goes on to where it went.
        connection.execute(
            "UPDATE group_fate SET heir = ?, revision = ? WHERE heir = ?", (heir, revision, group_id)
        )
        connection.execute(
            "INSERT OR REPLACE INTO group_fate (group_id, heir, revision) VALUES (?, ?, ?)",
            (group_id, heir, revision),
        )
        if is_told:
            _tell_fate(connection, group_id, heir, named)


def _tell_fate(connection: sqlite3.Connection, group_id: str, heir: str | None, named: str | None) -> None:
    """Have the nodes that groups are shared with hear what became of one; their copy of it goes at once."""
    if connection.execute("SELECT 1 FROM sync_group_sharing").fetchone() is None:
        return
    fate = "merged" if heir is not None else "forgotten" if named is None else "named"
    connection.execute(
        "INSERT OR IGNORE INTO sync_group_fate (group_id, fate, heir) VALUES (?, ?, ?)",
        (group_id, fate, heir or named),
    )
    connection.execute("DELETE FROM sync_group_elsewhere WHERE group_id = ?", (group_id,))


def take_out_of_groups(
    connection: sqlite3.Connection, track_ids: Iterable[str], *, is_told: bool = True
) -> None:
    """Delete tracks for good, with their groups where nothing else is in them, and say so to a daemon.

    `is_told` as of `remove_groups`.
    """
    found = [
        (track_id, row[0], row[1])
        for track_id in track_ids
        for row in connection.execute(
            "SELECT unknown_group.number, unknown_group.id FROM group_track"
            " JOIN unknown_group ON unknown_group.number = unknown_group WHERE group_track.id = ?",
            (track_id,),
        ).fetchall()
    ]
    if not found:
        return
    revision = next_group_revision(connection)
    for track_id, _, _ in found:
        connection.execute(
            "INSERT OR REPLACE INTO group_lost_track (track_id, revision) VALUES (?, ?)", (track_id, revision)
        )
        connection.execute("DELETE FROM group_track WHERE id = ?", (track_id,))
    emptied = []
    for number, group_id in dict.fromkeys((number, group_id) for _, number, group_id in found):
        connection.execute("UPDATE unknown_group SET revision = ? WHERE number = ?", (revision, number))
        if not connection.execute(
            "SELECT 1 FROM group_track WHERE unknown_group = ? LIMIT 1", (number,)
        ).fetchone():
            emptied.append(group_id)
    if emptied:
        remove_groups(connection, emptied, is_told=is_told)


def hand_over_blobs(connection: sqlite3.Connection, face: int, enrolled: int) -> None:
    """Give the chip and the embeddings of a group's face to an enrolled one; both are rows' numbers.

    What does not open is left behind.
    """
    seal = seal_of(connection)
    vectors = [
        (model_hash, opened_or_none(seal, Kind.GROUP_EMBEDDING, face, blob, model_hash))
        for model_hash, blob in connection.execute(
            "SELECT model_hash, vector FROM group_embedding WHERE face = ?", (face,)
        )
    ]
    chip = connection.execute("SELECT png FROM group_chip WHERE face = ?", (face,)).fetchone()
    png = opened_or_none(seal, Kind.GROUP_CHIP, face, chip[0]) if chip else None
    keep_blobs(connection, enrolled, [(made, vector) for made, vector in vectors if vector is not None], png)


def forget_fates(connection: sqlite3.Connection, but_newest: int = 0) -> None:
    """Forget what became of groups and tracks, but for so many of the newest revisions."""
    (revision,) = connection.execute("SELECT revision FROM group_ledger").fetchone()
    for table in ("group_fate", "group_lost_track"):
        connection.execute(
            f"DELETE FROM {table} WHERE revision <= ?",  # noqa: S608 (from above)
            (revision - but_newest,),
        )


def prune(connection: sqlite3.Connection, group: int, model_hash: str, most_faces: int) -> None:
    """Let go of a group's oldest tracks and least useful faces, beyond what is kept of one.

    A face without an embedding of the model in use is the least useful.
    """
    connection.execute(
        "DELETE FROM group_track WHERE unknown_group = ? AND number NOT IN"
        " (SELECT number FROM group_track WHERE unknown_group = ? ORDER BY number DESC LIMIT ?)",
        (group, group, KEPT_TRACKS),
    )
    faces = faces_of(connection, group)
    if len(faces) <= most_faces:
        return
    candidates = [(face, face.candidate(model_hash)) for face in faces]
    usable = [candidate for _, candidate in candidates if candidate is not None]
    chosen = {id(candidate) for candidate in best_and_varied(usable, most_faces)}
    connection.executemany(
        "DELETE FROM group_face WHERE number = ?",
        [(face.number,) for face, candidate in candidates if id(candidate) not in chosen],
    )
