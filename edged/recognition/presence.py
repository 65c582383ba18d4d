"""Who is in view of a feed, and the events when that changes."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from edged.domain.event import EventType, PresentPerson
from edged.domain.group import Membership
from edged.domain.job import Verdict
from edged.domain.moment import Moment
from edged.recognition.decision import Decision


@dataclass(frozen=True, slots=True)
class Appearance:
    """A person who came or left, with the job and the track that say so."""

    type: EventType
    job_id: str
    track_id: str
    identity_id: str | None
    name: str | None
    confidence: float | None
    at: Moment
    group: Membership | None = None
    """Of somebody unknown, where groups are kept."""


@dataclass(frozen=True, slots=True)
class _Present:
    appearance: Appearance
    since: Moment
    last_seen: Moment


class PresenceBook:
    """The people in view of one feed, each once, however many tracks they break into.

    Somebody unknown is told from others by their group, and by the track alone where groups are not kept.
    Somebody enters with a decision and leaves when unseen for `leave_after_ms`. An unknown person who is
    recognised later becomes the known one, without leaving first.
    """

    def __init__(self, leave_after_ms: int) -> None:
        self.leave_after_ms = leave_after_ms
        self._present: dict[str, _Present] = {}

    def see(
        self, job_id: str, track_id: str, decision: Decision, at: Moment, group: Membership | None = None
    ) -> list[Appearance]:
        """Take note of a decided track in view; what it changes."""
        if decision.verdict is Verdict.UNDECIDED:
            return []
        key = decision.identity_id or (group.group_id if group else track_id)
        if key in self._present:
            self._present[key] = replace(self._present[key], last_seen=at)
            return []
        unnamed = self._unknown_by(track_id)
        if unnamed is not None and decision.identity_id is None:
            # The same person in another group: a command merged or split it.
            moved = self._present.pop(unnamed)
            self._present[key] = replace(
                moved, appearance=replace(moved.appearance, group=group), last_seen=at
            )
            return []
        if unnamed is not None:
            del self._present[unnamed]
        came = Appearance(
            type=EventType.KNOWN if decision.verdict is Verdict.KNOWN else EventType.UNKNOWN,
            job_id=job_id,
            track_id=track_id,
            identity_id=decision.identity_id,
            name=decision.identity.label if decision.identity else None,
            confidence=decision.confidence,
            at=at,
            group=group,
        )
        left = self._renamed(track_id, key, at)
        self._present[key] = _Present(came, since=at, last_seen=at)
        return [*left, came]

    def _renamed(self, track_id: str, key: str, at: Moment) -> list[Appearance]:
        """A track that was taken for somebody else before: that person was not there."""
        wrong = [k for k, p in self._present.items() if p.appearance.track_id == track_id and k != key]
        return [self._leave(k, at) for k in wrong]

    def _unknown_by(self, track_id: str) -> str | None:
        """The somebody unknown who came in by this track and is still there."""
        for key, person in self._present.items():
            if person.appearance.track_id == track_id and person.appearance.identity_id is None:
                return key
        return None

    def identities(self) -> set[str]:
        """The ids of the known people in view."""
        return {p.appearance.identity_id for p in self._present.values() if p.appearance.identity_id}

    def erase(self, identity_ids: Collection[str], at: Moment) -> list[Appearance]:
        """Let go people who are no longer enrolled, without saying once more who they were."""
        gone = [k for k, p in self._present.items() if p.appearance.identity_id in identity_ids]
        return [replace(self._leave(key, at), identity_id=None, name=None) for key in gone]

    def expire(self, at: Moment) -> list[Appearance]:
        """Let go whoever was not seen for long enough."""
        gone = [
            key
            for key, person in self._present.items()
            if at.steady_ms - person.last_seen.steady_ms >= self.leave_after_ms
        ]
        return [self._leave(key, at) for key in gone]

    def clear(self, at: Moment) -> list[Appearance]:
        """Let go everybody: the feed stops looking."""
        return [self._leave(key, at) for key in list(self._present)]

    def persons(self) -> tuple[PresentPerson, ...]:
        """Who is in view now, first come first."""
        return tuple(
            PresentPerson(
                track_id=person.appearance.track_id,
                identity_id=person.appearance.identity_id,
                name=person.appearance.name,
                group_id=person.appearance.group.group_id if person.appearance.group else None,
                since=person.since.utc_ms,
            )
            for person in self._present.values()
        )

    def _leave(self, key: str, at: Moment) -> Appearance:
        return replace(self._present.pop(key).appearance, type=EventType.LEFT, confidence=None, at=at)
