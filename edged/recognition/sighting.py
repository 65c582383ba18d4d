"""What happened at a feed from the first face to the last, and how it becomes a job.

A sighting opens with the first confirmed track. Nothing is said of it until a track has a decision; then it
is told when something changes that a reader would care about, and once more when it is over.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edged.domain.face import Face
from edged.domain.group import Membership
from edged.domain.job import JobStatus, Verdict
from edged.domain.moment import Moment
from edged.recognition.decision import ERASED, NOT_YET, Decision
from edged.settings.recognition import Sightings

BETTER_BY: Final = 0.15
"""A view of a decided face is clearly better when its quality is higher by so much."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """A confirmed track that has a face in the present frame.

    Attributes:
        track_id: the track's UUID.
        face: its face in this frame.
        decision: what is said of the track as of this frame.
        group: of an unknown track, which group it is in; None where groups are not kept.
    """

    track_id: str
    face: Face
    decision: Decision
    group: Membership | None = None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One frame of a sighting that was kept, with every confirmed face in it.

    Attributes:
        at: the frame's time.
        number: counts the views of the sighting from 1.
        width_px, height_px: size of the upright frame.
        observations: the faces, as they were then; what is said of a track may have changed since.
    """

    at: Moment
    number: int
    width_px: int
    height_px: int
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """One telling of a job: its number, its views, and what is said of each track by now.

    `groups` has the tracks that are in one.
    """

    job_number: int
    opened: Moment
    at: Moment
    sequence: int
    status: JobStatus
    views: tuple[View, ...]
    decisions: dict[str, Decision]
    groups: dict[str, Membership] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A view of the present frame that was just added to a job: its number, its begin, and the view."""

    job_number: int
    opened: Moment
    view: View


@dataclass(slots=True)
class _Track:
    """What a sighting remembers of a track."""

    decision: Decision = NOT_YET
    group: Membership | None = None
    shown_quality: float = 0.0
    best: View | None = None
    best_quality: float = -1.0


@dataclass(slots=True)
class _Open:
    """A sighting that is going on."""

    number: int
    opened: Moment
    last_face: Moment
    views: list[View] = field(default_factory=list)
    tracks: dict[str, _Track] = field(default_factory=dict)
    sequence: int = 0
    last_sent: Moment | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """When a sighting is told and when it ends, milliseconds and images."""

    close_after_ms: int
    max_age_ms: int
    max_images: int
    min_interval_ms: int

    @classmethod
    def of(cls, settings: Sightings) -> "Limits":
        """As the settings have them."""
        return cls(
            close_after_ms=round(settings.close_after * 1000),
            max_age_ms=round(settings.max_age * 1000),
            max_images=settings.max_images,
            min_interval_ms=round(settings.min_interval * 1000),
        )


class SightingBook:
    """The sightings of one feed, one after the other. Time comes in with the calls."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._numbers = 0
        self._open: _Open | None = None
        self.latest: tuple[int, Moment] | None = None
        """Number, from 1, and begin of the sighting that is open or was the last one."""
        self.kept: Kept | None = None
        """The view that the last `observe` added to a sighting."""

    def observe(
        self, at: Moment, width_px: int, height_px: int, observations: Sequence[Observation]
    ) -> list[Update]:
        """Take note of the confirmed faces of one frame; what is to be told now, oldest first."""
        self.kept = None
        updates = self.tick(at)
        if not observations:
            return updates
        if self._open is None:
            self._numbers += 1
            self._open = _Open(self._numbers, opened=at, last_face=at)
            self.latest = self._numbers, at
        now = self._open
        now.last_face = at
        view = View(at, len(now.views) + 1, width_px, height_px, tuple(observations))
        # Every track must take note, whether or not the first one already asks for an image.
        wanted = [self._note(now, view, observation) for observation in observations]
        if any(wanted):
            self._keep(now, view)
            self.kept = Kept(now.number, now.opened, now.views[-1])
        return updates + self._told(now, at)

    def tick(self, at: Moment) -> list[Update]:
        """Let time pass without a frame: what is to be told now."""
        now = self._open
        if now is None:
            return []
        if at.steady_ms - now.last_face.steady_ms >= self.limits.close_after_ms:
            return self.close(at)
        if at.steady_ms - now.opened.steady_ms >= self.limits.max_age_ms:
            return self.close(at)
        return self._told(now, at)

    def close(self, at: Moment) -> list[Update]:
        """End the sighting: its final update, or nothing where none is open."""
        now, self._open = self._open, None
        if now is None:
            return []
        for track_id, track in now.tracks.items():
            shown = any(o.track_id == track_id for view in now.views for o in view.observations)
            if not shown and track.best is not None and len(now.views) < self.limits.max_images:
                self._keep(now, track.best)
        return [self._update(now, at, JobStatus.COMPLETED_SUCCESSFULLY)]

    def identities(self) -> set[str]:
        """The ids of everybody who is named in the open sighting."""
        tracks = self._open.tracks.values() if self._open else ()
        return {track.decision.identity_id for track in tracks if track.decision.identity_id}

    def erase(self, identity_ids: Collection[str], instead: Mapping[str, Decision]) -> list[str]:
        """Name people who are no longer enrolled no more, from the next telling on.

        Args:
            identity_ids: of these people.
            instead: what is said by now of the tracks in view.

        Returns:
            The ids of the tracks that had their name and have none now.
        """
        now = self._open
        if now is None:
            return []
        theirs = [key for key, track in now.tracks.items() if track.decision.identity_id in identity_ids]
        for track_id in theirs:
            now.tracks[track_id].decision = instead.get(track_id, ERASED)
            now.changed = True
        return [track_id for track_id in theirs if now.tracks[track_id].decision.identity is None]

    def _note(self, now: _Open, view: View, observation: Observation) -> bool:
        """Take note of one face; whether the view is worth an image for its sake."""
        track = now.tracks.setdefault(observation.track_id, _Track())
        quality = _score(observation)
        if quality > track.best_quality:
            track.best, track.best_quality = view, quality
        decided = observation.decision.verdict is not Verdict.UNDECIDED
        newly_said = observation.decision.differs_from(track.decision)
        track.decision = observation.decision
        track.group = observation.group
        if newly_said:
            now.changed = True
            return decided
        rested = (
            not now.views or view.at.steady_ms - now.views[-1].at.steady_ms >= self.limits.min_interval_ms
        )
        return decided and rested and quality >= track.shown_quality + BETTER_BY

    def _keep(self, now: _Open, view: View) -> None:
        now.views.append(View(view.at, len(now.views) + 1, view.width_px, view.height_px, view.observations))
        now.changed = True
        for observation in view.observations:
            track = now.tracks[observation.track_id]
            track.shown_quality = max(track.shown_quality, _score(observation))

    def _told(self, now: _Open, at: Moment) -> list[Update]:
        if len(now.views) >= self.limits.max_images:
            return self.close(at)
        if not now.changed or not now.views:
            return []
        if now.last_sent and at.steady_ms - now.last_sent.steady_ms < self.limits.min_interval_ms:
            return []
        return [self._update(now, at, JobStatus.IN_PROGRESS)]

    def _update(self, now: _Open, at: Moment, status: JobStatus) -> Update:
        now.sequence += 1
        now.last_sent = at
        now.changed = False
        decisions = {track_id: track.decision for track_id, track in now.tracks.items()}
        groups = {track_id: track.group for track_id, track in now.tracks.items() if track.group}
        return Update(now.number, now.opened, at, now.sequence, status, tuple(now.views), decisions, groups)


def _score(observation: Observation) -> float:
    """Quality of the face, 0 to 1; a face that was not looked at closely is no better view than any."""
    return observation.face.quality.score if observation.face.quality else 0.0
