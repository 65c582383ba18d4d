"""Whole pictures of requests as they are kept: upright, not larger than a screen, and without a place."""

from typing import Final

import cv2

from edged.domain.frame import Pixels
from edged.pipeline.compressor import JPEG_QUALITY

WIDEST_PX: Final = 1920


def kept_jpeg(pixels: Pixels) -> bytes:
    """A JPEG of the picture, encoded anew: what its camera wrote beside it, like the place, is not kept."""
    height_px, width_px = pixels.shape[:2]
    if width_px > WIDEST_PX:
        size = (WIDEST_PX, max(1, round(height_px * WIDEST_PX / width_px)))
        picture = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        return _encoded(picture)
    return _encoded(pixels)


def _encoded(picture: cv2.typing.MatLike) -> bytes:
    is_encoded, encoded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    if not is_encoded:
        raise ValueError("a picture could not be encoded")
    return encoded.tobytes()
