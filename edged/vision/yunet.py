"""Reads YuNet's outputs.

After Wu et al., "YuNet: A Tiny Millisecond-level Face Detector" (2023), and the decoding in OpenCV's
`FaceDetectorYN` (`modules/objdetect/src/face_detect.cpp`).
"""

import math
from typing import Final

import numpy as np

from edged.domain.box import Box
from edged.domain.face import Floats
from edged.vision.keypoints import from_five
from edged.vision.nms import Candidate

NUMBERS: Final = (1, 1, 4, 10)
"""Numbers a cell in a stride's outputs: class and object (the score is the root of their product), box,
points."""

_MOST_EXPONENT: Final = 10.0
"""exp(10) x 32 pixels is wider than any input; an untrained head must not overflow."""


def decoded(
    classes: Floats,
    objects: Floats,
    boxes: Floats,
    points: Floats,
    *,
    stride: int,
    cells: int,
    min_score: float,
) -> list[Candidate]:
    """The cells of one stride that see a face, in their order.

    Args:
        classes: N float32, 0 to 1, N = cells x cells, row by row.
        objects: N float32, 0 to 1; may change places with `classes`.
        boxes: N x 4 float32: centre x and y from the cell's corner, in strides; logarithms of width and
            height in strides.
        points: N x 10 float32: x and y of each from the cell's corner, in strides.
        stride: side of a cell in pixels of the input.
        cells: in a row.
        min_score: least score of a face.
    """
    scores = np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1))
    faces = []
    for cell in (scores >= min_score).nonzero()[0].tolist():
        row, column = divmod(cell, cells)
        x, y, log_width, log_height = boxes[cell].tolist()
        centre_x, centre_y = (column + x) * stride, (row + y) * stride
        half_width = math.exp(min(log_width, _MOST_EXPONENT)) * stride / 2
        half_height = math.exp(min(log_height, _MOST_EXPONENT)) * stride / 2
        box = Box(
            centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height
        )
        numbers = points[cell].tolist()
        five = [
            ((column + x) * stride, (row + y) * stride)
            for x, y in zip(numbers[::2], numbers[1::2], strict=True)
        ]
        faces.append(Candidate(float(scores[cell]), box, from_five(five)))
    return faces
