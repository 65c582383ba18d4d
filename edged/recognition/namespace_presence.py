"""Who is at the feeds of a namespace: one person once, wherever they are seen."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from edged.domain.event import PersonInNamespace, PresentPerson
from edged.domain.moment import Moment
from edged.recognition.presence import Sight, key_of


@dataclass(slots=True)
class _Somebody:
    """Somebody who is in the namespace.

    Attributes:
        person: as a feed tells them.
        since: the earliest that a feed said when they were first found in the namespace, UTC milliseconds.
        seen: when each feed saw them last.
        feeds: where they are in view now.
    """

    person: PresentPerson
    since: int
    seen: dict[str, Moment] = field(default_factory=dict)
    feeds: tuple[str, ...] = ()


class NamespaceBook:
    """The people at all feeds of one namespace. Time comes in with the calls.

    Somebody is in it while they are in view of a feed, and until they were unseen at every one for
    `leave_after_ms`. Somebody unknown is told from others by their group, and by the track alone where
    groups are not kept.
    """

    def __init__(self, leave_after_ms: int) -> None:
        self.leave_after_ms = leave_after_ms
        self._people: dict[str, _Somebody] = {}

    def update(
        self, at: Moment, sights: Mapping[str, Sequence[Sight]], mistaken: Mapping[str, Collection[str]]
    ) -> None:
        """Take note of who is in view.

        Args:
            at: now.
            sights: of each feed, who is in view of it.
            mistaken: of each feed, the keys of people whom it had taken for somebody else.
        """
        for feed_id, keys in mistaken.items():
            for key in keys:
                self._unsee(key, feed_id)
        for somebody in self._people.values():
            somebody.feeds = ()
        for feed_id, those in sights.items():
            for sight in those:
                self._see(feed_id, sight)
        for key in [key for key, somebody in self._people.items() if self._has_left(somebody, at)]:
            del self._people[key]

    def switched_off(self, feed_id: str) -> None:
        """Forget what a feed saw: it is not to be looked at any more."""
        for key in list(self._people):
            self._unsee(key, feed_id)

    def identities(self) -> set[str]:
        """The ids of the known people in it."""
        return {s.person.identity_id for s in self._people.values() if s.person.identity_id}

    def erase(self, identity_ids: Collection[str]) -> None:
        """Name people no more who are no longer enrolled."""
        for identity_id in identity_ids:
            self._people.pop(identity_id, None)

    def persons(self) -> tuple[PersonInNamespace, ...]:
        """Who is in it now, first come first."""
        return tuple(
            PersonInNamespace(
                identity_id=somebody.person.identity_id,
                name=somebody.person.name,
                group_id=somebody.person.group_id,
                since=somebody.since,
                feeds=somebody.feeds,
            )
            for somebody in self._people.values()
        )

    def _see(self, feed_id: str, sight: Sight) -> None:
        key = key_of(sight.person)
        somebody = self._people.setdefault(key, _Somebody(sight.person, sight.person.since))
        somebody.person = sight.person
        somebody.seen[feed_id] = sight.last_seen
        somebody.feeds += (feed_id,)

    def _unsee(self, key: str, feed_id: str) -> None:
        somebody = self._people.get(key)
        if somebody is None:
            return
        somebody.seen.pop(feed_id, None)
        somebody.feeds = tuple(feed for feed in somebody.feeds if feed != feed_id)
        if not somebody.seen:
            del self._people[key]

    def _has_left(self, somebody: _Somebody, at: Moment) -> bool:
        last = max(moment.steady_ms for moment in somebody.seen.values())
        return not somebody.feeds and at.steady_ms - last >= self.leave_after_ms
