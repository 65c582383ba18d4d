"""Cuts the aligned crop (chip) of a face out of a frame, as the embedder was trained to see it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edged.domain.face import CHIP_SIZE_PX, Chip, Floats, Landmarks
from edged.domain.frame import Pixels

MESH_POINTS = (263, 362, 33, 133, 2)
"""Of the FaceMesh: outer and inner corner of the left eye, outer and inner of the right, below the nose."""

CHIP_POINTS = np.array(
    [(110.96, 46.35), (89.61, 47.90), (37.06, 46.37), (58.41, 47.91), (74.01, 87.78)], np.float32
)
"""Where the same points lie in a chip: measured over faces that dlib had aligned itself, for which the mean
distance of the embeddings to dlib's own came out least (0.13)."""
CHIP_POINTS.setflags(write=False)

_ALIASING = 0.5
"""Below this scale a warp, which looks at 2 x 2 pixels, skips some."""


def similarity(source: Floats, target: Floats) -> Floats:
    """The rotation, uniform scale and shift, 2 x 3 float32, that brings points nearest to others.

    Least squares in closed form (Umeyama 1991, without reflection). Args are N x 2 as (x, y), N at least 2;
    where all source points are one, everything goes to the middle of the target.
    """
    source_middle, target_middle = source.mean(axis=0), target.mean(axis=0)
    x, y = (source - source_middle).T
    u, v = (target - target_middle).T
    spread = float((x * x + y * y).sum())
    cosine = float((x * u + y * v).sum()) / spread if spread else 0.0
    sine = float((x * v - y * u).sum()) / spread if spread else 0.0
    turned = np.array([[cosine, -sine], [sine, cosine]], np.float32)
    return np.concatenate([turned, (target_middle - turned @ source_middle)[:, None]], axis=1)


def aligned_chip(pixels: Pixels, landmarks: Landmarks) -> Chip:
    """The face upright and in its usual place, CHIP_SIZE_PX square, RGB, read-only; black outside the frame.

    A large face is halved until at most two of its pixels go into one of the chip's: a warp looks at four
    pixels only and would skip the others.
    """
    to_chip = similarity(landmarks.points[list(MESH_POINTS), :2], CHIP_POINTS)
    if 0 < _scale(to_chip) < _ALIASING:
        pixels, to_chip = _halved(*_cropped(pixels, to_chip))
    warped = cv2.warpAffine(pixels, to_chip, (CHIP_SIZE_PX, CHIP_SIZE_PX), flags=cv2.INTER_LINEAR)
    chip: Chip = cv2.cvtColor(warped, cv2.COLOR_BGR2RGB, dst=warped)  # type: ignore[assignment]
    chip.setflags(write=False)
    return chip


def _scale(transform: Floats) -> float:
    """Pixels of the target for one of the source."""
    return math.hypot(float(transform[0, 0]), float(transform[1, 0]))


def _cropped(pixels: Pixels, to_chip: Floats) -> tuple[Pixels, Floats]:
    """The part of the frame that the chip sees, with some margin: the rest need not be halved."""
    margin_px = 2 / _scale(to_chip)
    inverse = cv2.invertAffineTransform(to_chip)
    corners = inverse @ np.array(
        [[0, CHIP_SIZE_PX, 0, CHIP_SIZE_PX], [0, 0, CHIP_SIZE_PX, CHIP_SIZE_PX], [1] * 4]
    )
    height, width = pixels.shape[:2]
    left, right = _span(corners[0], margin_px, width)
    top, bottom = _span(corners[1], margin_px, height)
    return pixels[top:bottom, left:right], _with_origin(to_chip, left, top)


def _span(coordinates: NDArray[np.floating], margin_px: float, size_px: int) -> tuple[int, int]:
    """First pixel and the one after the last, at least two pixels, inside a frame's width or height."""
    first = min(max(math.floor(float(coordinates.min()) - margin_px), 0), size_px - 2)
    last = max(min(math.ceil(float(coordinates.max()) + margin_px), size_px), first + 2)
    return first, last


def _halved(pixels: Pixels, to_chip: Floats) -> tuple[Pixels, Floats]:
    while _scale(to_chip) < _ALIASING and min(pixels.shape[:2]) >= 2:  # noqa: PLR2004
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        even = pixels[: 2 * height, : 2 * width]  # exact halves: OpenCV is ten times as fast with them
        pixels = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        # The middle of pixel i of the half lies in the whole at 2 i + 1/2.
        to_chip = _with_origin(to_chip, 0.5, 0.5)
        to_chip[:, :2] *= 2
    return pixels, to_chip


def _with_origin(to_chip: Floats, x: float, y: float) -> Floats:
    """The same transform of a picture whose origin was moved to that point."""
    moved = to_chip.copy()
    moved[:, 2] += to_chip[:, 0] * x + to_chip[:, 1] * y
    return moved
