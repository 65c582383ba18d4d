"""A camera's stream, decoded in whichever way costs the least on this machine."""

import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from edged.camera.auto_choice import Figures, Trial, best, reasons
from edged.camera.candidates import Candidate, Machine, candidates, this_machine
from edged.camera.decoding import Decodings, DecodingSource
from edged.camera.measuring import Measurement, Meter
from edged.camera.opening import Opening
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.domain.moment import Clock

_LOG: Final = logging.getLogger(__name__)

_CHANCES: Final = 2
"""A way that breaks off while it is measured is tried once more: it may have been the camera."""

_SHORT_FRAMES: Final = 100
"""A chosen way that ends after fewer frames, twice in a row, is no longer believed."""

_NEVER_THE_WAYS: Final = frozenset({CameraFault.UNREACHABLE, CameraFault.UNAUTHORISED})


class StreamByAuto:
    """A stream that tries the ways to decode one after the other, and keeps the cheapest.

    Frames flow all the time: each way is measured on those that it gives, and the next one is opened beside
    it, in a thread of its own. The choice is kept until the process ends, the stream's codec or size
    changes, or the chosen way fails.

    Args:
        decodings: what can decode the stream.
        clock: the time.
        look_around: looks at the machine.
        measure: begins to measure an open source.
    """

    is_live = True

    def __init__(
        self,
        decodings: Decodings,
        clock: Clock,
        look_around: Callable[[str], Machine] = this_machine,
        measure: Callable[[DecodingSource, Clock], Meter] = Measurement,
    ) -> None:
        self._decodings = decodings
        self._clock = clock
        self._look_around = look_around
        self._begin_measuring = measure
        self._candidates: tuple[Candidate, ...] = ()
        self._waiting: deque[Candidate] = deque()
        self._trials: dict[str, Trial] = {}
        self._breaks: Counter[str] = Counter()
        self._chosen: Candidate | None = None
        self._chosen_as = ""
        self._short_lives = 0
        self._candidate: Candidate | None = None
        self._source: DecodingSource | None = None
        self._frames = 0
        self._size: tuple[int, ...] | None = None
        self._measurement: Meter | None = None
        self._opening: Opening | None = None

    @property
    def decoder(self) -> str:
        """Who decodes, and whether that is the choice already."""
        if self._source is None or not self._source.decoder:
            return ""
        return f"auto{'' if self._chosen else ', measuring'}: {self._source.decoder}"

    def open(self) -> None:
        """Open what was chosen, or what is to be tried next."""
        self.close()
        if self._chosen is not None and self._reopened(self._chosen):
            return
        if not self._waiting and not self._trials:
            self._candidates = candidates(self._decodings, self._look_around(self._decodings.ffmpeg_path))
            self._waiting.extend(self._candidates)
        self._open_next()

    def grab(self) -> float | None:
        """Take the next frame."""
        self._change_over()
        if self._source is None:
            raise CameraError(CameraFault.DISCONNECTED, f"{self._decodings.name} is not open")
        try:
            at = self._source.grab()
        except CameraError as error:
            self._broke_off(error)
            raise
        self._frames += 1
        if self._measurement is not None and (figures := self._measurement.frame()) is not None:
            self._measured(figures)
        return at

    def retrieve(self) -> Pixels:
        """The frame just grabbed."""
        if self._source is None:
            raise CameraError(CameraFault.NOT_VIDEO, f"{self._decodings.name}: no picture was received")
        pixels = self._source.retrieve()
        before, self._size = self._size, pixels.shape
        if self._chosen is not None and before is not None and before != pixels.shape:
            self._measure_again("the picture's size changed")
        return pixels

    def close(self) -> None:
        """Let go of it."""
        source, self._source = self._source, None
        opening, self._opening = self._opening, None
        self._measurement = None
        if opening is not None:
            opening.abandon()
            if opening.candidate.name not in self._trials:
                self._waiting.appendleft(opening.candidate)
        if source is not None:
            source.close()

    def _reopened(self, chosen: Candidate) -> bool:
        """Open the chosen way again; False where it is no longer the choice."""
        source = chosen.make()
        try:
            source.open()
        except CameraError as error:
            source.close()
            if self._is_the_cameras(chosen, error):
                raise
            self._forget(f"{chosen.name} fails: {self._decodings.said(error)}")
            return False
        if source.decoder != self._chosen_as:
            source.close()
            self._forget(f"the stream is decoded by {source.decoder} now, was by {self._chosen_as}")
            return False
        self._take(chosen, source)
        return True

    def _open_next(self) -> None:
        """Open the next way that works; raises `CameraError` where the camera, or every way, fails."""
        first_error: CameraError | None = None
        while (candidate := self._next()) is not None:
            source = candidate.make()
            try:
                source.open()
            except CameraError as error:
                source.close()
                if self._is_the_cameras(candidate, error):
                    self._waiting.appendleft(candidate)
                    raise
                first_error = first_error or error
                self._trials[candidate.name] = Trial(candidate.name, self._decodings.said(error))
            else:
                self._take(candidate, source)
                return
        self._trials.clear()
        raise first_error or CameraError(CameraFault.NOT_VIDEO, f"{self._decodings.name}: nothing decodes it")

    def _next(self) -> Candidate | None:
        """What is tried next, else the best of what was tried; None where all failed."""
        if self._waiting:
            return self._waiting.popleft()
        chosen = best(tuple(self._trials.values()))
        return next((each for each in self._candidates if chosen and each.name == chosen.way), None)

    def _is_the_cameras(self, candidate: Candidate, error: CameraError) -> bool:
        """Whether the camera failed, and not this way: OpenCV needs no hardware and no program beside it."""
        if candidate.name == self._candidates[0].name:
            return error.fault is not CameraFault.NOT_VIDEO
        return error.fault in _NEVER_THE_WAYS

    def _take(self, candidate: Candidate, source: DecodingSource) -> None:
        """Frames come from this one now."""
        self._candidate, self._source = candidate, source
        self._frames, self._size = 0, None
        if candidate == self._chosen:
            return
        trial = self._trials.get(candidate.name)
        if trial is not None and trial.figures is not None:
            self._choose(candidate, source, reasons(tuple(self._trials.values()), trial))
        elif len(self._candidates) == 1:
            self._choose(candidate, source, "there is no ffmpeg program to try")
        else:
            self._measurement = self._begin_measuring(source, self._clock)

    def _choose(self, candidate: Candidate, source: DecodingSource, why: str) -> None:
        _LOG.info("%s: auto chose %s: %s", self._decodings.name, source.decoder, why)
        self._chosen, self._chosen_as = candidate, source.decoder
        self._short_lives = 0
        self._waiting.clear()
        self._trials.clear()
        self._breaks.clear()

    def _measured(self, figures: Figures) -> None:
        """One way was measured: on to the next, or to the choice."""
        self._measurement = None
        if self._candidate is None or self._source is None:
            return
        self._trials[self._candidate.name] = Trial(self._candidate.name, self._source.decoder, figures)
        self._go_on()

    def _go_on(self) -> None:
        following = self._next()
        if following is None or self._source is None:
            return
        if self._candidate is not None and following == self._candidate:
            self._take(following, self._source)
        else:
            self._opening = Opening(following)

    def _change_over(self) -> None:
        """Let the way that was opened beside take over, once it is open."""
        opening = self._opening
        if opening is None or not opening.is_over:
            return
        self._opening = None
        if opening.error is not None:
            name = opening.candidate.name
            self._trials[name] = Trial(name, self._decodings.said(opening.error))
            self._go_on()
            return
        if self._source is not None:
            self._source.close()
        self._take(opening.candidate, opening.taken())

    def _broke_off(self, error: CameraError) -> None:
        """The source failed while frames were taken; it will be opened again."""
        candidate = self._candidate
        if candidate is None:
            return
        if candidate == self._chosen:
            self._short_lives = self._short_lives + 1 if self._frames < _SHORT_FRAMES else 0
            if self._short_lives >= _CHANCES:
                self._forget(f"{candidate.name} breaks off again and again: {self._decodings.said(error)}")
        elif candidate.name not in self._trials:
            self._breaks[candidate.name] += 1
            if self._breaks[candidate.name] < _CHANCES:
                self._waiting.append(candidate)
            else:
                self._trials[candidate.name] = Trial(candidate.name, self._decodings.said(error))

    def _forget(self, why: str) -> None:
        _LOG.info("%s: auto chooses again: %s", self._decodings.name, why)
        self._chosen, self._short_lives = None, 0

    def _measure_again(self, why: str) -> None:
        """Begin anew with the way that runs, while its frames flow."""
        self._forget(why)
        if self._candidate is not None and self._source is not None:
            self._waiting.extend(each for each in self._candidates if each != self._candidate)
            self._take(self._candidate, self._source)
