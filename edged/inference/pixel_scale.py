"""Writes 8-bit pictures into models' inputs, whatever numbers these take."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edged.domain.face import Floats
from edged.domain.frame import Pixels
from edged.inference.card import InputScale
from edged.inference.runtime import TensorType

FLOAT = TensorType(np.dtype(np.float32))
_VALUES = 256


class PixelScale:
    """A card's scale, and after it the quantization of the input's tensor where it has one.

    Args:
        scale: what 0 to 255 become as real numbers, and the order of the channels.
        target: the type of the input.
    """

    def __init__(self, scale: InputScale, target: TensorType = FLOAT) -> None:
        self._is_bgr = scale.order == "bgr"
        is_plain = target.dtype == np.float32 and not self._is_bgr
        is_plain &= len(set(scale.factors)) == len(set(scale.offsets)) == 1
        self._line = (scale.factors[0], scale.offsets[0]) if is_plain else None
        self._table = _table(scale, target)

    @property
    def black(self) -> NDArray[Any]:
        """What 0 becomes in each channel of the input."""
        black: NDArray[Any] = self._table[0, 0]
        return black

    def write(self, picture: Pixels, target: Floats) -> None:
        """Fill `target`, of the picture's shape, from an RGB picture."""
        if self._line is None:
            if self._is_bgr:
                picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)  # type: ignore[assignment]
            np.copyto(target, cv2.LUT(picture, self._table))
            return
        if target.strides[-1] != target.itemsize:
            # The channels lie apart from each other, which OpenCV cannot write.
            factor, offset = self._line
            np.copyto(target, picture * np.float32(factor) + np.float32(offset))
            return
        factor, offset = self._line
        # One pass in OpenCV, where NumPy would make three. OpenCV writes into `dst` when shape and type fit.
        written = cv2.addWeighted(picture, factor, picture, 0, offset, dst=target, dtype=cv2.CV_32F)
        if written is not target:
            np.copyto(target, written)


def _table(scale: InputScale, target: TensorType) -> NDArray[Any]:
    """1 x 256 x 3 of the target's type: what each value becomes in each channel."""
    values = np.arange(_VALUES, dtype=np.float64)[None, :, None]
    real = values * np.array(scale.factors) + np.array(scale.offsets)
    if target.scale:
        limits = np.iinfo(target.dtype)
        real = np.clip(np.rint(real / target.scale) + target.zero_point, limits.min, limits.max)
    table: NDArray[Any] = real.astype(target.dtype)
    return table
