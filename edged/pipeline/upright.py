"""A camera's picture as the rest of the house sees it: upright, cropped, masked, read-only."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edged.domain.frame import Pixels
from edged.settings.feeds import Crop, Mask
from edged.vision.polygon import covered_pixels

_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Upright:
    """Turns, cuts, masks and locks the pictures of one feed.

    Args:
        rotate: degrees clockwise: 0, 90, 180, 270.
        crop: the part to keep, in fractions of the upright picture.
        masks: what is blacked out, in fractions of the upright picture before it is cropped.
    """

    def __init__(self, rotate: int, crop: Crop | None = None, masks: Sequence[Mask] = ()) -> None:
        self._rotate = rotate
        self._crop = crop
        self._polygons = [[(point.x, point.y) for point in mask.points] for mask in masks]
        self._veil: _Veil | None = None

    def __call__(self, pixels: Pixels) -> Pixels:
        """The picture as it is looked at.

        Args:
            pixels: height x width x 3 uint8 BGR, as the camera sent it; not used by anybody else any more.

        Returns:
            Contiguous and read-only, at least one pixel wide and high.
        """
        if self._rotate:
            pixels = cv2.rotate(pixels, _TURNS[self._rotate]).astype(np.uint8, copy=False)
        height, width = pixels.shape[:2]
        part = np.s_[0:height, 0:width]
        if self._crop is not None:
            part = np.s_[
                slice(*_span(self._crop.y_min, self._crop.y_max, height)),
                slice(*_span(self._crop.x_min, self._crop.x_max, width)),
            ]
        upright = np.ascontiguousarray(pixels[part])
        if self._polygons:
            if self._veil is None or self._veil.size != (width, height):
                self._veil = _Veil.of(self._polygons, (width, height), part)
            upright = self._veil.over(upright)
        upright.flags.writeable = False
        return upright


class _Veil:
    """What the masks cover of pictures of one size; made once, for drawing polygons takes long.

    Attributes:
        size: width and height of the upright picture before it is cropped, pixels.
    """

    def __init__(self, size: tuple[int, int], covered: NDArray[np.bool_]) -> None:
        self.size = size
        rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
        self._part: tuple[slice, slice] | None = None
        if rows.size:
            self._part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            shown = np.where(covered[self._part], 0, 255).astype(np.uint8)
            self._shown = np.repeat(shown[:, :, None], 3, axis=2)

    @classmethod
    def of(
        cls,
        polygons: Sequence[Sequence[tuple[float, float]]],
        size: tuple[int, int],
        part: tuple[slice, slice],
    ) -> "_Veil":
        width, height = size
        covered = np.zeros((height, width), np.bool_)
        for corners in polygons:
            covered |= covered_pixels([(x * width, y * height) for x, y in corners], width, height)
        return cls(size, covered[part])

    def over(self, pixels: Pixels) -> Pixels:
        """The picture with all that is covered in black; where it may be, the very same array."""
        if self._part is None:
            return pixels
        if not pixels.flags.writeable:
            pixels = pixels.copy()
        seen = pixels[self._part]
        cv2.bitwise_and(seen, self._shown, dst=seen)
        return pixels


def _span(low: float, high: float, size_px: int) -> tuple[int, int]:
    """Whole pixels of a part of an edge, at least one."""
    first = min(round(low * size_px), size_px - 1)
    return first, max(first + 1, round(high * size_px))
