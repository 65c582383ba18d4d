"""Whether pictures that do come are to be believed. Pure: pictures and times in, a verdict out."""

import math
import zlib
from typing import Final

import cv2
import numpy as np

from edged.domain.errors import CameraFault
from edged.domain.frame import Pixels
from edged.settings.feeds import Health

SAMPLE_PIXELS: Final = 4096
"""About so many pixels, on a grid, are looked at, whatever the picture's size: some 0.1 ms at 720p."""

FLAT_DEVIATION: Final = 3.0
"""Standard deviation, of 255, below which a colour channel counts as flat. Dark grey with noise of +-4 comes
out of H.264 (x264, its default quality) with 0.8; the dullest footage we have has 35."""

LEAST_PICTURES: Final = 3
"""So few pictures prove nothing, however long they lie apart: a snapshot an hour is not frozen."""


class _Suspicion:
    """How long something suspicious has been going on without a break."""

    def __init__(self, after_s: float | None) -> None:
        self._after_s = after_s
        self._since_s: float | None = None
        self._pictures = 0

    def note(self, at_s: float, *, suspicious: bool) -> bool:
        """Note one picture; whether it has been going on for too long."""
        if not suspicious or self._after_s is None:
            self.clear()
            return False
        if self._since_s is None:
            self._since_s = at_s
        self._pictures += 1
        return at_s - self._since_s >= self._after_s and self._pictures >= LEAST_PICTURES

    def clear(self) -> None:
        """Begin anew."""
        self._since_s = None
        self._pictures = 0


class PictureWatch:
    """Finds a camera that sends the same picture, or one colour, for too long.

    Once found, pictures are not believed until they are different ones, over any number of reconnections.
    """

    def __init__(self, health: Health) -> None:
        self._frozen = _Suspicion(health.frozen_after)
        self._flat = _Suspicion(health.one_colour_after)
        self._last_mark: int | None = None
        self.disbelief: CameraFault | None = None
        """Why pictures are not believed at present; None while they are."""

    def look(self, pixels: Pixels, at_s: float) -> CameraFault | None:
        """Look at one picture (height x width x 3) of a time; a fault when the source should be reopened."""
        stride = max(1, math.isqrt(pixels.shape[0] * pixels.shape[1] // SAMPLE_PIXELS))
        sample = np.ascontiguousarray(pixels[::stride, ::stride])
        mark = zlib.crc32(sample.data)
        same = mark == self._last_mark
        self._last_mark = mark
        flat = _is_flat(sample)
        too_long_flat = self._flat.note(at_s, suspicious=flat)
        too_long_same = self._frozen.note(at_s, suspicious=same)
        if too_long_flat or too_long_same:
            self.disbelief = CameraFault.ONE_COLOUR if too_long_flat else CameraFault.FROZEN
            return self.disbelief
        still = flat if self.disbelief is CameraFault.ONE_COLOUR else same
        if not still:
            self.disbelief = None
        return None

    def reopened(self) -> None:
        """The source was opened again: it has all its time again, and pictures are still not believed."""
        self._frozen.clear()
        self._flat.clear()


def _is_flat(sample: Pixels) -> bool:
    _, deviations = cv2.meanStdDev(sample)
    return bool(np.max(deviations) < FLAT_DEVIATION)
