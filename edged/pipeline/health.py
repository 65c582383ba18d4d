"""Whether pictures that do come are to be believed. Pure: pictures and times in, a verdict out."""

import zlib
from typing import Final

import numpy as np

from edged.domain.errors import CameraFault
from edged.domain.frame import Pixels
from edged.settings.feeds import Health

STRIDE_PX: Final = 8
"""Every eighth pixel each way is looked at: 14 kB of a 640 x 480 picture, some 30 µs."""

FLAT_DEVIATION: Final = 2.0
"""Standard deviation, of 255, up to which a colour channel counts as flat. A covered lens with the noise of
a small sensor, measured after H.264, stays below 1; the dullest real scene of ours is above 20."""

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
        sample = np.ascontiguousarray(pixels[::STRIDE_PX, ::STRIDE_PX])
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
    return bool(sample.std(axis=(0, 1)).max() < FLAT_DEVIATION)
