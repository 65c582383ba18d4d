"""Writes 8-bit pictures into models' float inputs."""

import numpy as np

from edged.domain.face import Floats
from edged.domain.frame import Pixels


class PixelScale:
    """factor x value + offset, for values from 0 to 255."""

    def __init__(self, factor: float, offset: float) -> None:
        self._factor = np.float32(factor)
        self._offset = np.float32(offset)

    @property
    def black(self) -> np.float32:
        """What 0 becomes."""
        return self._offset

    def write(self, picture: Pixels, target: Floats) -> None:
        """Fill `target`, of the picture's shape, without making another array on the way."""
        np.copyto(target, picture)
        target *= self._factor
        if self._offset:
            target += self._offset
