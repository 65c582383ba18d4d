"""Who is in view of a feed, and the events when that changes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from edged.domain.event import EventType, PresentPerson
from edged.domain.group import Membership
from edged.domain.job import Verdict
from edged.domain.moment import Moment
from edged.recognition.decision import Decision
from edged.settings.presence import Presence


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
class Patience:
    """How long somebody must have been seen to be there, and unseen to be gone, milliseconds."""

    enter_after_ms: int
    leave_after_ms: int

    @classmethod
    def of(cls, settings: Presence) -> "Patience":
        """As the settings have them."""
        return cls(
            enter_after_ms=round(settings.enter_after * 1000),
            leave_after_ms=round(settings.leave_after * 1000),
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """Somebody who is there, and when they were seen last."""

    person: PresentPerson
    last_seen: Moment


@dataclass(slots=True)
class _Person:
    """Somebody who is there, or will be once seen for long enough.

    Attributes:
        appearance: how they came; of somebody who is not there yet, how they would come now.
        first_seen: from when on they were seen without a gap of `leave_after_ms`.
        seen: when each track of theirs was seen last; a track is one person's.
    """

    appearance: Appearance
    first_seen: Moment
    seen: dict[str, Moment] = field(default_factory=dict)
    is_there: bool = False

    @property
    def last_seen(self) -> Moment:
        return max(self.seen.values(), key=lambda moment: moment.steady_ms)


class PresenceBook:
    """The people in view of one feed, each once, however many tracks they break into.

    Somebody unknown is told from others by their group, and by the track alone where groups are not kept.
    Somebody decided is there once seen for `enter_after_ms`, and leaves when unseen for `leave_after_ms`:
    who is seen again sooner never left. An unknown person who is recognised later becomes the known one,
    without leaving first. A name that turns out to be wrong leaves at once, for that person was not there.
    """

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._people: dict[str, _Person] = {}
        self._mistaken: set[str] = set()

    def see(
        self, job_id: str, track_id: str, decision: Decision, at: Moment, group: Membership | None = None
    ) -> list[Appearance]:
        """Take note of a decided track in view; what it changes."""
        key = key_of_decided(decision, track_id, group)
        if key is None:
            return []
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
        left = [*self.expire(at), *self._hand_over(key, came)]
        person = self._people.setdefault(key, _Person(came, first_seen=at))
        person.seen[track_id] = at
        for old in [one for one, seen in person.seen.items() if self._is_past(seen, at)]:
            del person.seen[old]
        if person.is_there or at.steady_ms - person.first_seen.steady_ms < self.patience.enter_after_ms:
            return left
        person.is_there = True
        person.appearance = came
        return [*left, came]

    def _hand_over(self, key: str, came: Appearance) -> list[Appearance]:
        """Take the track from whoever it was said to be before, if that was another; who leaves by that."""
        for before, person in list(self._people.items()):
            if before == key or came.track_id not in person.seen:
                continue
            # Events tell strangers apart by the track that they came by.
            is_theirs = person.appearance.identity_id is None and person.appearance.track_id == came.track_id
            if is_theirs or len(person.seen) == 1:
                return self._turn_into(before, key, came)
            del person.seen[came.track_id]
        return []

    def _turn_into(self, before: str, key: str, came: Appearance) -> list[Appearance]:
        """Go on with who a person turned out to be by this track of theirs."""
        person = self._people[before]
        was_unknown = person.appearance.identity_id is None
        if was_unknown and came.identity_id is None and key not in self._people:
            # The same person in another group: a command merged or split it.
            self._people[key] = self._people.pop(before)
            person.appearance = replace(person.appearance, group=came.group)
            self._mistaken.add(before)
            return []
        is_silent = not person.is_there or (
            was_unknown and key not in self._people and person.appearance.track_id == came.track_id
        )
        left = self._leave(before, came.at)
        self._mistaken.add(before)
        if was_unknown:
            # It was them who was seen all the time.
            self._people.setdefault(key, _Person(came, person.first_seen))
        return [] if is_silent else [left]

    def identities(self) -> set[str]:
        """The ids of the known people in view."""
        return {p.appearance.identity_id for p in self._people.values() if p.appearance.identity_id}

    def erase(self, identity_ids: Collection[str], at: Moment) -> list[Appearance]:
        """Let go people who are no longer enrolled, without saying once more who they were."""
        gone = [key for key, person in self._people.items() if person.appearance.identity_id in identity_ids]
        return [replace(left, identity_id=None, name=None) for left in self._let_go(gone, at)]

    def expire(self, at: Moment) -> list[Appearance]:
        """Let go whoever was not seen for long enough."""
        gone = [key for key, person in self._people.items() if self._is_past(person.last_seen, at)]
        return list(self._let_go(gone, at))

    def clear(self, at: Moment) -> list[Appearance]:
        """Let go everybody: the feed stops looking."""
        return list(self._let_go(list(self._people), at))

    def persons(self) -> tuple[PresentPerson, ...]:
        """Who is in view now, first come first."""
        return tuple(sight.person for sight in self.sights())

    def sights(self) -> list[Sight]:
        """The same, each with when they were seen last."""
        there = [person for person in self._people.values() if person.is_there]
        there.sort(key=lambda person: person.appearance.at.steady_ms)
        return [Sight(_present(person.appearance), person.last_seen) for person in there]

    def take_mistaken(self) -> set[str]:
        """Keys, see `key_of`, of people who were somebody else, since this was last asked."""
        mistaken, self._mistaken = self._mistaken, set()
        return mistaken

    def _is_past(self, seen: Moment, at: Moment) -> bool:
        return at.steady_ms - seen.steady_ms >= self.patience.leave_after_ms

    def _let_go(self, keys: Collection[str], at: Moment) -> Iterator[Appearance]:
        for key in keys:
            was_there = self._people[key].is_there
            left = self._leave(key, at)
            if was_there:
                yield left

    def _leave(self, key: str, at: Moment) -> Appearance:
        return replace(self._people.pop(key).appearance, type=EventType.LEFT, confidence=None, at=at)


def key_of(person: PresentPerson) -> str:
    """What tells a person from others: who they are, else their group, else their track."""
    return person.identity_id or person.group_id or person.track_id


def key_of_decided(decision: Decision, track_id: str, group: Membership | None) -> str | None:
    """The key of whom a track is decided to be; None of one that is not decided."""
    if decision.verdict is Verdict.UNDECIDED:
        return None
    return decision.identity_id or (group.group_id if group else track_id)


def _present(appearance: Appearance) -> PresentPerson:
    return PresentPerson(
        track_id=appearance.track_id,
        identity_id=appearance.identity_id,
        name=appearance.name,
        group_id=appearance.group.group_id if appearance.group else None,
        since=appearance.at.utc_ms,
    )
