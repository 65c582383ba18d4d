"""Requests that come in over MQTT: which are taken, and where their answers may go."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from edged.delivery.reply_topic import why_not
from edged.delivery.topics import Topics
from edged.domain.message import Reply
from edged.domain.moment import Clock
from edged.publish.complaints import Complaints

_BESIDE_BYTES: Final = 8192
"""Room in a packet for what stands beside the request: topics, correlation data and properties of others."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that the broker brought, as it came.

    Attributes:
        response_topic: None where it has none, and always on MQTT 3.1.1.
        correlation: empty likewise.
    """

    topic: str
    payload: bytes
    is_retained: bool
    response_topic: str | None
    correlation: bytes


@dataclass(frozen=True, slots=True)
class MqttRequest:
    """A request that may be answered.

    Attributes:
        sink_id: of the sink that it came by, and that its answers go by.
        namespace: of its topic.
        body: as it came, undecoded; None where it is larger than `most_bytes`.
        most_bytes: `max_request` of the sink.
        answers: the topic below which answers go that have no topic of their own.
        response_topic: where whoever asked listens; None where that was not said.
        correlation: what whoever asked knows the answer by.
    """

    sink_id: str
    namespace: str
    body: bytes | None
    most_bytes: int
    answers: str
    response_topic: str | None
    correlation: bytes


class RequestInbox:
    """The subscriptions of one sink, and what comes of them. All calls are the sink's thread's.

    Args:
        sink_id: the sink.
        topics: its topics.
        namespaces: those whose requests it takes; one at least.
        most_bytes: a larger request is refused.
        prefixes: of all topics that we write; no answer goes there, see `reply_topic.why_not`.
        take: where requests go; does not wait.
        clock: who knows the time.
    """

    def __init__(
        self,
        sink_id: str,
        topics: Topics,
        namespaces: Collection[str],
        *,
        most_bytes: int,
        prefixes: Collection[str],
        take: Callable[[MqttRequest], None],
        clock: Clock,
    ) -> None:
        self._sink_id = sink_id
        self._namespaces = {topics.requests(namespace): namespace for namespace in namespaces}
        self._most_bytes = most_bytes
        self._prefixes = frozenset(prefixes)
        self._take = take
        # One each: sentences that take turns would be told every time.
        self._refusals = Complaints(_LOG, clock)
        self._retained = Complaints(_LOG, clock)
        self._unanswerable = Complaints(_LOG, clock)
        self._counts: Counter[str] = Counter()
        self.trouble = ""
        """What of the requests does not work, in words; empty where all does. Any thread may look."""

    @property
    def topics(self) -> tuple[str, ...]:
        """What is to be subscribed to."""
        return tuple(self._namespaces)

    @property
    def most_packet_bytes(self) -> int:
        """A packet with more bytes is none that we can want."""
        return self._most_bytes + _BESIDE_BYTES

    @property
    def counts(self) -> dict[str, int]:
        """Messages since the start: `taken`, `retained` (ignored), `unanswerable`. Any thread may ask."""
        return dict(self._counts)

    def subscribed(self, refusals: Sequence[str]) -> None:
        """What the broker said to each of `topics`: its words where it refused, else nothing."""
        refused = {topic: words for topic, words in zip(self._namespaces, refusals, strict=False) if words}
        if not refused:
            self.trouble = ""
            self._refusals.settle(f"The sink `{self._sink_id}` takes requests again")
            return
        words = ", ".join(sorted(set(refused.values())))
        self.trouble = f"the broker does not let it read {', '.join(refused)}: {words}"
        self._refusals.tell(
            f"The sink `{self._sink_id}` gets no requests: {self.trouble}. See the broker's access list.",
            level=logging.ERROR,
        )

    def arrived(self, arrival: Arrival) -> None:
        """Take a message over, or say why not."""
        namespace = self._namespaces.get(arrival.topic)
        if namespace is None:
            return
        if arrival.is_retained:
            # It would be worked on anew at every connection.
            self._counts["retained"] += 1
            self._retained.tell(
                f"A retained request at {arrival.topic} is ignored: requests are sent without `retain`"
            )
            return
        if arrival.response_topic is not None and not self._may_answer(arrival):
            return
        self._counts["taken"] += 1
        self._take(
            MqttRequest(
                sink_id=self._sink_id,
                namespace=namespace,
                body=arrival.payload if len(arrival.payload) <= self._most_bytes else None,
                most_bytes=self._most_bytes,
                answers=arrival.topic,
                response_topic=arrival.response_topic,
                correlation=arrival.correlation,
            )
        )

    def _may_answer(self, arrival: Arrival) -> bool:
        reply = Reply(arrival.response_topic or "", arrival.correlation)
        why = why_not(reply, arrival.topic, self._prefixes)
        if not why:
            return True
        self._counts["unanswerable"] += 1
        _LOG.debug("The response topic of a request at %s is not written to: %s", arrival.topic, why)
        self._unanswerable.tell(
            f"A request at {arrival.topic} is ignored: its response topic is none that edged writes to;"
            " docs/delivery.md says which it does"
        )
        return False
