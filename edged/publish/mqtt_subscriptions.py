"""What a sink reads at the broker: one table, from topic to who takes what comes there."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edged.delivery.topics import OFF, ON, ONLINE
from edged.domain.moment import Clock
from edged.publish.complaints import Complaints

_BESIDE_BYTES: Final = 8192
"""Room in a packet for what stands beside the payload: topics, correlation data and properties of others."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that the broker brought, as it came.

    Attributes:
        response_topic: None where it has none, and always on MQTT 3.1.1.
        correlation: empty likewise.
        unread: why its payload is not here, `oversized` or `malformed`; empty where it is.
    """

    topic: str
    payload: bytes
    is_retained: bool
    response_topic: str | None
    correlation: bytes
    unread: str = ""


class Taker(Protocol):
    """Takes what comes at some topics. All calls are the sink's thread's."""

    topics: tuple[str, ...]
    """What is to be subscribed to."""
    most_bytes: int
    """A larger payload is none that it can want."""
    deaf: str
    """What does not work while the broker lets nobody read there: `gets no requests`."""

    def arrived(self, arrival: Arrival) -> None:
        """Take a message over, or say why not; does not wait."""
        ...


class Subscriptions:
    """The subscriptions of one sink. All calls are the sink's thread's.

    Args:
        sink_id: the sink.
        takers: who takes what; no two the same topic.
        clock: who knows the time.
    """

    def __init__(self, sink_id: str, takers: Sequence[Taker], clock: Clock) -> None:
        self._sink_id = sink_id
        self._takers = {topic: taker for taker in takers for topic in taker.topics}
        self._refusals = Complaints(_LOG, clock)
        self.trouble = ""
        """What cannot be read, in words; empty where all can. Any thread may look."""

    @property
    def topics(self) -> tuple[str, ...]:
        """What is to be subscribed to."""
        return tuple(self._takers)

    @property
    def most_packet_bytes(self) -> int:
        """A packet with more bytes is none that we can want."""
        return max(taker.most_bytes for taker in self._takers.values()) + _BESIDE_BYTES

    def subscribed(self, topics: Sequence[str], refusals: Sequence[str]) -> None:
        """What the broker said to each topic: its words where it refused, else nothing."""
        refused = {topic: words for topic, words in zip(topics, refusals, strict=False) if words}
        if not refused:
            self.trouble = ""
            self._refusals.settle(f"The sink `{self._sink_id}` may read all its topics again")
            return
        words = ", ".join(sorted(set(refused.values())))
        deaf = " and ".join(dict.fromkeys(self._takers[topic].deaf for topic in refused))
        self.trouble = f"the broker does not let it read {', '.join(refused)}: {words}"
        self._refusals.tell(
            f"The sink `{self._sink_id}` {deaf}: {self.trouble}. See the broker's access list.",
            level=logging.ERROR,
        )

    def arrived(self, arrival: Arrival) -> None:
        """Hand a message to who takes it; what nobody takes is left."""
        taker = self._takers.get(arrival.topic)
        if taker is not None:
            taker.arrived(arrival)


class SwitchTaker:
    """Takes the words that switch feeds on and off.

    Args:
        topics: the topic of each feed's switch, with the feed.
        switch: called with the feed and whether it is to be on; does not wait.
        clock: who knows the time.
    """

    deaf = "cannot be told to switch feeds"
    most_bytes = 16

    def __init__(self, topics: dict[str, str], switch: Callable[[str, bool], None], clock: Clock) -> None:
        self.topics = tuple(topics)
        self._feeds = topics
        self._switch = switch
        self._retained = Complaints(_LOG, clock)
        self._unreadable = Complaints(_LOG, clock)
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, int]:
        """Messages since the start: `taken`, `retained` and `unreadable` (ignored). Any thread may ask."""
        return dict(self._counts)

    def arrived(self, arrival: Arrival) -> None:
        """Switch, where it is said now and in so many words."""
        if arrival.is_retained:
            # It would undo, at every connection, what somebody else wanted meanwhile.
            self._counts["retained"] += 1
            self._retained.tell(
                f"A retained message at {arrival.topic} is ignored: a feed is switched without `retain`"
            )
        elif arrival.payload not in (ON, OFF):
            self._counts["unreadable"] += 1
            self._unreadable.tell(
                f"A message at {arrival.topic} is ignored: a feed is switched with `ON` or `OFF` alone"
            )
        else:
            self._counts["taken"] += 1
            self._switch(self._feeds[arrival.topic], arrival.payload == ON)


class BirthTaker:
    """Hears when Home Assistant has started.

    Args:
        topics: where it may say so.
        born: called when it does.
    """

    deaf = "does not hear when Home Assistant starts"
    most_bytes = 16

    def __init__(self, topics: Sequence[str], born: Callable[[], None]) -> None:
        self.topics = tuple(topics)
        self._born = born

    def arrived(self, arrival: Arrival) -> None:
        """Take note of `online`, retained or not; it says other words when it stops."""
        if arrival.payload == ONLINE:
            self._born()
