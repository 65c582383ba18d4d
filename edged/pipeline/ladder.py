"""Steps down quickly and up slowly, and ever more slowly where going up did not last. Pure."""

from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 3 / 4, 1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 8, 1 / 12, 1 / 16)
"""Parts of a configured frame rate: each about two thirds to three quarters of the one before."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a ladder is climbed.

    Attributes:
        up_after_s: so long all must be well before a step up.
        longest_s: the longest that this wait grows to.
        regret_s: a step up that is taken back within this was one too many: the wait doubles.
    """

    up_after_s: float
    longest_s: float
    regret_s: float


class Ladder:
    """Where on `STEPS` something stands, 0 at the top. Times are seconds of any start."""

    def __init__(self, pace: Pace) -> None:
        self.step = 0
        self._pace = pace
        self._patience_s = pace.up_after_s
        self._well_since_s: float | None = None
        self._raised_s: float | None = None

    def down(self, now_s: float, lowest: int) -> bool:
        """One step down, to `lowest` at most; whether there was one."""
        self._well_since_s = None
        if self.step >= lowest:
            return False
        self.step += 1
        if self._raised_s is not None and now_s - self._raised_s <= self._pace.regret_s:
            self._patience_s = min(2 * self._patience_s, self._pace.longest_s)
        self._raised_s = None
        return True

    def look(self, now_s: float, *, may_rise: bool) -> bool:
        """Note whether a step up would do; takes it when that has been so for long enough."""
        if not may_rise or not self.step:
            self._well_since_s = None
            return False
        if self._well_since_s is None:
            self._well_since_s = now_s
        if now_s - self._well_since_s < self._patience_s:
            return False
        if self._raised_s is not None and now_s - self._raised_s > self._pace.regret_s:
            self._patience_s = max(self._patience_s / 2, self._pace.up_after_s)
        self.step -= 1
        self._raised_s = now_s
        self._well_since_s = None
        return True
