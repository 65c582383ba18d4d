"""How much more (or less) alike are a house's strangers than those the embedder was measured on?

Under a right calibration the share that `real_rate` says of a stranger is uniform. An offset added to every
required similarity moves all of them; the right one is where they are as they should be. Only the tail is
looked at, as only the tail is calibrated: shares above a limit count as the limit. And no stranger counts for
more than a thirtieth of it, because one of them may be an enrolled person who was missed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edged.evaluation.rate import CONFIDENCE
from edged.evaluation.resampling import multiplicities
from edged.evaluation.site_strangers import Stranger, real_rate
from edged.recognition.calibration import Calibration

FEWEST_GROUPS: Final = 20
FEWEST_IN_TAIL: Final = 6
"""So many strangers are to be expected in the tail: of fewer there is no telling where it lies."""

_TAIL_FROM: Final = 1.5
"""-log10 of the share of strangers in one comparison from which on the calibration holds. On the half of
LFW's people that a calibration had not seen, strangers came as often as it said from 2 on, at 1.5 four fifths
as often, and below it less and less."""

_MOST_WEIGHT: Final = 30.0
_GRID: Final = np.round(np.arange(-0.06, 0.0801, 0.001), 3)
_RESAMPLES: Final = 1000
_SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Offset:
    """What was found.

    Attributes:
        value: similarity that is to be added to what is asked for.
        low, high: interval that holds the true one in 95 of 100 cases.
    """

    value: float
    low: float
    high: float


def tail_limit(enrolled: int) -> float:
    """Share of strangers that meets a gallery of so many in the part that is calibrated, 0 to 1."""
    return -math.expm1(enrolled * math.log1p(-(10.0**-_TAIL_FROM)))


def groups_needed(enrolled: int) -> int:
    """How many strangers it takes: few enrolled people are seldom resembled."""
    return max(FEWEST_GROUPS, math.ceil(FEWEST_IN_TAIL / tail_limit(enrolled)))


def fitted_offset(strangers: Sequence[Stranger], calibration: Calibration) -> Offset:
    """Find the offset; at least one stranger. The same for the same strangers in the same order.

    The interval is of resampled people: the tracks of one are alike, and count as one value.
    """
    excess = np.array([_excess(stranger, calibration) for stranger in strangers])
    count = len(strangers)
    resampled = [_crossing(drawn @ excess / count) for drawn in multiplicities(count, _RESAMPLES, _SEED)]
    value = _crossing(excess.mean(axis=0))
    low, high = np.quantile(
        resampled or _GRID[[0, -1]], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    ).tolist()
    return Offset(value, min(low, value), max(high, value))


def _excess(stranger: Stranger, calibration: Calibration) -> NDArray[np.float64]:
    """Over the grid: by how much the logarithm of this stranger's share is above what is expected.

    Of a uniform share u, limited to a <= u <= c, the mean of ln(u / c) is a - c.
    """
    limit = tail_limit(stranger.newest.enrolled)
    least = limit / _MOST_WEIGHT
    rates = [[real_rate(look, calibration, float(offset)) for offset in _GRID] for look in stranger.looks]
    logarithms: NDArray[np.float64] = np.log(np.clip(rates, least, limit) / limit).mean(axis=0)
    return logarithms + (limit - least)


def _crossing(rising: NDArray[np.float64]) -> float:
    """Where a rising line over the grid crosses zero; an end of the grid where it does not."""
    above = int(np.searchsorted(rising, 0.0))
    if above == 0:
        return float(_GRID[0])
    if above == len(_GRID):
        return float(_GRID[-1])
    before, after = float(rising[above - 1]), float(rising[above])
    part = -before / (after - before)
    return float(_GRID[above - 1] + part * (_GRID[above] - _GRID[above - 1]))
