"""One to one: of two faces, are they of one person? ROC, and the hit rate at chosen false-accept rates."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edged.evaluation.pairs import BINS, PairScores, cosine_of
from edged.evaluation.rate import CONFIDENCE, Finding, Rate, resampled_rate, resampled_value
from edged.evaluation.resampling import Weights, multiplicities
from edged.evaluation.sorted_scores import SortedScores

FALSE_ACCEPT_RATES: Final = (1e-2, 1e-3, 1e-4, 1e-5)

_CURVE_POINTS_A_DECADE: Final = 12
_SHOWN_BINS: Final = 1000
"""Bins of the histograms that are told: .002 wide."""

_SOLID: Final = 10
"""Fewer pairs than so many behind a threshold say little."""


class Hits(Finding, frozen=True, kw_only=True):
    """The hit rate at one false-accept rate."""

    false_accept_rate: float
    """Share of the pairs of two people above the threshold, at most."""
    threshold: float
    """A pair is accepted when its similarity is greater."""
    impostors_above: int
    is_solid: bool
    """Whether at least ten pairs of two people lie above the threshold."""
    hit_rate: Rate
    """TAR: share of the pairs of one person above the threshold."""


class CurvePoint(Finding, frozen=True, kw_only=True):
    """One point of a ROC with its band."""

    false_accept_rate: float
    hit_rate: float
    low: float
    high: float


class Histogram(Finding, frozen=True, kw_only=True):
    """How similarities spread: counts of bins of equal width from `first` on."""

    first: float
    width: float
    counts: tuple[int, ...]


class Verification(Finding, frozen=True, kw_only=True):
    """All pairs, one to one."""

    counted: str
    """Which pairs, in words."""
    genuine: int
    impostors: int
    hits: tuple[Hits, ...]
    equal_error_rate: Rate
    area: Rate
    """Below the ROC: how often a pair of one person is more alike than a pair of two."""
    curve: tuple[CurvePoint, ...]
    genuine_histogram: Histogram
    impostor_histogram: Histogram


def verify(
    pairs: PairScores, counted: str, *, genuine: SortedScores | None = None, resamples: int, seed: int
) -> Verification:
    """The figures of all pairs; `genuine` may be other pairs of one person than all.

    Where fewer pairs of one person can be scored than there are, those without a score are -inf: misses.
    """
    genuine = pairs.genuine if genuine is None else genuine
    rates = _curve_rates(pairs.impostors)
    wanted = np.array([*FALSE_ACCEPT_RATES, *rates])
    thresholds, values = _at_rates(pairs, genuine, wanted, None)
    drawn = [
        _at_rates(pairs, genuine, wanted, multiplicity)[1]
        for multiplicity in multiplicities(len(pairs.counts), resamples, seed)
    ]
    resampled = np.array(drawn).reshape(len(drawn), len(wanted))
    hits = tuple(
        _hits(pairs, genuine, rate, float(thresholds[i]), resampled[:, i])
        for i, rate in enumerate(FALSE_ACCEPT_RATES)
    )
    first = len(FALSE_ACCEPT_RATES)
    curve = tuple(
        _point(rate, float(values[i]), resampled[:, i]) for i, rate in enumerate(rates.tolist(), first)
    )
    error, area = _overall(pairs, genuine, resampled[:, first:], rates)
    return Verification(
        counted=counted,
        genuine=len(genuine),
        impostors=pairs.impostors,
        hits=hits,
        equal_error_rate=error,
        area=area,
        curve=curve,
        genuine_histogram=histogram_of(genuine.scores),
        impostor_histogram=_shown(pairs.histogram),
    )


def histogram_of(scores: NDArray[np.floating]) -> Histogram:
    """The spread of cosines; -inf counts as -1."""
    finite = np.clip(np.nan_to_num(scores.astype(np.float64), neginf=-1.0), -1, 1)
    bins = np.clip((finite + 1) * BINS / 2, 0, BINS - 1).astype(np.int64)
    return _shown(np.bincount(bins, minlength=BINS))


def _at_rates(
    pairs: PairScores, genuine: SortedScores, rates: NDArray[np.float64], multiplicity: Weights | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Threshold and hit rate at each false-accept rate, of the data or of one resample."""
    total = pairs.impostors if multiplicity is None else pairs.impostors_resampled(multiplicity)
    counted = pairs.tail.counted(multiplicity)
    thresholds = np.array([_threshold(pairs, rate * total, counted) for rate in rates.tolist()])
    hits = genuine.counted(multiplicity)
    above = np.array([genuine.above(threshold) for threshold in thresholds.tolist()])
    return thresholds, hits[above] / hits[-1] if hits[-1] else np.full(len(rates), np.nan)


def _threshold(pairs: PairScores, allowed: float, counted: Weights) -> float:
    """By the tail as far as it goes, then by the histogram, whose bins are as a whole above or not."""
    threshold = pairs.tail.threshold(allowed, counted)
    if np.isfinite(threshold) or len(pairs.tail) == pairs.impostors:
        return threshold
    # Beyond the tail a resample takes the data's own spread; the tail covers every rate that is told.
    scale = counted[-1] / len(pairs.tail) if len(pairs.tail) else 1.0
    above = np.cumsum(pairs.histogram[::-1])[::-1] * scale
    return cosine_of(int(np.searchsorted(-above, -allowed, side="left")))


def _hits(
    pairs: PairScores, genuine: SortedScores, rate: float, threshold: float, drawn: NDArray[np.float64]
) -> Hits:
    above = pairs.tail.above(threshold)
    # Each face once: all pairs of three faces are not three opinions.
    own = int((pairs.counts // 2).sum())
    return Hits(
        false_accept_rate=rate,
        threshold=threshold,
        impostors_above=above,
        is_solid=above >= _SOLID,
        hit_rate=resampled_rate(genuine.above(threshold), len(genuine), drawn, own),
    )


def _curve_rates(impostors: int) -> NDArray[np.float64]:
    """From one pair of all to all, evenly on a logarithmic scale."""
    decades = np.log10(max(impostors, 10))
    return np.logspace(-decades, 0, max(2, round(decades * _CURVE_POINTS_A_DECADE) + 1))


def _point(rate: float, value: float, drawn: NDArray[np.float64]) -> CurvePoint:
    drawn = drawn[np.isfinite(drawn)]
    low, high = (
        np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
        if len(drawn)
        else (value, value)
    )
    return CurvePoint(false_accept_rate=rate, hit_rate=value, low=min(low, value), high=max(high, value))


def _overall(
    pairs: PairScores,
    genuine: SortedScores,
    drawn: NDArray[np.float64],
    rates: NDArray[np.float64],
) -> tuple[Rate, Rate]:
    """Equal error rate and area, from the full histograms; their doubt from the resampled curves."""
    finite = np.clip(np.nan_to_num(genuine.scores.astype(np.float64), neginf=-1.0), -1, 1)
    bins = np.clip((finite + 1) * BINS / 2, 0, BINS - 1).astype(np.int64)
    hit = np.cumsum(np.bincount(bins, minlength=BINS)[::-1]) / max(len(genuine), 1)
    false = np.cumsum(pairs.histogram[::-1]) / max(pairs.impostors, 1)
    crossing = int(np.argmax(false + hit >= 1))
    error = float((false[crossing] + 1 - hit[crossing]) / 2)
    area = _area(false, hit)
    errors = [_crossing(rates, curve) for curve in drawn]
    areas = [_area(rates, curve) for curve in drawn]
    centre_area = float(np.mean(areas)) if areas else area
    return (
        resampled_value(error, len(genuine), errors),
        resampled_value(area, len(genuine), [area + one - centre_area for one in areas]),
    )


def _area(false: NDArray[np.float64], hit: NDArray[np.float64]) -> float:
    """Below a curve that begins at 0, by trapezia."""
    widths = np.diff(false, prepend=0.0)
    heights = (hit + np.concatenate([[0.0], hit[:-1]])) / 2
    return float(widths @ heights)


def _crossing(rates: NDArray[np.float64], hits: NDArray[np.float64]) -> float:
    """Where a curve's false-accept and miss rates are equal, between its points on a logarithmic scale."""
    difference = rates - (1 - hits)
    after = int(np.argmax(difference >= 0))
    if after == 0:
        return float(rates[0])
    share = -difference[after - 1] / (difference[after] - difference[after - 1])
    return float(rates[after - 1] * (rates[after] / rates[after - 1]) ** share)


def _shown(histogram: NDArray[np.int64]) -> Histogram:
    """The histogram in wider bins, without the empty ones at both ends."""
    wide = histogram.reshape(_SHOWN_BINS, -1).sum(axis=1)
    filled = np.flatnonzero(wide)
    first, last = (int(filled[0]), int(filled[-1]) + 1) if len(filled) else (0, 1)
    return Histogram(
        first=first * 2 / _SHOWN_BINS - 1,
        width=2 / _SHOWN_BINS,
        counts=tuple(wide[first:last].tolist()),
    )
