"""Takes a group apart into the people that seem to be in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edged.domain.face import Embedding
from edged.domain.group import KeptTrack
from edged.recognition.calibration import Calibration

STRICTEST: Final = 1e-12
"""Share of strangers taken for one another, below which no calibration says anything."""

_STRICTER_BY: Final = 10


@dataclass(frozen=True, slots=True)
class Split:
    """Clusters of a group's tracks.

    Attributes:
        false_merge: at which share of strangers taken for one another they fall apart.
        clusters: ids of tracks, each at least one; the first has the group's oldest track.
    """

    false_merge: float
    clusters: tuple[tuple[str, ...], ...]


def split(
    tracks: Sequence[KeptTrack], calibration: Calibration, false_merge: float, similarity_offset: float = 0.0
) -> Split | None:
    """Take a group's tracks apart at the first level, ten times stricter each, at which they do not hold.

    `similarity_offset` is added to the similarity that is asked for. None where they hold at every level.
    Tracks that the model never saw stay with the oldest.
    """
    level = false_merge / _STRICTER_BY
    while level >= STRICTEST:
        found = clusters(tracks, calibration, level, similarity_offset)
        if len(found) > 1:
            return Split(level, found)
        level /= _STRICTER_BY
    return None


def clusters(
    tracks: Sequence[KeptTrack], calibration: Calibration, false_merge: float, similarity_offset: float = 0.0
) -> tuple[tuple[str, ...], ...]:
    """Agglomerative clustering: always join the two clusters that are most clearly one person, while any are.

    A cluster stands as the mean of its tracks' means. The order of the tracks matters only between equals.
    """
    parts = [_Cluster.of([track], calibration) for track in tracks if track.mean is not None]
    while len(parts) > 1:
        excess, one, other = max(
            (
                (_excess(parts[one], parts[other], calibration, false_merge), -one, -other)
                for one in range(len(parts))
                for other in range(one)
            ),
        )
        if excess < similarity_offset:
            break
        joined = [*parts[-one].tracks, *parts[-other].tracks]
        parts = [part for row, part in enumerate(parts) if row not in (-one, -other)]
        parts.append(_Cluster.of(joined, calibration))
    place = {track.id: row for row, track in enumerate(tracks)}
    rest = [track.id for track in tracks if track.mean is None]
    found = sorted(
        (sorted((track.id for track in part.tracks), key=place.__getitem__) for part in parts),
        key=lambda ids: place[ids[0]],
    )
    if not found:
        return (tuple(rest),) if rest else ()
    return (tuple(sorted([*found[0], *rest], key=place.__getitem__)), *(tuple(ids) for ids in found[1:]))


@dataclass(frozen=True, slots=True, eq=False)
class _Cluster:
    tracks: tuple[KeptTrack, ...]
    template: Embedding
    effective: float
    crowding: float

    @classmethod
    def of(cls, tracks: Sequence[KeptTrack], calibration: Calibration) -> "_Cluster":
        means = [track.mean for track in tracks if track.mean is not None]
        total = np.sum(means, axis=0, dtype=np.float64)
        template = np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)
        effective = len(tracks) ** 2 / sum(1 / max(track.effective, 1.0) for track in tracks)
        return cls(tuple(tracks), template, effective, float(calibration.crowding(template[None, :])[0]))


def _excess(one: _Cluster, other: _Cluster, calibration: Calibration, false_merge: float) -> float:
    """How much more alike two clusters are than is asked of two of one person."""
    required = calibration.required_similarity(
        false_merge, enrolled=1, pictures=one.effective, faces=other.effective
    )
    return float(one.template @ other.template) - one.crowding - other.crowding - required
