"""Which threads go on, and which stand still although they have something to do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edged.domain.moment import Moment


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
        self._since: dict[str, tuple[int, int]] = {}
        self._still_s: dict[str, float] = {}
        self._wedged: tuple[Heart, ...] = ()

    def look(self, now: Moment) -> None:
        """See which beat."""
        wedged, still = [], {}
        for heart in self._hearts():
            beats, since_ms = self._since.get(heart.name, (-1, 0))
            if heart.is_idle or heart.beats != beats:
                since_ms = now.steady_ms
            self._since[heart.name] = heart.beats, since_ms
            still[heart.name] = (now.steady_ms - since_ms) / 1000
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
