"""Puts together what keeps everything within its limits, also what no running part looks after."""

from pathlib import Path

from edged.domain.moment import Clock
from edged.pipeline.cleaner import Cleaner
from edged.settings.root import Settings
from edged.store.retention import Tally
from edged.store.sweeper import Limits, Others, Sweeper


class Cleaning:
    """The cleaner's thread, and what it does.

    Args:
        served: namespaces that feeds and requests use.
        keeps_history: whether the historian runs for them.
    """

    def __init__(
        self,
        settings: Settings,
        data_dir: Path,
        served: tuple[str, ...],
        clock: Clock,
        tally: Tally,
        *,
        keeps_history: bool,
    ) -> None:
        others = Others(
            history=served if keeps_history else (),
            groups=served if settings.groups.enabled else (),
            detections=keeps_history,
        )
        self._sweeper = Sweeper(data_dir, limits_of(settings), others, clock, tally)
        self.thread = Cleaner(self._sweeper.step)
        self._tally = tally

    @property
    def taken(self) -> dict[str, int]:
        """What retention deleted since the start, by kind, whichever thread did it."""
        return self._tally.taken

    def configure(self, settings: Settings) -> None:
        """Take over changed limits."""
        self._sweeper.limits = limits_of(settings)
        self.thread.wake()


def limits_of(settings: Settings) -> Limits:
    """How much is kept, and for how long."""
    return Limits(settings.history, settings.groups, settings.privacy.chips)
