"""Faces that walk through a picture, for tests of the tracker."""

from collections.abc import Callable, Sequence

import numpy as np

from edged.domain.box import Box
from edged.domain.face import Detection, MeshFit
from edged.domain.moment import Moment
from edged.tracking.belief import Glance
from edged.tracking.track import TrackState
from edged.tracking.tracker import Tracker

KEYPOINTS = np.zeros((6, 2), np.float32)

Walk = Callable[[float], tuple[float, float, float] | None]
"""Seconds -> centre and size in pixels, or None where the face is not detected."""


def a_detection(x: float = 320, y: float = 200, size: float = 60, score: float = 0.9) -> Detection:
    """A square detection about a centre."""
    half = size / 2
    return Detection(Box(x - half, y - half, x + half, y + half), KEYPOINTS, score)


def moment_of(seconds: float) -> Moment:
    """The instant so long after the start."""
    ms = round(seconds * 1000)
    return Moment(ms, 1_487_648_348_000 + ms)


def a_glance(presence: float = 1.0, *, misfit: float = 0.05, size: float = 0.4, shift: float = 0.0) -> Glance:
    """A closer look at a face; `shift` moves its mesh in its box, in sides of the box."""
    return Glance(presence, 0.5, MeshFit(misfit, size, np.full((12, 2), shift, np.float32)))


NO_FACE = a_glance(0.01)


def see(tracker: Tracker, seconds: float, detections: Sequence[Detection], *, faces: bool = True) -> None:
    """One frame as the pipeline does it: update, and a closer look at each track that wants one."""
    for track in tracker.update(moment_of(seconds), detections).tracks:
        if track.wants_verdict:
            tracker.judge(track.number, a_glance() if faces else NO_FACE)


def numbers_seen(
    tracker: Tracker,
    walks: Sequence[Walk],
    *,
    frames_per_s: float,
    seconds: float,
    noise: Callable[[], float] = lambda: 0.0,
    ignore: Callable[[float], bool] = lambda _: False,
) -> list[set[int]]:
    """For each walker the numbers of the confirmed tracks that followed it; no detections are blended.

    `noise` gives standard normal values: two per cent of the size on position and size. `ignore` says of
    which times the numbers do not count.
    """
    numbers: list[set[int]] = [set() for _ in walks]
    for frame in range(round(seconds * frames_per_s)):
        time_s = frame / frames_per_s
        detections, walkers = [], []
        for walker, walk in enumerate(walks):
            placed = walk(time_s)
            if placed is not None:
                x, y, size = placed
                detections.append(
                    a_detection(
                        x + 0.02 * size * noise(), y + 0.02 * size * noise(), size * (1 + 0.02 * noise())
                    )
                )
                walkers.append(walker)
        see(tracker, time_s, detections)
        for track in () if ignore(time_s) else tracker.tracks:
            if track.detection is not None and track.state is TrackState.CONFIRMED:
                numbers[walkers[track.detection]].add(track.number)
    return numbers
