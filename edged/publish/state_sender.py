"""What goes to the broker beside the outbox, in the order in which it has to go there."""

import logging
from collections import deque
from collections.abc import Iterable
from typing import Final

from edged.delivery.announcement import Announcement, is_announcement
from edged.delivery.topics import OFFLINE, ONLINE, Topics
from edged.domain.errors import StoreError
from edged.domain.moment import Clock
from edged.publish.announcer import Announcer
from edged.publish.complaints import Complaints
from edged.publish.latest_states import LatestStates, Saying
from edged.publish.retained_topics import RetainedTopics

_DIGEST_MS: Final = 1000
"""Home Assistant takes an entity away beside its other work. One of the same unique id that is announced
before that is done would be refused, and an empty state be read."""

_LOG = logging.getLogger(__name__)


class StateSender:
    """Says what is next: what is to be cleared, announcements, states, and that the device is online.

    All calls are the sink's thread's. With Home Assistant the device is not called online before it was
    announced once: entities that were announced by an earlier run would be available and show what that run
    said last. From the second connection on it is online at once.

    Args:
        sink_id: the sink.
        topics: its topics.
        latest: the states, which other threads tell.
        clock: who knows the time.
        retained: what the broker keeps; None where that is not written down.
        announcer: announces to Home Assistant; None where nothing is.
    """

    def __init__(
        self,
        sink_id: str,
        topics: Topics,
        latest: LatestStates,
        clock: Clock,
        *,
        retained: RetainedTopics | None = None,
        announcer: Announcer | None = None,
    ) -> None:
        self._sink_id = sink_id
        self._topics = topics
        self._latest = latest
        self._clock = clock
        self._retained = retained
        self._announcer = announcer
        self._announcements: deque[Announcement] = deque()
        self._entities: set[str] = set()
        """Announcements that are being taken back."""
        self._later: list[str] = []
        """What else is to be cleared, once that is done."""
        self._digested_ms = 0
        self._is_over = False
        self._complaints = Complaints(_LOG, clock)

    def is_wanted(self, topic: str) -> bool:
        """Whether the configuration wants the broker to keep something there."""
        return self._retained is None or topic in self._retained

    def prepare(self) -> None:
        """Before a connection: write down what the broker will keep, and find what it is to forget."""
        if self._retained is None:
            return
        try:
            stale = self._retained.begin()
        except StoreError as error:
            self._cannot_write(error)
            return
        self._entities.update(topic for topic in stale if is_announcement(topic))
        # Whoever hears a state would read the empty one; so entities go first.
        passing = self._retained.passing
        self._later += [topic for topic in stale if topic not in self._entities | passing]
        for topic in stale:
            if topic in self._entities or topic in passing:
                self._latest.put(Saying(topic, b""))

    def connected(self) -> None:
        """There is a new connection: everything is said again."""
        self._latest.all_unsent()
        if self._announcer is not None:
            self._announcer.want()
        if self._announcer is None or self._announcer.has_announced:
            self._say_online()

    def lost(self, on_their_way: Iterable[Saying]) -> None:
        """The connection is gone, and with it what was not acknowledged."""
        self._announcements.clear()
        if self._announcer is not None:
            self._announcer.disconnected()
        passing = self._retained.passing if self._retained else frozenset()
        for saying in on_their_way:
            if saying.topic in passing and saying.body:
                # It may be what the broker hung up for, and a picture is worth no second connection.
                self._latest.drop(saying.topic)

    def turn(self) -> None:
        """See what has become due; asked while there is a connection."""
        now_ms = self._clock.moment().steady_ms
        if self._is_over or self._entities or now_ms < self._digested_ms:
            return
        for topic in self._later:
            self._latest.put(Saying(topic, b""))
        self._later = []
        if self._announcer is None or self._announcements:
            # However often Home Assistant says that it started: one round after the other.
            return
        if self._announcer.is_due(now_ms):
            is_first = not self._announcer.has_announced
            self._announcements.extend(self._announcer.announce(now_ms))
            if is_first:
                self._say_online()
        elif self._announcer.are_states_due(now_ms):
            self._latest.again()

    def take(self) -> Saying | None:
        """What is to be sent next; None where there is nothing."""
        if self._announcements:
            announcement = self._announcements.popleft()
            before = self._retained.parts_before(announcement.topic) if self._retained else ""
            return Saying(announcement.topic, announcement.body(before))
        return self._latest.take()

    def answered(self, saying: Saying, *, is_taken: bool) -> None:
        """The broker acknowledged it, or refused it."""
        if saying.topic in self._entities and saying.is_clearing:
            self._entities.discard(saying.topic)
            self._digested_ms = self._clock.moment().steady_ms + _DIGEST_MS
        if not is_taken:
            return
        is_cleared = self._latest.acknowledged(saying)
        if self._retained is None:
            return
        try:
            if is_cleared:
                self._retained.cleared(saying.topic)
            elif saying.body:
                self._retained.announced(saying.topic)
        except StoreError as error:
            self._cannot_write(error)

    def farewell(self) -> list[Saying]:
        """The last words of a clean stop; nothing that was still to be said there comes after them."""
        self._is_over = True
        self._announcements.clear()
        passing = sorted(self._retained.passing) if self._retained else []
        shown = [Saying(topic, b"") for topic in passing if self._latest.says_something(topic)]
        for topic in (*passing, self._topics.status):
            self._latest.drop(topic)
        return [*shown, Saying(self._topics.status, OFFLINE)]

    def _say_online(self) -> None:
        self._latest.put_last(Saying(self._topics.status, ONLINE))

    def _cannot_write(self, error: StoreError) -> None:
        self._complaints.tell(
            f"What the broker keeps of the sink `{self._sink_id}` cannot be written down,"
            f" so that it may not be cleared one day: {error}",
            level=logging.ERROR,
        )
