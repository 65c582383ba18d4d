"""Which threads go on, and which stand still although they have something to do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from edged.domain.moment import Moment

MOST_BETWEEN_MS: Final = 5_000
"""What counts of the time between two looks, at most: where it was longer, whoever looks stood still too, as
the whole process or machine did, and nobody can say who would have turned meanwhile."""


@dataclass(frozen=True, slots=True)
class Heart:
    """A thread as it is at one moment.

    Attributes:
        name: of the thread.
        beats: counts its turns.
        is_idle: whether it has nothing to do, or says why it waits: then it may stand still.
        patience_s: for which it may stand still else; longer, and it is wedged.
        is_vital: whether the daemon is of no use without it, so that only a new start helps.
    """

    name: str
    beats: int
    is_idle: bool
    patience_s: float
    is_vital: bool = False


class Heartbeats:
    """Remembers since when each thread has stood still. Times are handed in; the main thread looks.

    Args:
        hearts: gives all threads as they are now.
    """

    def __init__(self, hearts: Callable[[], Iterable[Heart]]) -> None:
        self._hearts = hearts
        self._beats: dict[str, int] = {}
        self._still_s: dict[str, float] = {}
        self._looked_ms: int | None = None
        self._wedged: tuple[Heart, ...] = ()

    def look(self, now: Moment) -> None:
        """See which beat."""
        before_ms, self._looked_ms = self._looked_ms, now.steady_ms
        passed_ms = 0 if before_ms is None else min(now.steady_ms - before_ms, MOST_BETWEEN_MS)
        wedged, still = [], {}
        for heart in self._hearts():
            has_turned = heart.is_idle or heart.beats != self._beats.get(heart.name)
            self._beats[heart.name] = heart.beats
            still[heart.name] = 0.0 if has_turned else self._still_s[heart.name] + passed_ms / 1000
            if still[heart.name] > heart.patience_s:
                wedged.append(heart)
        self._still_s, self._wedged = still, tuple(wedged)

    @property
    def still_s(self) -> dict[str, float]:
        """For how long each has stood still with something to do; any thread may ask."""
        return self._still_s

    @property
    def wedged(self) -> tuple[str, ...]:
        """Those that have stood still for too long; any thread may ask."""
        return tuple(heart.name for heart in self._wedged)

    @property
    def is_lost(self) -> bool:
        """Whether a vital one is among them."""
        return any(heart.is_vital for heart in self._wedged)
