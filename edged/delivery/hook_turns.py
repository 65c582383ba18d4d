"""Whose turn it is among the hooks, when a few threads serve them all.

Every hook that has mail gets one turn after the other. What takes time is a receiver that does not answer,
and anybody may name one; so threads are kept free for those that are known to answer:

    proven   its last turn went well                  may have every thread
    new      nothing is known of it                   all but one, together with the failing
    failing  its last turn came to nothing            half of them
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Final

_REMEMBERED: Final = 2000
"""Hooks of which something is known. One that is forgotten is new again."""


class Standing(Enum):
    """What is known of a hook."""

    PROVEN = "proven"
    NEW = "new"
    FAILING = "failing"


@dataclass(slots=True)
class _Known:
    standing: Standing
    paused_until_ms: int


class HookTurns:
    """Gives turns. Times are steady milliseconds; its owner keeps threads out of each other's way."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._busy: dict[str, Standing] = {}
        self._known: OrderedDict[str, _Known] = OrderedDict()

    @property
    def busy(self) -> int:
        """Turns that go on."""
        return len(self._busy)

    def standing(self, hook_id: str) -> Standing:
        """What is known of a hook."""
        known = self._known.get(hook_id)
        return Standing.NEW if known is None else known.standing

    def offer(self, hook_ids: Collection[str]) -> None:
        """Say which hooks have mail now. Those that wait already keep their place."""
        for gone in [hook_id for hook_id in self._waiting if hook_id not in hook_ids]:
            del self._waiting[gone]
        for hook_id in hook_ids:
            if hook_id not in self._busy:
                self._waiting.setdefault(hook_id)

    def take(self, now_ms: int) -> str | None:
        """Begin the turn of the first hook that may have one now; None where there is none."""
        for hook_id in self._waiting:
            if self._paused_until_ms(hook_id) <= now_ms and self._has_thread_for(self.standing(hook_id)):
                del self._waiting[hook_id]
                self._busy[hook_id] = self.standing(hook_id)
                return hook_id
        return None

    def end(self, hook_id: str, standing: Standing, paused_until_ms: int) -> None:
        """A turn is over; the next one is not before `paused_until_ms`."""
        self._busy.pop(hook_id, None)
        self._known[hook_id] = _Known(standing, paused_until_ms)
        self._known.move_to_end(hook_id)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def next_ms(self) -> int | None:
        """When the first pause of a hook that waits is over; None where none waits."""
        return min((self._paused_until_ms(hook_id) for hook_id in self._waiting), default=None)

    def _paused_until_ms(self, hook_id: str) -> int:
        known = self._known.get(hook_id)
        return 0 if known is None else known.paused_until_ms

    def _has_thread_for(self, standing: Standing) -> bool:
        held = list(self._busy.values())
        failing = held.count(Standing.FAILING)
        doubtful = failing + held.count(Standing.NEW)
        if len(held) >= self._threads:
            return False
        match standing:
            case Standing.PROVEN:
                return True
            case Standing.NEW:
                return doubtful < max(1, self._threads - 1)
            case Standing.FAILING:
                return doubtful < max(1, self._threads - 1) and failing < max(1, self._threads // 2)
