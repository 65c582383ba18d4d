"""Which detection continues which track."""

import math
from collections.abc import Sequence
from typing import Final

from edged.domain.box import Box
from edged.tracking.assignment import least_cost_pairs
from edged.tracking.path import Path

_UNRELATED: Final = 4.0
"""A pair that costs so much or more is none: the track is missed, and the detection starts another."""
_FARTHEST: Final = 3.0
"""Face sizes beyond which no detection continues a track, however long that was lost."""
_SIZE_SPREAD: Final = 0.2
"""Standard deviation of the logarithm of a detection's size against the track's."""
_MOST_GROWTH: Final = 2.0
"""A face that is so many times as large or as small from one detection to the next is another one."""
_APART: Final = 0.5
"""Cost of two boxes that do not overlap at all."""


def associate(paths: Sequence[Path], boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """Pair tracks with detections so that the whole is likeliest; (path, box) indices by path.

    The paths have been advanced to the time of the boxes. A path or a box may stay alone. The result does
    not depend on the order of the boxes, except between equal ones.
    """
    costs = [[_cost(path, box) for box in boxes] for path in paths]
    return [(path, box) for path, box in least_cost_pairs(costs) if costs[path][box] < _UNRELATED]


def _cost(path: Path, box: Box) -> float:
    """How unlikely it is that the box is the path's next: twice the negative log-likelihood.

    Constants that all pairs share are left out. The distance is taken from Student's t distribution with
    four degrees of freedom, whose tails bear a detection that jumps. The logarithm of the spread is what a
    face that was surely predicted wins by over one that was lost and might be anywhere. Cutting at
    _UNRELATED makes a far pair cost what no pair costs, so that the assignment may leave things alone.
    """
    size = path.size
    x, y = box.centre
    squared = ((x - path.x) ** 2 + (y - path.y) ** 2) / (size * size)
    growth = max(1.0, (box.width + box.height) / 2) / size
    if squared > _FARTHEST * _FARTHEST or not 1 / _MOST_GROWTH <= growth <= _MOST_GROWTH:
        return _UNRELATED
    spread = path.expected_spread
    strange_growth = math.log(growth) / _SIZE_SPREAD
    cost = (
        math.log(spread)
        + 3 * math.log(1 + squared / (4 * spread))
        + 3 * math.log(1 + strange_growth * strange_growth / 4)
        + _APART * (1 - path.box.iou(box))
    )
    return min(cost, _UNRELATED)
