"""What the tracker says of each face it follows."""

from dataclasses import dataclass
from enum import StrEnum

from edged.domain.box import Box
from edged.domain.moment import Moment
from edged.tracking.belief import Refusal


class TrackState(StrEnum):
    """Where a track stands. The set is closed."""

    TENTATIVE = "tentative"
    """Not believed yet: too few looks at it, or they speak against a face."""
    CONFIRMED = "confirmed"
    """A face, and seen in the last frame."""
    LOST = "lost"
    """Confirmed once; the last frame had no detection of it, or one the landmark model took for no face."""
    ENDED = "ended"
    """Gone. Its number never comes back."""


@dataclass(frozen=True, slots=True)
class Track:
    """One face followed over frames, as it stood after one frame.

    Attributes:
        number: counts the tracks of one tracker, from 1; never given twice.
        state: where it stands.
        box: the detection's, or where the face should be by now, pixels; may reach outside the frame.
        detection: index of its detection in this frame, or None where none was its own.
        detections: frames with a detection of it, up to now.
        started_at: the first of them.
        seen_at: the last of them that was not doubted.
        wants_verdict: whether the tracker needs to be told if the detection is a face (`Tracker.judge`).
        refusal: of a track that ended without ever having been believed: why.
    """

    number: int
    state: TrackState
    box: Box
    detection: int | None
    detections: int
    started_at: Moment
    seen_at: Moment
    wants_verdict: bool
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class TrackerUpdate:
    """What one frame did to the tracks of a feed.

    Attributes:
        tracks: all that live, by number.
        started: those of them that this frame started.
        ended: those that ended since the frame before, each told once, by number.
    """

    tracks: tuple[Track, ...]
    started: tuple[Track, ...] = ()
    ended: tuple[Track, ...] = ()
