"""Reads SCRFD's outputs.

After Guo et al., "Sample and Computation Redistribution for Efficient Face Detection" (2021), and the
decoding in InsightFace (`python-package/insightface/model_zoo/scrfd.py`).
"""

from typing import Final

from edged.domain.box import Box
from edged.domain.face import Floats
from edged.vision.keypoints import from_five
from edged.vision.nms import Candidate

NUMBERS: Final = (1, 4, 10)
"""Numbers an anchor in the outputs of a stride: score, distances to the box's edges, points."""


def decoded(
    scores: Floats,
    distances: Floats,
    points: Floats,
    *,
    stride: int,
    cells: int,
    per_cell: int,
    min_score: float,
) -> list[Candidate]:
    """The anchors of one stride that see a face, in their order.

    Args:
        scores: N float32, 0 to 1, N = cells x cells x per_cell, row by row, a cell's anchors together.
        distances: N x 4 float32: from the anchor to the left, top, right and bottom edge, in strides.
        points: N x 10 float32: x and y of each from the anchor, in strides.
        stride: side of a cell in pixels of the input. The anchors lie in the cells' left upper corners.
        cells: in a row.
        per_cell: anchors a cell.
        min_score: least score of a face.
    """
    faces = []
    for anchor in (scores >= min_score).nonzero()[0].tolist():
        row, column = divmod(anchor // per_cell, cells)
        x, y = column * stride, row * stride
        left, top, right, bottom = (distance * stride for distance in distances[anchor].tolist())
        box = Box(x - left, y - top, max(x - left, x + right), max(y - top, y + bottom))
        numbers = points[anchor].tolist()
        five = [
            (x + dx * stride, y + dy * stride) for dx, dy in zip(numbers[::2], numbers[1::2], strict=True)
        ]
        faces.append(Candidate(min(float(scores[anchor]), 1.0), box, from_five(five)))
    return faces
