"""Requests that come in over MQTT: which are taken, and where their answers may go."""

import logging
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from edged.delivery.reply_topic import why_not
from edged.delivery.topics import Topics
from edged.domain.message import Reply
from edged.domain.moment import Clock
from edged.publish.complaints import Complaints
from edged.publish.mqtt_subscriptions import Arrival

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MqttRequest:
    """A request that may be answered.

    Attributes:
        sink_id: of the sink that it came by, and that its answers go by.
        namespace: of its topic.
        body: as it came, undecoded; None where it is larger than `most_bytes`, and was not read.
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
    """Takes the requests that come in by one sink. All calls are the sink's thread's.

    Args:
        sink_id: the sink.
        topics: its topics.
        namespaces: those whose requests it takes; one at least.
        most_bytes: a larger request is refused.
        prefixes: of all topics that we write; no answer goes there, see `reply_topic.why_not`.
        take: where requests go; does not wait.
        clock: who knows the time.
    """

    deaf = "gets no requests"

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
        self.topics = tuple(self._namespaces)
        self.most_bytes = most_bytes
        self._prefixes = frozenset(prefixes)
        self._take = take
        # One each: sentences that take turns would be told every time.
        self._retained = Complaints(_LOG, clock)
        self._unanswerable = Complaints(_LOG, clock)
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, int]:
        """Messages since the start: `taken`, `retained` (ignored), `unanswerable`. Any thread may ask."""
        return dict(self._counts)

    def arrived(self, arrival: Arrival) -> None:
        """Take a message over, or say why not."""
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
                namespace=self._namespaces[arrival.topic],
                body=None if arrival.unread or len(arrival.payload) > self.most_bytes else arrival.payload,
                most_bytes=self.most_bytes,
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
