"""A frame: one picture of a feed at one instant."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edged.domain.moment import Moment

Pixels = NDArray[np.uint8]
"""A picture as OpenCV holds it: height x width x 3, BGR, 0 to 255, upright."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a feed, upright and cropped as the feed's settings say.

    Attributes:
        feed_id: the feed it came from.
        number: counts the frames taken from the feed since it was started, from 1.
        at: when it was captured; in a clip that is replayed, the clip's own time.
        pixels: height x width x 3 uint8 BGR, read-only; what the masks cover is black.
        times_off: how often the feed had been switched off when it was captured.
    """

    feed_id: str
    number: int
    at: Moment
    pixels: Pixels
    times_off: int = 0

    @property
    def width_px(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])
