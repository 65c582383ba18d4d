"""Reads BlazeFace's outputs: anchors and decoding.

After Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs" (2019), and the
graph options of MediaPipe 0.10.14 (`face_detection_full_range`, `face_detection_short_range`).

A frame has a handful of candidates, and calling NumPy for each step would take several times as long as
working with their numbers one by one does. NumPy only looks through the thousands of logits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edged.domain.box import Box
from edged.domain.face import Floats
from edged.vision.nms import Candidate, best_first
from edged.vision.similarity import Point

KEYPOINTS = 6
COORDINATES = 4 + 2 * KEYPOINTS
"""Numbers an anchor: centre x, y, width, height, then x and y of each keypoint; pixels of the input."""


@dataclass(frozen=True, slots=True)
class AnchorGrid:
    """`per_cell` anchors in the middle of each cell of a grid of `cells` x `cells` over the input."""

    cells: int
    per_cell: int


def anchor_centres(grids: Sequence[AnchorGrid], input_px: int) -> tuple[Point, ...]:
    """The anchors' centres (x, y) in pixels of the input, in the order of the outputs."""
    return tuple(
        ((column + 0.5) * input_px / grid.cells, (row + 0.5) * input_px / grid.cells)
        for grid in grids
        for row in range(grid.cells)
        for column in range(grid.cells)
        for _ in range(grid.per_cell)
    )


def logit(probability: float) -> float:
    """The value whose sigmoid is `probability`, which lies strictly between 0 and 1."""
    return math.log(probability / (1 - probability))


def decoded(
    regressions: Floats, logits: Floats, centres: Sequence[Point], min_logit: float
) -> list[Candidate]:
    """The anchors that see a face, best first.

    Args:
        regressions: N x 16 float32 as the model gives them.
        logits: N float32 as the model gives them.
        centres: of `anchor_centres`.
        min_logit: `logit` of the least score; comparing logits spares 2,304 exponentials a frame.
    """
    chosen = (logits >= min_logit).nonzero()[0].tolist()
    return best_first(
        _candidate(regressions[anchor].tolist(), float(logits[anchor]), *centres[anchor]) for anchor in chosen
    )


def _candidate(numbers: list[float], value: float, x: float, y: float) -> Candidate:
    """Of an anchor's outputs, its logit and its centre."""
    centre_x, centre_y = x + numbers[0], y + numbers[1]
    half_width, half_height = max(numbers[2], 0.0) / 2, max(numbers[3], 0.0) / 2
    return Candidate(
        1 / (1 + math.exp(-value)),
        Box(centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height),
        tuple([number + way for number, way in zip(numbers[4:], (x, y) * KEYPOINTS, strict=True)]),
    )
