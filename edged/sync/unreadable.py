"""Topics that a broker does not let a node read, in words."""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from edged.domain.moment import Clock
from edged.publish.complaints import Complaints

_LOG: Final = logging.getLogger(__name__)


class Unreadable:
    """What was refused on one connection; `clock` knows the time."""

    def __init__(self, clock: Clock) -> None:
        self._words: dict[str, str] = {}
        self._complaints = Complaints(_LOG, clock)

    def answered(self, topics: Sequence[str], refusals: Sequence[str]) -> None:
        """Note what the broker said to each topic, and tell what may not be read: its words, or nothing."""
        for topic, words in zip(topics, refusals, strict=False):
            if words:
                self._words[topic] = words
            else:
                self._words.pop(topic, None)
        if self._words:
            topic, words = next(iter(self._words.items()))
            self._complaints.tell(
                f"The sync may not read {topic}: {words}. See the broker's access list, and its log.",
                level=logging.ERROR,
            )
        else:
            self._complaints.settle("The sync may read all its topics")

    def trouble(self, topics: Iterable[str]) -> str:
        """Which of these may not be read, the first of them; empty where all may."""
        refused = sorted(set(topics) & self._words.keys())
        return f"the broker does not let it read {refused[0]}: {self._words[refused[0]]}" if refused else ""

    def forget(self, topics: Iterable[str]) -> None:
        """These are not wanted any more."""
        for topic in topics:
            self._words.pop(topic, None)

    def clear(self) -> None:
        """The connection is over."""
        self._words.clear()
