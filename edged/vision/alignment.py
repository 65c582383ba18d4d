"""Cuts the aligned crop (chip) of a face out of a frame, and makes of it what an embedder wants to see."""

from typing import Final, Literal

import cv2

from edged.domain.face import CHIP_SIZE_PX, Chip, Landmarks
from edged.domain.frame import Pixels
from edged.vision.similarity import Point, Similarity
from edged.vision.warp import turned_square

MESH_POINTS: Final = (263, 362, 33, 133, 2)
"""Of the FaceMesh: outer and inner corner of the left eye, outer and inner of the right, below the nose."""

CHIP_POINTS: Final[tuple[Point, ...]] = (
    (110.96, 46.35),
    (89.61, 47.90),
    (37.06, 46.37),
    (58.41, 47.91),
    (74.01, 87.78),
)
"""Where the same points lie in a chip: measured over faces that dlib had aligned itself. Embeddings of chips
that are aligned so have a mean distance of 0.13 to those of dlib's own chips."""

Template = Literal["dlib150", "arcface112"]
"""How a face lies in an embedder's input: as in a chip, or as InsightFace's embedders were trained."""

_MARKS_IN_CHIP: Final[tuple[Point, ...]] = ((47.7, 47.3), (103.2, 47.1), (72.8, 78.3), (74.1, 106.9))
"""Right eye, left eye, nose tip and the middle of the mouth in a chip: measured with BlazeFace."""

_MARKS_IN_ARCFACE: Final[tuple[Point, ...]] = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (56.1396, 92.2848),
)
"""The same in 112 x 112 pixels (`arcface_dst` in InsightFace's `face_align.py`; the mouth is the middle of
its two corners there)."""

_ARCFACE_PX: Final = 112

_ALIASING: Final = 0.5


def chip_to_input(template: Template, side_px: int) -> Similarity | None:
    """From the middles of a chip's pixels to those of an embedder's input; None where the input is the chip.

    `side_px` is the input's side; a template is scaled with it.
    """
    if template == "dlib150":
        if side_px == CHIP_SIZE_PX:
            return None
        scale = side_px / CHIP_SIZE_PX
        return Similarity(scale, 0, (scale - 1) / 2, (scale - 1) / 2)
    fitted = Similarity.fitted(_MARKS_IN_CHIP, _MARKS_IN_ARCFACE)
    scale, rest = side_px / _ARCFACE_PX, (side_px / _ARCFACE_PX - 1) / 2
    return Similarity(
        fitted.cosine * scale, fitted.sine * scale, fitted.dx * scale + rest, fitted.dy * scale + rest
    )


def placed_chip(chip: Chip, to_input: Similarity, side_px: int) -> Pixels:
    """A chip moved into an embedder's input, side_px x side_px x 3 RGB.

    The ArcFace template reaches 31 pixels of a chip beyond its upper edge, and about 10 beyond each side:
    there the chip's edge is repeated. Every face is embedded from its chip alone, also where the frame is at
    hand, because those who were enrolled are left as chips: were the forehead there in one and missing in the
    other, the two would be less alike than they are.
    """
    picture: Pixels = chip
    while to_input.scale < _ALIASING:
        # A warp looks at 2 x 2 pixels and would skip some. Pixel i of the half has its middle at 2 i + 1/2.
        half = picture.shape[0] // 2
        picture = cv2.resize(picture, (half, half), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        to_input = to_input.after_moving(0.5, 0.5).after_scaling(2)
    return cv2.warpAffine(  # type: ignore[return-value]
        picture,
        to_input.matrix(),
        (side_px, side_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def aligned_chip(pixels: Pixels, landmarks: Landmarks) -> Chip:
    """The face upright in its usual place, CHIP_SIZE_PX square, RGB, read-only; black outside the frame."""
    points = [(x, y) for x, y, _ in landmarks.points[list(MESH_POINTS)].tolist()]
    chip = turned_square(pixels, Similarity.fitted(points, CHIP_POINTS), CHIP_SIZE_PX)
    chip.setflags(write=False)
    return chip
