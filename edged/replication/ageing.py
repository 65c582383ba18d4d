"""How old what a member knows is, told by two clocks of which one may be set.

The authority says now and then that its manifest is in force; what it says has its time by its own clock. The
wall clock of a small machine may stand anywhere until it learns the time, and may be set while it runs. The
steady clock cannot, but knows nothing of the time before the start. So the wall clock tells the age, the
steady one how fast it may grow, and where the two part, the wall clock is believed only after a while, in
which the authority can be heard; and that is said.
"""

from dataclasses import dataclass
from typing import Final

from edged.domain.moment import Moment

PATIENCE_MS: Final = 600_000
"""A clock that was set is believed after so long without a word of the authority: twice what passes between
two of its words, unless `alive_every` is changed."""
TOLERANCE_MS: Final = 60_000
"""Clocks that differ by less are right: messages take their time, and clocks are slewed."""


@dataclass(frozen=True, slots=True)
class Age:
    """How old what is known is.

    Attributes:
        age_ms: since the authority last said that it is in force.
        is_old: whether that is longer than it may be.
        doubt: why the age may be wrong, in words; empty where both clocks agree.
    """

    age_ms: int
    is_old: bool
    doubt: str = ""


class Ageing:
    """Remembers when the authority was last heard. Times are handed in, at least every few seconds.

    Args:
        max_age_ms: what is older is old; None: nothing ever is.
    """

    def __init__(self, max_age_ms: int | None) -> None:
        self._max_age_ms = max_age_ms
        self._alive_ms: int | None = None
        self._age_ms = 0
        self._seen_ms = 0
        self._parted_ms: int | None = None
        """Since when the clocks differ, by the steady one; None: they agree, or the wall's is believed."""
        self._doubt = ""

    def look(self, alive_ms: int, now: Moment) -> Age:
        """How old it is now.

        Args:
            alive_ms: when the authority last said that it is in force, UTC milliseconds by its clock.
            now: by this machine's clocks.
        """
        by_wall_ms = now.utc_ms - alive_ms
        if alive_ms != self._alive_ms:
            # A new word, or the first look: there is only the wall clock to go by.
            self._alive_ms, self._age_ms = alive_ms, max(0, by_wall_ms)
            self._parted_ms, self._doubt = None, ""
            fair_ms = self._age_ms
        else:
            fair_ms = self._age_ms + now.steady_ms - self._seen_ms
        self._seen_ms = now.steady_ms
        self._compare(by_wall_ms, fair_ms, now.steady_ms)
        is_old = self._max_age_ms is not None and self._age_ms > self._max_age_ms
        return Age(self._age_ms, is_old, self._doubt)

    def _compare(self, by_wall_ms: int, fair_ms: int, steady_ms: int) -> None:
        """Take over the age: `fair_ms` is what it is by the steady clock since the last look."""
        if by_wall_ms < -TOLERANCE_MS:
            # Before the authority's own word: such a time cannot be, however long it has been shown.
            self._parted_ms = steady_ms
            self._age_ms = fair_ms
            self._doubt = (
                f"this machine's clock is {span(-by_wall_ms)} behind the authority's last word: the age is"
                " counted from when it came, or from the start; set the clock"
            )
        elif abs(by_wall_ms - fair_ms) <= TOLERANCE_MS:
            # Anchored anew at each look, so that clocks may drift apart slowly.
            self._age_ms = max(0, by_wall_ms)
            if self._parted_ms is not None:
                self._parted_ms, self._doubt = None, ""
        else:
            self._part(by_wall_ms, fair_ms, steady_ms)

    def _part(self, by_wall_ms: int, fair_ms: int, steady_ms: int) -> None:
        if self._parted_ms is None:
            self._parted_ms = steady_ms
        way = "forward" if by_wall_ms > fair_ms else "back"
        words = (
            f"this machine's clock was set {way} by {span(abs(by_wall_ms - fair_ms))}: by it the authority"
            f" was last heard {span(by_wall_ms)} ago"
        )
        if steady_ms - self._parted_ms >= PATIENCE_MS:
            self._age_ms, self._parted_ms = by_wall_ms, None
            self._doubt = f"{words}, and it is believed by now"
        else:
            self._age_ms = fair_ms
            self._doubt = f"{words}, which is believed only {span(PATIENCE_MS)} after that was seen"


def span(ms: int) -> str:
    """So many milliseconds in words, in the largest unit of which there are two."""
    for name, unit_ms in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if ms >= 2 * unit_ms:
            return f"{ms // unit_ms} {name}"
    return f"{max(ms, 0) // 1000} s"
