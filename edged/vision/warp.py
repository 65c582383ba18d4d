"""Cuts a turned square out of a frame."""

import math

import cv2
import numpy as np

from edged.domain.frame import Pixels
from edged.vision.similarity import Similarity

_ALIASING = 0.5
"""Below this scale a warp, which looks at 2 x 2 pixels, skips some."""


def turned_square(pixels: Pixels, to_square: Similarity, side_px: int) -> Pixels:
    """The part of a frame that comes to lie in a square, side_px x side_px x 3 RGB; black outside the frame.

    Args:
        pixels: of the frame, BGR.
        to_square: from the middles of the frame's pixels to those of the square's; with a scale of 0, which
            no face has, nothing is seen and all is black.
        side_px: of the square.

    A large part is halved until at most two of its pixels go into one of the square's. Only the part that is
    seen is touched, with four channels, because OpenCV 5 warps these three times as fast as three.
    """
    if not to_square.scale:
        return np.zeros((side_px, side_px, 3), np.uint8)
    part, to_square = _part_seen(pixels, to_square, side_px)
    while to_square.scale < _ALIASING and min(part.shape[:2]) > 1:
        part, to_square = _halved(part, to_square)
    four = cv2.cvtColor(part, cv2.COLOR_BGR2RGBA)
    four = cv2.warpAffine(four, to_square.matrix(), (side_px, side_px), flags=cv2.INTER_LINEAR)
    return cv2.cvtColor(four, cv2.COLOR_RGBA2RGB)  # type: ignore[return-value]


def _part_seen(pixels: Pixels, to_square: Similarity, side_px: int) -> tuple[Pixels, Similarity]:
    to_frame = to_square.inverse()
    corners = [to_frame.of(x, y) for x in (0, side_px) for y in (0, side_px)]
    # So far out lie the neighbours that a warp of the halved part may still look at.
    margin_px = 2 + 2 * to_frame.scale
    height, width = pixels.shape[:2]
    left, right = _span([x for x, _ in corners], margin_px, width)
    top, bottom = _span([y for _, y in corners], margin_px, height)
    return pixels[top:bottom, left:right], to_square.after_moving(left, top)


def _span(coordinates: list[float], margin_px: float, size_px: int) -> tuple[int, int]:
    """First pixel and the one after the last; at least one pixel, and all inside the frame."""
    first = min(max(math.floor(min(coordinates) - margin_px), 0), size_px - 1)
    last = min(max(math.ceil(max(coordinates) + margin_px), first + 1), size_px)
    return first, last


def _halved(part: Pixels, to_square: Similarity) -> tuple[Pixels, Similarity]:
    height, width = part.shape[0] // 2, part.shape[1] // 2
    even = part[: 2 * height, : 2 * width]  # exact halves: OpenCV makes these ten times as fast as others
    half: Pixels = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    # The middle of pixel i of the half lies at 2 i + 1/2 in the whole.
    return half, to_square.after_moving(0.5, 0.5).after_scaling(2)
