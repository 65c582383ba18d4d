"""Turns BlazeFace's raw outputs into faces: anchors, decoding, weighted non-maximum suppression.

After Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs" (2019), and the
graph options of MediaPipe 0.10.14 (`face_detection_full_range`, `face_detection_short_range`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edged.domain.face import Floats

POINTS = 8
"""Of a face: its box's left top and right bottom corner, then six keypoints."""

COORDINATES = 2 * POINTS
"""Numbers an anchor: centre x, y, width, height, then x and y of each keypoint; pixels of the input."""


@dataclass(frozen=True, slots=True)
class AnchorGrid:
    """`per_cell` anchors in the middle of each cell of a grid of `cells` x `cells` over the input."""

    cells: int
    per_cell: int


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Faces in pixels of the model's input, best first.

    Attributes:
        points: N x 8 x 2 float32 as (x, y): left top, right bottom, six keypoints.
        scores: N float32, 0 to 1.
    """

    points: Floats
    scores: Floats


def anchor_origins(grids: Sequence[AnchorGrid], input_px: int) -> Floats:
    """N x 16 float32: what to add to the outputs, in their order, for pixels of the input.

    Centres and keypoints are relative to their anchor's centre, width and height are not.
    """
    centres = []
    for grid in grids:
        middles = (np.arange(grid.cells, dtype=np.float32) + 0.5) * (input_px / grid.cells)
        rows = np.repeat(middles, grid.cells)
        columns = np.tile(middles, grid.cells)
        centres.append(np.repeat(np.stack([columns, rows], axis=1), grid.per_cell, axis=0))
    origins = np.tile(np.concatenate(centres), POINTS).astype(np.float32)
    origins[:, 2:4] = 0
    origins.setflags(write=False)
    return origins


def logit(probability: float) -> float:
    """The value whose sigmoid is `probability`, which lies strictly between 0 and 1."""
    return math.log(probability / (1 - probability))


def decoded(regressions: Floats, logits: Floats, origins: Floats, min_logit: float) -> Candidates | None:
    """The anchors that see a face, or None where none does.

    Args:
        regressions: N x 16 float32 as the model gives them.
        logits: N float32 as the model gives them.
        origins: of `anchor_origins`.
        min_logit: `logit` of the least score; comparing logits spares 2,304 exponentials a frame.
    """
    (chosen,) = (logits >= min_logit).nonzero()
    if not chosen.size:
        return None
    values = logits[chosen]
    if chosen.size > 1:
        order = (-values).argsort(kind="stable")
        chosen, values = chosen[order], values[order]
    numbers = regressions[chosen] + origins[chosen]
    half = numbers[:, 2:4] * np.float32(0.5)
    np.maximum(half, 0, out=half)
    np.add(numbers[:, :2], half, out=numbers[:, 2:4])
    numbers[:, :2] -= half
    scores: Floats = np.reciprocal(1 + np.exp(-values))
    return Candidates(numbers.reshape(-1, POINTS, 2), scores)


def suppressed(candidates: Candidates, max_iou: float) -> Candidates:
    """One face for each cluster of overlapping candidates.

    The best candidate takes all that overlap it by more than `max_iou` with it: all points become the means
    of the cluster, weighted by score; its own score stays. Then the best of those left does the same.
    """
    points, scores = candidates.points, candidates.scores
    faces: list[Floats] = []
    best: list[np.float32] = []
    while scores.size:
        joins = _overlaps_first(points, max_iou)
        weights = scores * joins
        faces.append((weights @ points.reshape(-1, COORDINATES)) / weights.sum())
        best.append(scores[0])
        rest = ~joins
        points, scores = points[rest], scores[rest]
    return Candidates(np.array(faces, np.float32).reshape(-1, POINTS, 2), np.array(best, np.float32))


def _overlaps_first(points: Floats, max_iou: float) -> NDArray[np.bool_]:
    """Which boxes share more than `max_iou` of their union with the first, which itself always does."""
    left_top, right_bottom = points[:, 0], points[:, 1]
    shared = np.minimum(right_bottom, right_bottom[0]) - np.maximum(left_top, left_top[0])
    np.maximum(shared, 0, out=shared)
    sides = right_bottom - left_top
    intersection = shared[:, 0] * shared[:, 1]
    areas = sides[:, 0] * sides[:, 1]
    joins: NDArray[np.bool_] = intersection > max_iou * (areas + areas[0] - intersection)
    joins[0] = True  # a box without area overlaps nothing, not even itself
    return joins
