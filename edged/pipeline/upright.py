"""A camera's picture as the rest of the house sees it: upright, cropped, read-only."""

from typing import Final

import cv2
import numpy as np

from edged.domain.frame import Pixels
from edged.settings.feeds import Crop

_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def upright(pixels: Pixels, rotate: int, crop: Crop | None) -> Pixels:
    """Turn, cut, and lock a picture.

    Args:
        pixels: height x width x 3 uint8 BGR, as the camera sent it; not used by anybody else any more.
        rotate: degrees clockwise: 0, 90, 180, 270.
        crop: the part to keep, in fractions of the upright picture.

    Returns:
        Contiguous and read-only, at least one pixel wide and high.
    """
    if rotate:
        pixels = cv2.rotate(pixels, _TURNS[rotate]).astype(np.uint8, copy=False)
    if crop is not None:
        height, width = pixels.shape[:2]
        left, right = _span(crop.x_min, crop.x_max, width)
        top, bottom = _span(crop.y_min, crop.y_max, height)
        pixels = pixels[top:bottom, left:right]
    pixels = np.ascontiguousarray(pixels)
    pixels.flags.writeable = False
    return pixels


def _span(low: float, high: float, size_px: int) -> tuple[int, int]:
    """Whole pixels of a part of an edge, at least one."""
    first = min(round(low * size_px), size_px - 1)
    return first, max(first + 1, round(high * size_px))
