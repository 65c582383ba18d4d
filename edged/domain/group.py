"""A group: faces of one person nobody has named yet, and what is told and kept of them."""

from dataclasses import dataclass

from edged.domain.face import Chip, Embedding


@dataclass(frozen=True, slots=True)
class Membership:
    """What the group of an unknown track says of the person.

    Attributes:
        group_id: UUID of the group.
        seen_before: visits of this person before the present one, as far as the group remembers.
        first_seen_ms: when the person was first seen, UTC milliseconds.
    """

    group_id: str
    seen_before: int
    first_seen_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class StrangeFace:
    """One face of an unknown person that is worth keeping.

    Attributes:
        embedding: unit length.
        chip: the aligned crop; None where chips are not kept.
        quality: 0 to 1.
        yaw_deg, pitch_deg: pose; keeps the faces of a group varied.
        at_ms: when it was seen, UTC milliseconds.
    """

    embedding: Embedding
    chip: Chip | None
    quality: float
    yaw_deg: float
    pitch_deg: float
    at_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class GroupedTrack:
    """An unknown track that belongs to a group, whole: said when it joins, and again when it has ended.

    Attributes:
        track_id, feed_id: which track, and where.
        membership: its group.
        first_seen_ms, last_seen_ms: of the track, UTC milliseconds.
        model_hash: SHA-256 (hex) of the embedder that made the vectors.
        mean: the track's fused embedding, unit length.
        effective: how many independent faces are behind it, at least 1.
        faces: the best and most varied, few.
    """

    track_id: str
    feed_id: str
    membership: Membership
    first_seen_ms: int
    last_seen_ms: int
    model_hash: str
    mean: Embedding
    effective: float
    faces: tuple[StrangeFace, ...]


@dataclass(frozen=True, slots=True)
class UngroupedTrack:
    """A track that was unknown and is known by now: nothing of it belongs to a group any more."""

    track_id: str


@dataclass(frozen=True, slots=True)
class CrowdedOut:
    """A group that had to make room for a newer one."""

    group_id: str


@dataclass(frozen=True, slots=True)
class SameGroup:
    """A group of this node's is a group that another node shares, and goes by that one's id from now on.

    Attributes:
        group_id: the id that is no more.
        heir: the id that stays.
        first_seen_ms, last_seen_ms, visits: of both together.
    """

    group_id: str
    heir: str
    first_seen_ms: int
    last_seen_ms: int
    visits: int


GroupNews = GroupedTrack | UngroupedTrack | CrowdedOut | SameGroup
"""What the recogniser has whoever keeps the groups write down."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptTrack:
    """A track as a group remembers it.

    Attributes:
        id: the track's UUID.
        seen_before: what was told of it.
        first_seen_ms, last_seen_ms: UTC milliseconds.
        mean: fused embedding by the model asked for, unit length; None where that model never saw it.
        effective: how many independent faces are behind it; 0 where there is no mean.
    """

    id: str
    seen_before: int
    first_seen_ms: int
    last_seen_ms: int
    mean: Embedding | None
    effective: float


@dataclass(frozen=True, slots=True, eq=False)
class KeptGroup:
    """A group as it is kept.

    Attributes:
        id: UUID.
        first_seen_ms, last_seen_ms: of the person, UTC milliseconds.
        visits: how often they came.
        tracks: those that are remembered, the oldest first.
    """

    id: str
    first_seen_ms: int
    last_seen_ms: int
    visits: int
    tracks: tuple[KeptTrack, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GroupElsewhere:
    """A group as other nodes of the namespace share it.

    Attributes:
        id: UUID.
        first_seen_ms, last_seen_ms: of the person, UTC milliseconds.
        visits: how often they came.
        means: of each node that has the group, the mean that it is known by (unit length), and how many
            independent faces are behind it; at least one.
    """

    id: str
    first_seen_ms: int
    last_seen_ms: int
    visits: int
    means: tuple[tuple[Embedding, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class GroupChange:
    """What commands and retention did to a namespace's groups since a revision.

    Attributes:
        revision: the groups' revision after the change.
        is_whole: whether it is all there is, and what was known before is to be forgotten.
        changed: groups that are new or different, whole; those longest unseen first.
        gone: groups that are no more: (id, id of the one they were merged into, or None).
        lost: ids of the tracks that went with them, whatever group they are thought to be in.
        elsewhere: all that other nodes share, those seen last first; None where that has not changed.
    """

    revision: int
    is_whole: bool
    changed: tuple[KeptGroup, ...]
    gone: tuple[tuple[str, str | None], ...] = ()
    lost: tuple[str, ...] = ()
    elsewhere: tuple[GroupElsewhere, ...] | None = None
