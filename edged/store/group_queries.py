"""What is asked of a namespace's groups, and how their rows become values."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edged.domain.face import Embedding, Quality
from edged.domain.group import GroupChange, GroupElsewhere, KeptGroup, KeptTrack
from edged.recognition.enrolment import Candidate
from edged.store.namespace_chips import embeddings_from_bytes
from edged.store.sealing import Kind, Seal, opened_or_none, seal_of

_GROUP: Final = """
    SELECT number, id, first_seen_ms, last_seen_ms, visits, kept_ms,
           (SELECT count(*) FROM group_track WHERE unknown_group = unknown_group.number),
           (SELECT count(*) FROM group_track AS t JOIN group_face ON track = t.number
            WHERE t.unknown_group = unknown_group.number),
           (SELECT group_concat(DISTINCT feed_id) FROM group_track AS t
            WHERE t.unknown_group = unknown_group.number)
    FROM unknown_group
"""


@dataclass(frozen=True, slots=True)
class Group:
    """A group as commands tell it.

    Attributes:
        number: its row; never shown.
        id: UUID.
        first_seen_ms, last_seen_ms: of the person, in the feeds' time, UTC milliseconds.
        visits: how often they came.
        kept_ms: when the daemon wrote to it last, UTC milliseconds.
        tracks, faces: how many are remembered.
        feeds: where they were seen.
    """

    number: int
    id: str
    first_seen_ms: int
    last_seen_ms: int
    visits: int
    kept_ms: int
    tracks: int
    faces: int
    feeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupTrack:
    """A track of a group as commands tell it; `faces` is how many of it are kept."""

    id: str
    feed_id: str
    first_seen_ms: int
    last_seen_ms: int
    seen_before: int
    faces: int


@dataclass(frozen=True, slots=True)
class GroupFace:
    """A face of a group with all that is kept of it.

    Attributes:
        number: its row; never shown.
        track: row of its track.
        feed_id: where it was seen.
        at_ms: when, UTC milliseconds.
        quality: 0 to 1.
        yaw_deg, pitch_deg: pose.
        png: the chip as PNG, or None: it was not kept, or does not open.
        vectors: the embedding of each model, little-endian float32, by the model's hash.
    """

    number: int
    track: int
    feed_id: str
    at_ms: int
    quality: float
    yaw_deg: float
    pitch_deg: float
    png: bytes | None
    vectors: dict[str, bytes]

    def candidate(self, model_hash: str) -> Candidate | None:
        """The face as it could be enrolled; None without an embedding of the model."""
        if model_hash not in self.vectors:
            return None
        # Size, sharpness and light were judged when the face was kept; what is left is its worth and pose.
        quality = Quality(
            score=self.quality,
            rejections=(),
            size_px=0.0,
            sharpness=0.0,
            brightness=0.0,
            contrast=0.0,
            yaw_deg=self.yaw_deg,
            pitch_deg=self.pitch_deg,
            roll_deg=0.0,
        )
        embedding = embeddings_from_bytes([self.vectors[model_hash]])[0]
        return Candidate(self.track, self.at_ms / 1000, quality, None, embedding)


def revision_of(connection: sqlite3.Connection) -> int:
    """Counts what commands and retention changed."""
    (revision,) = connection.execute("SELECT revision FROM group_ledger").fetchone()
    return int(revision)


def groups(connection: sqlite3.Connection) -> list[Group]:
    """All groups, those seen last first."""
    rows = connection.execute(f"{_GROUP} ORDER BY last_seen_ms DESC, number DESC")
    return [Group(*(*row[:8], tuple(sorted(row[8].split(","))))) for row in rows]


def group_of(connection: sqlite3.Connection, group_id: str) -> Group | None:
    """One group by id."""
    row = connection.execute(f"{_GROUP} WHERE id = ?", (group_id,)).fetchone()
    return Group(*(*row[:8], tuple(sorted(row[8].split(","))))) if row else None


def tracks_of(connection: sqlite3.Connection, group: int) -> list[GroupTrack]:
    """A group's tracks, the oldest first."""
    rows = connection.execute(
        """
        SELECT id, feed_id, first_seen_ms, last_seen_ms, seen_before,
               (SELECT count(*) FROM group_face WHERE track = group_track.number)
        FROM group_track WHERE unknown_group = ? ORDER BY number
        """,
        (group,),
    )
    return [GroupTrack(*row) for row in rows]


def faces_of(connection: sqlite3.Connection, group: int, *, with_chips: bool = False) -> list[GroupFace]:
    """A group's faces, in the order of time; chips only where they are wanted."""
    png = "(SELECT png FROM group_chip WHERE face = group_face.number)" if with_chips else "NULL"
    rows = connection.execute(
        f"""
        SELECT group_face.number, track, feed_id, at_ms, quality, yaw_deg, pitch_deg, {png}
        FROM group_face JOIN group_track ON group_track.number = track
        WHERE unknown_group = ? ORDER BY at_ms, group_face.number
        """,  # noqa: S608 (both from above)
        (group,),
    ).fetchall()
    seal = seal_of(connection)
    return [
        GroupFace(*(*row[:7], _chip(seal, row[0], row[7]), _vectors(connection, seal, row[0])))
        for row in rows
    ]


def means_of(connection: sqlite3.Connection, group: int, model_hash: str) -> list[KeptTrack]:
    """A group's tracks as the recogniser remembers them, the oldest first."""
    rows = connection.execute(
        """
        SELECT number, id, seen_before, first_seen_ms, last_seen_ms, vector, effective
        FROM group_track LEFT JOIN group_track_embedding ON track = number AND model_hash = ?
        WHERE unknown_group = ? ORDER BY number
        """,
        (model_hash, group),
    )
    seal = seal_of(connection)
    return [
        KeptTrack(
            track_id,
            seen_before,
            first_seen_ms,
            last_seen_ms,
            mean=_mean(seal, number, vector, model_hash),
            effective=effective or 0.0,
        )
        for number, track_id, seen_before, first_seen_ms, last_seen_ms, vector, effective in rows
    ]


def changes_since(connection: sqlite3.Connection, revision: int, model_hash: str) -> GroupChange | None:
    """See `GroupStore.changes_since`. To be called in a reader's transaction."""
    present = revision_of(connection)
    if present == revision:
        return None
    is_whole = revision > present
    since = -1 if is_whole else revision
    rows = connection.execute(
        "SELECT number, id, first_seen_ms, last_seen_ms, visits FROM unknown_group"
        " WHERE revision > ? ORDER BY kept_ms, number",
        (since,),
    ).fetchall()
    changed = tuple(KeptGroup(*(*row[1:], tuple(means_of(connection, row[0], model_hash)))) for row in rows)
    gone = connection.execute(
        "SELECT group_id, heir FROM group_fate WHERE revision > ? ORDER BY revision, group_id", (since,)
    ).fetchall()
    lost = connection.execute(
        "SELECT track_id FROM group_lost_track WHERE revision > ? ORDER BY revision, track_id", (since,)
    )
    return GroupChange(
        present,
        is_whole,
        changed,
        tuple(gone),
        tuple(row[0] for row in lost),
        _elsewhere(connection, since, model_hash),
    )


def _elsewhere(
    connection: sqlite3.Connection, since: int, model_hash: str
) -> tuple[GroupElsewhere, ...] | None:
    """What other nodes share, where that changed; of a namespace that shares no groups nothing is asked."""
    (revision,) = connection.execute("SELECT elsewhere_revision FROM group_ledger").fetchone()
    if revision <= max(since, 0):
        return () if since < 0 else None
    from edged.store.groups_elsewhere import groups_elsewhere  # noqa: PLC0415 (only who shares has it)

    return groups_elsewhere(connection, model_hash)


def models(connection: sqlite3.Connection) -> list[str]:
    """The models that made embeddings of the faces, the most used first."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT model_hash FROM group_embedding GROUP BY model_hash ORDER BY count(*) DESC, 1"
        )
    ]


def chips_without(connection: sqlite3.Connection, model_hash: str) -> Iterator[tuple[int, bytes]]:
    """Faces that have a chip and no embedding of the model: (face number, PNG), one at a time."""
    rows = connection.execute(
        """
        SELECT face FROM group_chip AS chip WHERE NOT EXISTS
            (SELECT 1 FROM group_embedding AS made WHERE made.face = chip.face AND model_hash = ?)
        ORDER BY face
        """,
        (model_hash,),
    ).fetchall()
    for (number,) in rows:
        found = connection.execute("SELECT png FROM group_chip WHERE face = ?", (number,)).fetchone()
        if found:
            yield number, seal_of(connection).open(Kind.GROUP_CHIP, number, found[0])


def _chip(seal: Seal, face: int, blob: bytes | None) -> bytes | None:
    return None if blob is None else opened_or_none(seal, Kind.GROUP_CHIP, face, blob)


def _vectors(connection: sqlite3.Connection, seal: Seal, face: int) -> dict[str, bytes]:
    """The embeddings of a face that open, by the model's hash."""
    rows = connection.execute(
        "SELECT model_hash, vector FROM group_embedding WHERE face = ? ORDER BY model_hash", (face,)
    )
    opened = ((model, opened_or_none(seal, Kind.GROUP_EMBEDDING, face, blob, model)) for model, blob in rows)
    return {model: vector for model, vector in opened if vector is not None}


def _mean(seal: Seal, track: int, blob: bytes | None, model_hash: str) -> Embedding | None:
    """A track's mean; None where there is none, or it does not open."""
    vector = None if blob is None else opened_or_none(seal, Kind.TRACK_MEAN, track, blob, model_hash)
    return None if vector is None else embeddings_from_bytes([vector])[0]
