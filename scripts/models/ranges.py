"""How large values become over the calibration pictures, and the ranges that int8 is given for them.

Not the largest ever seen: a few pictures with extreme values would cost all others their precision. With the
percentiles below keypoints are a third nearer to the float model's than with the plain extremes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tflite_graph import Array

CHANNEL_PERCENTILE = 97
"""Of the pictures' largest values of a channel: what equalisation takes for its size."""
MAP_PERCENTILE = 95
"""Of the pictures' extremes of a map: what its range reaches to."""

_LEAST_WIDTH = 1e-3

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class MapStatistics:
    """Of one map, with a row a picture: `least` and `most` value, and largest magnitude of its `channels`."""

    least: Array
    most: Array
    channels: Array


def steady_maximum(values: Array, percentile: float) -> Array:
    """The percentile over the pictures (rows)."""
    return np.percentile(values.astype(np.float64), percentile, axis=0)


def map_ranges(seen: Mapping[int, MapStatistics]) -> dict[int, Range]:
    """For each map the range that int8 covers; it holds zero, which padding needs.

    Rounded to three digits, so that processors whose sums differ in the last bit make the same model.
    """
    return {
        number: (
            min(0.0, rounded(float(np.percentile(found.least, 100 - MAP_PERCENTILE)))),
            max(_LEAST_WIDTH, rounded(float(np.percentile(found.most, MAP_PERCENTILE)))),
        )
        for number, found in seen.items()
    }


def rounded(value: float) -> float:
    """To three digits."""
    return float(f"{value:.3g}")
