"""A clip, decoded in whichever way costs the least on this machine."""

import contextlib
import logging
from collections.abc import Callable
from typing import Final

from edged.camera.auto_choice import Figures, Trial, best, reasons
from edged.camera.candidates import Candidate, Machine, candidates, this_machine
from edged.camera.chosen_source import ChosenSource
from edged.camera.decoding import Decodings, DecodingSource
from edged.camera.measuring import Measurement
from edged.domain.errors import CameraError, EndOfMediaError
from edged.domain.moment import Clock

_LOG: Final = logging.getLogger(__name__)
_TRIAL_MS: Final = 1500
_TRIAL_FRAMES: Final = 300
_LOOK_EVERY: Final = 10


class ClipByAuto(ChosenSource):
    """A clip of which every way decodes the beginning, once, before it is played from its first frame.

    Args:
        decodings: what can decode the clip.
        clock: the time.
        look_around: looks at the machine.
    """

    def __init__(
        self, decodings: Decodings, clock: Clock, look_around: Callable[[str], Machine] = this_machine
    ) -> None:
        super().__init__(decodings)
        self._clock = clock
        self._look_around = look_around
        self._chosen: Candidate | None = None

    @property
    def decoder(self) -> str:
        """Who decodes."""
        return f"auto: {self._source.decoder}" if self._source is not None and self._source.decoder else ""

    def open(self) -> None:
        """Choose, where that was not done yet, and open the clip at its first frame."""
        self.close()
        chosen, self._chosen = self._chosen or self._choice(), None
        self._source = chosen.make()
        self._source.open()
        self._chosen = chosen

    def _choice(self) -> Candidate:
        everyone = candidates(self._decodings, self._look_around(self._decodings.ffmpeg_path))
        if len(everyone) == 1:
            return everyone[0]
        trials, errors = [], []
        for candidate in everyone:
            source = candidate.make()
            try:
                figures = self._figures(source)
                trials.append(Trial(candidate.name, source.decoder, figures))
            except CameraError as error:
                errors.append(error)
                trials.append(Trial(candidate.name, self._decodings.said(error)))
            finally:
                source.close()
        chosen = best(trials)
        if chosen is None:
            raise errors[0]
        _LOG.info("%s: auto chose %s: %s", self._decodings.name, chosen.words, reasons(trials, chosen))
        return next(candidate for candidate in everyone if candidate.name == chosen.way)

    def _figures(self, source: DecodingSource) -> Figures:
        """What the clip's beginning costs; how fast it came is left out, because nothing holds it back."""
        source.open()
        measurement = Measurement(source, self._clock, warm_up_ms=0, measure_ms=_TRIAL_MS)
        figures: Figures | None = None
        with contextlib.suppress(EndOfMediaError):
            for number in range(1, _TRIAL_FRAMES + 1):
                source.grab()
                source.retrieve()
                over = measurement.frame()
                if over is None and number % _LOOK_EVERY == 0:
                    # At the clip's end its process is gone, and nobody knows any more what it took.
                    figures = measurement.figures()
                if over is not None:
                    figures = over
                    break
        return Figures(0.0 if figures is None else figures.cpu_ms, 0.0)
