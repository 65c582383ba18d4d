"""When a log line repeats: at most one a second of each, and how many were held back."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

_MOST_KINDS: Final = 256
"""Kinds of line that are remembered; the longest silent is forgotten first, and told before that."""


K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class _Kind:
    """What is remembered of one kind of line."""

    let_through_s: float
    held_back: int = 0


class RepeatLimit(Generic[K]):
    """Decides which lines are let through. Time is handed in with each line, in seconds.

    Args:
        interval_s: least time between two lines of one kind.
    """

    def __init__(self, interval_s: float = 1.0) -> None:
        self._interval_s = interval_s
        self._kinds: OrderedDict[K, _Kind] = OrderedDict()
        """In the order in which they were last let through."""

    def admit(self, kind: K, now_s: float) -> int | None:
        """How many of this kind were held back since the last one, or None when this one is to be, too."""
        known = self._kinds.get(kind)
        if known is None:
            self._kinds[kind] = _Kind(now_s)
            return 0
        if self._is_recent(known, now_s, self._interval_s):
            known.held_back += 1
            return None
        held_back, known.held_back, known.let_through_s = known.held_back, 0, now_s
        self._kinds.move_to_end(kind)
        return held_back

    def overdue(self, now_s: float) -> Iterator[tuple[K, int]]:
        """Kinds that fell silent with lines held back, each with their number: told once, then forgotten."""
        while self._kinds:
            kind, known = next(iter(self._kinds.items()))
            if len(self._kinds) <= _MOST_KINDS and self._is_recent(known, now_s, 2 * self._interval_s):
                return
            del self._kinds[kind]
            if known.held_back:
                yield kind, known.held_back

    def all_held_back(self) -> Iterator[tuple[K, int]]:
        """What was held back and not told yet, for the end of the log."""
        while self._kinds:
            kind, known = self._kinds.popitem(last=False)
            if known.held_back:
                yield kind, known.held_back

    @staticmethod
    def _is_recent(known: _Kind, now_s: float, within_s: float) -> bool:
        # A wall clock that was set back must not silence a line until it catches up.
        return 0 <= now_s - known.let_through_s < within_s
