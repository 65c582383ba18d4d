"""How old something kept is, on machines whose wall clock may be wrong.

Retention shall neither delete what is new because the clock was set, nor keep for ever what was written when
it ran ahead. A small machine without a clock chip starts in the past and jumps when it learns the time. The
steady clock never jumps: where the two part, the wall clock was set, and what this run wrote under the old
time is moved along.
"""

from dataclasses import dataclass
from typing import Final

from edged.domain.moment import Moment

KNOWN_MS: Final = 1_577_836_800_000
"""2020-01-01 UTC. A clock that says less has not learnt the time."""

JUMP_MS: Final = 60_000
"""Less than this is no jump worth moving anything for."""

SETTLED_MS: Final = 3_600_000
"""A clock that did not jump for so long is believed against what was written down before."""

AHEAD_MS: Final = 86_400_000
"""What says that it was written so far in the future was written by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be done with written times before ages are judged, all UTC milliseconds.

    Attributes:
        now_ms: the wall clock.
        is_known: whether it can be believed at all; if not, nothing is too old.
        moved: (first, last, by) of times that this run wrote before the clock was set; None where it was not.
        is_settled: whether times in the future are wrong, and not the clock.
    """

    now_ms: int
    is_known: bool
    moved: tuple[int, int, int] | None
    is_settled: bool

    def before_ms(self, max_age_s: float) -> int:
        """What was written before this is too old."""
        return self.now_ms - round(max_age_s * 1000) if self.is_known else 0


class KeptTime:
    """Watches one run's clock. Asked before every look at ages; values in, values out."""

    def __init__(self, begun: Moment) -> None:
        self._last = begun
        self._first_ms = begun.utc_ms
        self._steady_since_ms = begun.steady_ms

    def look(self, now: Moment) -> Correction:
        """What is to be corrected by now."""
        passed_ms = now.steady_ms - self._last.steady_ms
        expected_ms = self._last.utc_ms + passed_ms
        by_ms = now.utc_ms - expected_ms
        moved = None
        if abs(by_ms) >= JUMP_MS:
            moved = (self._first_ms, expected_ms, by_ms)
            self._first_ms += by_ms
            self._steady_since_ms = now.steady_ms
        self._last = now
        return Correction(
            now_ms=now.utc_ms,
            is_known=now.utc_ms >= KNOWN_MS,
            moved=moved,
            is_settled=now.steady_ms - self._steady_since_ms >= SETTLED_MS,
        )
