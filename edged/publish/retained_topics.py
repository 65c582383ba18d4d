"""What the broker keeps of a sink: written down before it is published, taken back when nobody wants it."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from edged.delivery.announcement import merged_parts
from edged.delivery.kept_topics import KeptTopics


class RetainedLedger(Protocol):
    """Where topics are written down. Each may raise `StoreError`."""

    def retained(self, sink: str, broker: str) -> dict[str, str]:
        """Topics that the broker may keep for the sink, each with its parts."""
        ...

    def note_retained(self, sink: str, broker: str, parts: Mapping[str, str]) -> None:
        """Write topics down, each with its parts."""
        ...

    def forget_retained(self, sink: str, broker: str, topics: Iterable[str]) -> None:
        """The broker keeps nothing there any more."""
        ...


class RetainedTopics:
    """The ledger of one sink at one broker. All calls are the sink's thread's.

    Of a message that announces several entities to Home Assistant the parts are written down too. While one
    that is gone was not named once more, both those of before and those of now are.

    Args:
        ledger: where topics are written down.
        sink_id: the sink.
        broker: where it is connected, `host:port`.
        wanted: what the configuration wants the broker to keep.
    """

    def __init__(self, ledger: RetainedLedger, sink_id: str, broker: str, wanted: KeptTopics) -> None:
        self._ledger = ledger
        self._place = sink_id, broker
        self._wanted = wanted
        self._has_begun = False
        self._written: dict[str, str] = {}

    def __contains__(self, topic: str) -> bool:
        """Whether the broker is to keep something there."""
        return topic in self._wanted

    @property
    def passing(self) -> frozenset[str]:
        """Topics that are cleared when the daemon starts and when it stops."""
        return self._wanted.passing

    def begin(self) -> list[str]:
        """Write down what is not yet; returns the topics to be cleared. Nothing the second time.

        Raises `StoreError`, having changed nothing, and can be asked again then.
        """
        if self._has_begun:
            return []
        before = self._ledger.retained(*self._place)
        wanted = {
            topic: merged_parts(before.get(topic, ""), parts) for topic, parts in self._wanted.lasting.items()
        }
        wanted |= dict.fromkeys(self._wanted.passing, "")
        news = {topic: parts for topic, parts in wanted.items() if before.get(topic) != parts}
        if news:
            self._ledger.note_retained(*self._place, news)
        self._written = before | news
        self._has_begun = True
        return [topic for topic in before if topic not in self._wanted.lasting]

    def parts_before(self, topic: str) -> str:
        """What may still be announced by the message there, or is now."""
        return self._written.get(topic, "")

    def announced(self, topic: str) -> None:
        """The broker has the message that names the present parts alone; raises `StoreError`."""
        parts = self._wanted.lasting.get(topic, "")
        if self._written.get(topic, parts) != parts:
            self._ledger.note_retained(*self._place, {topic: parts})
            self._written[topic] = parts

    def cleared(self, topic: str) -> None:
        """The broker keeps nothing there any more; raises `StoreError`."""
        if topic in self._written and topic not in self._wanted:
            self._ledger.forget_retained(*self._place, [topic])
            del self._written[topic]
