"""Writes 8-bit pictures into models' float inputs."""

import cv2
import numpy as np

from edged.domain.face import Floats
from edged.domain.frame import Pixels


class PixelScale:
    """factor x value + offset, for values from 0 to 255."""

    def __init__(self, factor: float, offset: float) -> None:
        self._factor = factor
        self._offset = offset

    @property
    def black(self) -> float:
        """What 0 becomes."""
        return self._offset

    def write(self, picture: Pixels, target: Floats) -> None:
        """Fill `target`, of the picture's shape."""
        # One pass in OpenCV, where NumPy would make three. OpenCV writes into `dst` when shape and type fit.
        written = cv2.addWeighted(
            picture, self._factor, picture, 0, self._offset, dst=target, dtype=cv2.CV_32F
        )
        if written is not target:
            np.copyto(target, written)
