"""Measures what a source costs while its frames are taken."""

from typing import Final, Protocol

from edged.camera.auto_choice import Figures
from edged.camera.cpu_time import cpu_ms, this_thread
from edged.camera.decoding import DecodingSource
from edged.domain.moment import Clock

WARM_UP_MS: Final = 1000
"""What comes in the first moment was waiting, and the decoder is still setting itself up."""

MEASURE_MS: Final = 4000


class Meter(Protocol):
    """Measures one source, frame by frame."""

    def frame(self) -> Figures | None:
        """A frame was grabbed; returns the figures once it is time."""
        ...


class Measurement:
    """The cost of one source, from after its warm-up for a while; made and used by the thread that grabs.

    Args:
        source: open.
        clock: the time.
        warm_up_ms: how long nothing is counted.
        measure_ms: how long it is counted then, at least.
    """

    def __init__(
        self, source: DecodingSource, clock: Clock, warm_up_ms: int = WARM_UP_MS, measure_ms: int = MEASURE_MS
    ) -> None:
        self._clock = clock
        self._source = source
        self._tasks: tuple[str, ...] = ()
        self._measure_ms = measure_ms
        self._from_ms = clock.moment().steady_ms + warm_up_ms
        self._begin: tuple[int, float] | None = None
        self._frames = 0

    def frame(self) -> Figures | None:
        """A frame was grabbed; returns the figures once it is time."""
        now_ms = self._clock.moment().steady_ms
        if self._begin is None:
            if now_ms >= self._from_ms:
                self._tasks = (*self._source.tasks, this_thread())
                self._begin = now_ms, cpu_ms(self._tasks)
            return None
        self._frames += 1
        return self.figures() if now_ms - self._begin[0] >= self._measure_ms else None

    def figures(self) -> Figures | None:
        """What was measured so far; None before the first frame that counts."""
        if self._begin is None or not self._frames:
            return None
        began_ms, spent_ms = self._begin
        took_ms = max(1, self._clock.moment().steady_ms - began_ms)
        # A process that has ended meanwhile counts nothing.
        spent_ms = max(0.0, cpu_ms(self._tasks) - spent_ms)
        return Figures(spent_ms / self._frames, self._frames * 1000 / took_ms)
