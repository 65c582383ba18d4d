"""How far a long command is, and how long it will take."""

from collections.abc import Callable
from typing import Final

from edged.domain.moment import Clock

_FIRST_MS: Final = 2000
_EVERY_MS: Final = 5000
_MINUTE_S: Final = 60


class Progress:
    """Tells a line now and then; what is done in a moment is not told at all.

    Args:
        write: takes one line.
        clock: the time.
    """

    def __init__(self, write: Callable[[str], None], clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._what = ""
        self._begun_ms = 0
        self._begun_at = 0
        self._next_ms = 0

    def tell(self, what: str, done: int, of: int) -> None:
        """So much of so much is done."""
        now_ms = self._clock.moment().steady_ms
        if what != self._what:
            # What came from a work folder before the first look says nothing of the rest.
            self._what, self._begun_ms, self._begun_at = what, now_ms, done
            self._next_ms = now_ms + _FIRST_MS
        if now_ms < self._next_ms or done >= of:
            return
        self._next_ms = now_ms + _EVERY_MS
        fresh = done - self._begun_at
        left_s = (now_ms - self._begun_ms) / 1000 * (of - done) / fresh if fresh > 0 else None
        left = "" if left_s is None else f", about {_words(left_s)} left"
        self._write(f"{what}: {done:,} of {of:,}{left}")


def _words(seconds: float) -> str:
    if seconds < _MINUTE_S:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / _MINUTE_S)
    return f"{minutes} min" if minutes < _MINUTE_S else f"{minutes // 60} h {minutes % 60} min"
