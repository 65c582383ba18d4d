"""A measured share with the interval it is known to."""

import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

CONFIDENCE: Final = 0.95
"""Of every interval."""

_STEPS: Final = 60
"""Halvings of 0 to 1: beyond the precision of a float."""

_FRACTION_TERMS: Final = 300
_FRACTION_ENOUGH: Final = 1e-14
_TINY: Final = 1e-300


class Finding(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A part of an evaluation's result, as its JSON has it: absent when empty, never null."""


class Rate(Finding, frozen=True, kw_only=True):
    """A share of trials, 0 to 1 (a ratio of two rates may be more)."""

    value: float
    low: float
    high: float
    """The interval holds the true value in 95 of 100 cases."""
    events: int
    trials: int
    interval: Literal["bootstrap", "exact"]
    """Resampled people or folds; or Clopper and Pearson's, where every trial or none is an event and so every
    resample would be the same."""

    def complement(self) -> "Rate":
        """The share of the other trials: of a miss rate the hit rate."""
        return Rate(
            value=1 - self.value,
            low=1 - self.high,
            high=1 - self.low,
            events=self.trials - self.events,
            trials=self.trials,
            interval=self.interval,
        )

    def over(self, unit: float) -> "Rate":
        """The rate in units of another, above 0: what was seen over what was asked."""
        return Rate(
            value=self.value / unit,
            low=self.low / unit,
            high=self.high / unit,
            events=self.events,
            trials=self.trials,
            interval=self.interval,
        )


def exact_rate(events: int, trials: int, independent: int | None = None) -> Rate:
    """The share of trials, with the interval of Clopper and Pearson (1934).

    Without an event its upper end is 1 - .025^(1/trials), near 3.7 / trials; without a trial it is 0 to 1.
    `independent` is how many of the trials do not repeat others (all, if not said): the same few faces drawn
    a thousand times prove no more than they did at first.
    """
    if trials == 0:
        return Rate(value=0.0, low=0.0, high=1.0, events=0, trials=0, interval="exact")
    tail = (1 - CONFIDENCE) / 2
    count = trials if independent is None else max(1, min(independent, trials))
    part = events * count / trials
    low = 0.0 if events == 0 else _beta_quantile(tail, part, count - part + 1)
    high = 1.0 if events == trials else _beta_quantile(1 - tail, part + 1, count - part)
    return Rate(value=events / trials, low=low, high=high, events=events, trials=trials, interval="exact")


def resampled_rate(
    events: int,
    trials: int,
    resamples: Sequence[float] | NDArray[np.float64],
    independent: int | None = None,
) -> Rate:
    """The share of trials, with the percentile interval of its resamples (Efron 1979).

    Where every trial or none is an event, or nothing could be resampled, the interval is the exact one, of
    `independent` trials.
    """
    values = np.asarray(resamples, np.float64)
    values = values[np.isfinite(values)]
    if events in (0, trials) or len(values) == 0:
        return exact_rate(events, trials, independent)
    return _with_percentiles(events / trials, values, events, trials)


def resampled_value(
    value: float, trials: int, resamples: Sequence[float] | NDArray[np.float64], events: int | None = None
) -> Rate:
    """A figure that is no plain share, such as a mean over folds, with the percentile interval."""
    values = np.asarray(resamples, np.float64)
    values = values[np.isfinite(values)]
    events = round(value * trials) if events is None else events
    if trials and events in (0, trials):
        exact = exact_rate(events, trials)
        return Rate(
            value=value,
            low=min(exact.low, value),
            high=max(exact.high, value),
            events=events,
            trials=trials,
            interval="exact",
        )
    if len(values) == 0:
        return Rate(value=value, low=0.0, high=1.0, events=events, trials=trials, interval="exact")
    return _with_percentiles(value, values, events, trials)


def _with_percentiles(value: float, values: NDArray[np.float64], events: int, trials: int) -> Rate:
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    # A percentile interval need not hold the value itself; one that does not would only puzzle.
    return Rate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        events=events,
        trials=trials,
        interval="bootstrap",
    )


def _beta_quantile(share: float, a: float, b: float) -> float:
    """Where the beta distribution's cumulative share is reached, by halving."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _beta_share(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function (DLMF 8.17.22, by Lentz's method)."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_share(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    d = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    c, fraction = 1.0, d
    for m in range(1, _FRACTION_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < _FRACTION_ENOUGH:
            break
    return math.exp(front) * fraction / a


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
