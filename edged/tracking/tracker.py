"""Faces followed from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from edged.domain.box import Box
from edged.domain.face import Detection
from edged.domain.moment import Moment
from edged.settings import recognition as settings
from edged.tracking.association import associate
from edged.tracking.belief import Belief, Glance, Refusal
from edged.tracking.path import Path
from edged.tracking.track import Track, TrackerUpdate, TrackState

_MISSES_OF_TENTATIVE: Final = 2
"""Frames in a row without a detection that end a tentative track."""
_OVERLAP: Final = 0.1
"""IoU of two tracks from which a detection there may be a blend of both faces."""


@dataclass(slots=True)
class _Following:
    """One track's own state, owned by the tracker."""

    number: int
    path: Path
    box: Box
    started_at: Moment
    seen_at: Moment
    matched_at: Moment
    detection: int | None
    belief: Belief
    detections: int = 1
    misses: int = 0
    state: TrackState = TrackState.TENTATIVE
    is_face: bool | None = None
    denials: int = 0
    refusal: Refusal | None = None

    def told(self) -> Track:
        wants = self.detection is not None and (
            self.state is not TrackState.CONFIRMED or self.is_face is None
        )
        return Track(
            self.number,
            self.state,
            self.box,
            self.detection,
            self.detections,
            self.started_at,
            self.seen_at,
            wants,
            self.refusal,
        )


class Tracker:
    """Gives each face of one feed a number and keeps it through missed detections and crossings.

    A track is confirmed when `confirm_after` closer looks say together that it is a face (see `belief.py`):
    detectors also fire on things, and again and again at the same place. The caller looks at the tracks that
    want a verdict, and tells it by `judge`. Not shared between threads.
    """

    def __init__(self, tracking: settings.Tracking) -> None:
        self._settings = tracking
        self._live: dict[int, _Following] = {}
        self._last_number = 0
        self._at_ms = 0

    def update(self, at: Moment, detections: Sequence[Detection]) -> TrackerUpdate:
        """Take in what the detector found in one frame, in any order.

        `at` is when the frame was taken, never earlier than the frame before. A gap longer than
        `lost_after` ends all tracks before the detections are looked at.
        """
        ended = self._end(
            [f for f in self._live.values() if at.steady_ms - f.seen_at.steady_ms > self._lost_after_ms]
        )
        elapsed_s = max(0, at.steady_ms - self._at_ms) / 1000
        self._at_ms = at.steady_ms
        following = list(self._live.values())
        for one in following:
            one.path.advance(elapsed_s)
        # In an order of their own, so that numbers and ties do not depend on the detector's.
        order = sorted(range(len(detections)), key=lambda index: _rank(detections[index]))
        boxes = [detections[index].box for index in order]
        pairs = dict(associate([one.path for one in following], boxes))

        contested = _overlapping([one.path.box for one in following])
        for position, one in enumerate(following):
            if position in pairs:
                found = pairs[position]
                self._continue(one, at, order[found], boxes[found], contested=position in contested)
            else:
                _miss(one)
        ended += self._end([f for f in following if _is_hopeless(f)])
        taken = set(pairs.values())
        started = tuple(
            self._start(at, order[index], boxes[index]) for index in range(len(boxes)) if index not in taken
        )
        return TrackerUpdate(self.tracks, started, ended)

    def judge(self, number: int, glance: Glance) -> Track:
        """Tell what a closer look at a track's detection in the last frame gave.

        May confirm a tentative track, lose a confirmed one and find a lost one. Raises KeyError for a track
        that does not live.
        """
        one = self._live[number]
        one.is_face = glance.is_face
        if one.state is TrackState.TENTATIVE:
            is_believed = one.belief.take(one.matched_at, glance)
            one.denials = 0 if one.belief.doubt is None else one.denials + 1
            if is_believed:
                one.state = TrackState.CONFIRMED
        elif glance.is_face:
            _find(one)
        elif one.state is TrackState.CONFIRMED:
            one.state = TrackState.LOST
        return one.told()

    def split(self, number: int, since: Moment) -> tuple[Track, Track]:
        """End a track whose face became somebody else's at `since`; the new one goes on in its place.

        The new track is believed as much as the old one was. Returns the ended and the new one; raises
        KeyError for a track that does not live.
        """
        one = self._live[number]
        self._last_number += 1
        new = replace(one, number=self._last_number, started_at=since, detections=1)
        self._live[new.number] = new
        (ended,) = self._end([one])
        return ended, new.told()

    def reset(self) -> tuple[Track, ...]:
        """End all tracks, as when the feed's picture has another size now; numbers go on counting."""
        return self._end(list(self._live.values()))

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All that live, as they stand, by number."""
        return tuple(one.told() for one in self._live.values())

    @property
    def is_busy(self) -> bool:
        """Whether some track needs the next frames, also those of a still scene.

        A tentative one does until it was denied as often as would have confirmed it.
        """
        return any(
            one.state is not TrackState.TENTATIVE or one.denials < self._settings.confirm_after
            for one in self._live.values()
        )

    @property
    def _lost_after_ms(self) -> float:
        return self._settings.lost_after * 1000

    def _start(self, at: Moment, detection: int, box: Box) -> Track:
        self._last_number += 1
        belief = Belief(self._settings.confirm_after)
        one = _Following(self._last_number, Path(box), box, at, at, at, detection, belief)
        self._live[one.number] = one
        return one.told()

    def _continue(self, one: _Following, at: Moment, detection: int, box: Box, *, contested: bool) -> None:
        elapsed_s = (at.steady_ms - one.matched_at.steady_ms) / 1000
        one.path.correct(box, elapsed_s, contested=contested)
        if one.misses and one.is_face:
            # Whatever is found after a gap may be another thing: ask again.
            one.is_face = None
        one.box = box
        one.detection = detection
        one.detections += 1
        one.misses = 0
        one.matched_at = at
        if one.state is TrackState.TENTATIVE:
            one.seen_at = at
        elif one.is_face is not False:
            _find(one)

    def _end(self, some: Sequence[_Following]) -> tuple[Track, ...]:
        for one in some:
            del self._live[one.number]
            if one.state is TrackState.TENTATIVE:
                one.refusal = one.belief.refusal
            one.state = TrackState.ENDED
            one.detection = None
        return tuple(one.told() for one in some)


def _find(one: _Following) -> None:
    """What a detection that is not doubted does to a track that was believed once."""
    if one.detection is not None:
        one.state = TrackState.CONFIRMED
        one.seen_at = one.matched_at


def _miss(one: _Following) -> None:
    one.misses += 1
    one.detection = None
    one.box = one.path.box
    if one.state is TrackState.CONFIRMED:
        one.state = TrackState.LOST


def _is_hopeless(one: _Following) -> bool:
    return one.state is TrackState.TENTATIVE and one.misses >= _MISSES_OF_TENTATIVE


def _rank(detection: Detection) -> tuple[float, ...]:
    box = detection.box
    return -detection.score, box.x_min, box.y_min, box.x_max, box.y_max


def _overlapping(boxes: Sequence[Box]) -> set[int]:
    """The indices of the boxes that overlap another one."""
    found: set[int] = set()
    for index, box in enumerate(boxes):
        for other in range(index):
            if box.iou(boxes[other]) > _OVERLAP:
                found |= {index, other}
    return found
