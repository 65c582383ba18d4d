"""Letters under way: so few at once that memory stays bounded, whatever there is to send."""

from collections.abc import Callable
from typing import Final

from edged.domain.moment import Moment
from edged.sync.participant import Letter

WINDOW: Final = 16
"""Letters that were not acknowledged, at most: 1.5 MB of pages."""


class Outgoing:
    """A window of letters. What does not fit in is made again later: whoever posts asks for room first."""

    def __init__(self) -> None:
        self.sent_bytes = 0
        self._last_ticket = 0
        self._waiting: list[Letter] = []
        self._under_way: dict[int, tuple[str, Callable[[Moment], None]]] = {}
        self._topics: set[str] = set()

    @property
    def room(self) -> int:
        """How many more letters may be posted."""
        return max(0, WINDOW - len(self._under_way))

    def is_under_way(self, topic: str) -> bool:
        """Whether a letter to a topic is not acknowledged yet."""
        return topic in self._topics

    def post(
        self, topic: str, payload: bytes, done: Callable[[Moment], None], *, is_retained: bool = True
    ) -> None:
        """Send a letter at the next turn; `done` is called when the broker has it, and may not raise."""
        self._last_ticket += 1
        self._waiting.append(Letter(topic, payload, is_retained, self._last_ticket))
        self._under_way[self._last_ticket] = (topic, done)
        self._topics.add(topic)
        self.sent_bytes += len(payload)

    def taken(self) -> list[Letter]:
        """What was posted since the last call."""
        letters, self._waiting = self._waiting, []
        return letters

    def acknowledged(self, ticket: int, now: Moment) -> None:
        """The broker has a letter."""
        found = self._under_way.pop(ticket, None)
        if found is not None:
            self._topics.discard(found[0])
            found[1](now)

    def lose_all(self) -> None:
        """The connection ended: nothing is under way any more."""
        self._waiting.clear()
        self._under_way.clear()
        self._topics.clear()
