"""One to many, open set: is the probe one of those enrolled, and which? Misses against false alarms."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edged.evaluation.decided import LEVELS, Decided, Probes
from edged.evaluation.rate import CONFIDENCE, Finding, Rate, exact_rate, resampled_rate
from edged.evaluation.resampling import Weights, multiplicities
from edged.evaluation.sorted_scores import SortedScores

FALSE_POSITIVE_RATES: Final = (1e-1, 1e-2, 1e-3, 1e-4)

_SOLID: Final = 10
_CURVE_POINTS_A_DECADE: Final = 6
_BINS: Final = 10


class Misses(Finding, frozen=True, kw_only=True):
    """The miss rate at one false-positive identification rate, the threshold swept to reach it."""

    false_positive_rate: float
    """FPIR: share of the strangers' probes taken for somebody, at most."""
    is_solid: bool
    """Whether at least ten probes of strangers are taken for somebody."""
    miss_rate: Rate
    """FNIR: share of the enrolled people's probes that do not get their name, by the calibrated rule."""
    false_accept: float | None = None
    """What the rule would have to be asked for, to reach this; absent where the loosest rule stays below."""
    miss_rate_by_similarity: Rate
    """The same by one fixed similarity for all, and no margin: what calibration gains."""
    similarity: float
    """That fixed similarity."""


class Level(Finding, frozen=True, kw_only=True):
    """What comes of asking the calibrated rule for a false-accept rate."""

    asked: float
    seen: Rate
    """Share of the strangers' probes that got a name."""
    ratio: Rate
    """Seen over asked."""
    missed: Rate
    """Share of the enrolled people's probes that did not get their name."""
    wrong_name: Rate
    """Share of the enrolled people's probes that got another's name."""


class Trade(Finding, frozen=True, kw_only=True):
    """One point of the DET curve with its band."""

    false_positive_rate: float
    miss_rate: float
    low: float
    high: float


class Sureness(Finding, frozen=True, kw_only=True):
    """One bin of the reliability diagram."""

    low: float
    high: float
    said: float
    """Mean confidence of the probes in the bin."""
    right: Rate
    """How often the name was right, friends and strangers weighing the same in all."""


class OpenSet(Finding, frozen=True, kw_only=True):
    """One cell: N enrolled with K pictures each, probes fused from n others."""

    gallery: int
    pictures: int
    faces: int
    splits: int
    enrolled_people: int
    """Different people among the probes of enrolled ones."""
    stranger_people: int
    friends: int
    """Probes of enrolled people."""
    strangers: int
    own_friends: int
    """Probes that do not share faces with others: what intervals rest on where nobody is missed."""
    own_strangers: int
    """Probes of strangers that do not meet the same people again: the same, where nobody is named."""
    misses: tuple[Misses, ...]
    levels: tuple[Level, ...]
    curve: tuple[Trade, ...]
    sureness: tuple[Sureness, ...]


def open_set(found: Decided, people: int, *, resamples: int, seed: int) -> OpenSet:
    """The figures of a cell; `people` is how many the data set has, for resampling them."""
    drawn = list(multiplicities(people, resamples, seed))
    friends, strangers = found.friends, found.strangers
    rates = _curve_rates(len(strangers))
    wanted = np.array([*FALSE_POSITIVE_RATES, *rates])
    calibrated = _Sweep(friends, strangers, -friends.false_accept, -strangers.false_accept)
    plain = _Sweep(friends, strangers, friends.similarity, strangers.similarity)
    by_rule, by_similarity = calibrated.misses(wanted, drawn), plain.misses(wanted, drawn)
    first = len(FALSE_POSITIVE_RATES)
    return OpenSet(
        gallery=found.cell.gallery,
        pictures=found.cell.pictures,
        faces=found.cell.faces,
        splits=found.splits,
        enrolled_people=len(np.unique(friends.person)),
        stranger_people=len(np.unique(strangers.person)),
        friends=len(friends),
        strangers=len(strangers),
        own_friends=found.own_friends,
        own_strangers=found.own_strangers,
        misses=tuple(
            _misses(rate, calibrated, plain, by_rule[:, i], by_similarity[:, i], found.own_friends)
            for i, rate in enumerate(FALSE_POSITIVE_RATES)
        ),
        levels=tuple(_level(i, asked, found, drawn) for i, asked in enumerate(LEVELS)),
        curve=tuple(_trade(rate, calibrated, by_rule[:, i]) for i, rate in enumerate(rates.tolist(), first)),
        sureness=_sureness(friends, strangers, drawn),
    )


class _Sweep:
    """Friends against strangers by one score; the higher, the more alike."""

    def __init__(
        self,
        friends: Probes,
        strangers: Probes,
        friend_scores: NDArray[np.float64],
        stranger_scores: NDArray[np.float64],
    ) -> None:
        # A friend who would get another's name is missed at every threshold.
        own = np.where(friends.is_right, friend_scores, -np.inf)
        self.friends = SortedScores.of(own, friends.person)
        self.strangers = SortedScores.of(
            stranger_scores, np.stack([strangers.person, strangers.best], axis=1)
        )

    def threshold(self, rate: float) -> float:
        return self.strangers.threshold(rate * len(self.strangers), self.strangers.counted(None))

    def missed(self, threshold: float) -> int:
        return len(self.friends) - self.friends.above(threshold)

    def misses(self, rates: NDArray[np.float64], drawn: Sequence[Weights]) -> NDArray[np.float64]:
        """The miss rate at each false-positive rate, of every resample: len(drawn) x len(rates)."""
        found = np.full((len(drawn), len(rates)), np.nan)
        for i, multiplicity in enumerate(drawn):
            counted, hits = self.strangers.counted(multiplicity), self.friends.counted(multiplicity)
            if not hits[-1] or not counted[-1]:
                continue
            for j, rate in enumerate(rates.tolist()):
                threshold = self.strangers.threshold(rate * float(counted[-1]), counted)
                found[i, j] = 1 - hits[self.friends.above(threshold)] / hits[-1]
        return found


def _misses(
    rate: float,
    calibrated: _Sweep,
    plain: _Sweep,
    by_rule: NDArray[np.float64],
    by_similarity: NDArray[np.float64],
    own: int,
) -> Misses:
    threshold, similarity = calibrated.threshold(rate), plain.threshold(rate)
    trials = len(calibrated.friends)
    return Misses(
        false_positive_rate=rate,
        is_solid=calibrated.strangers.above(threshold) >= _SOLID,
        miss_rate=resampled_rate(calibrated.missed(threshold), trials, by_rule, own),
        false_accept=-threshold if np.isfinite(threshold) else None,
        miss_rate_by_similarity=resampled_rate(plain.missed(similarity), trials, by_similarity, own),
        similarity=similarity,
    )


def _level(number: int, asked: float, found: Decided, drawn: Sequence[Weights]) -> Level:
    friends, strangers = found.friends, found.strangers
    named = friends.named[:, number]
    person = friends.person[:, None]
    both = np.stack([strangers.person, strangers.best], axis=1)
    seen = _share(strangers.named[:, number], both, drawn, found.own_strangers)
    return Level(
        asked=asked,
        seen=seen,
        ratio=seen.over(asked),
        missed=_share(~(named & friends.is_right), person, drawn, found.own_friends),
        wrong_name=_share(named & ~friends.is_right, person, drawn, found.own_friends),
    )


def _share(events: NDArray[np.bool_], people: NDArray[np.int32], drawn: Sequence[Weights], own: int) -> Rate:
    """A share of probes; a resample counts each as often as the product of its people's multiplicities."""
    resampled = []
    for multiplicity in drawn if events.any() and not events.all() else ():
        weights = multiplicity[people].prod(axis=1)
        total = float(weights.sum())
        resampled.append(float(weights @ events) / total if total else np.nan)
    return resampled_rate(int(events.sum()), len(events), resampled, own)


def _trade(rate: float, sweep: _Sweep, drawn: NDArray[np.float64]) -> Trade:
    value = sweep.missed(sweep.threshold(rate)) / max(len(sweep.friends), 1)
    drawn = drawn[np.isfinite(drawn)]
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low, high = np.quantile(drawn, ends).tolist() if len(drawn) else (value, value)
    return Trade(false_positive_rate=rate, miss_rate=value, low=min(low, value), high=max(high, value))


def _curve_rates(strangers: int) -> NDArray[np.float64]:
    decades = np.log10(max(strangers, 20))
    return np.logspace(-decades, np.log10(0.4), max(2, round(decades * _CURVE_POINTS_A_DECADE)))


def _sureness(friends: Probes, strangers: Probes, drawn: Sequence[Weights]) -> tuple[Sureness, ...]:
    """How often names are right, by the confidence they are said with."""
    confidence = np.concatenate([friends.confidence, strangers.confidence])
    right = np.concatenate([friends.is_right, np.zeros(len(strangers), np.bool_)])
    weight = np.concatenate(
        [
            np.full(len(friends), 1 / max(len(friends), 1)),
            np.full(len(strangers), 1 / max(len(strangers), 1)),
        ]
    )
    person = np.concatenate([friends.person, strangers.person])
    bins = np.clip((np.nan_to_num(confidence, nan=-1.0) * _BINS).astype(int), -1, _BINS - 1)
    bins[np.isnan(confidence)] = -1
    return tuple(
        _bin(number, confidence[inside], right[inside], weight[inside], person[inside], drawn)
        for number in range(_BINS)
        for inside in (np.flatnonzero(bins == number),)
        if len(inside)
    )


def _bin(
    number: int,
    confidence: NDArray[np.float64],
    right: NDArray[np.bool_],
    weight: NDArray[np.float64],
    person: NDArray[np.int32],
    drawn: Sequence[Weights],
) -> Sureness:
    def share(weights: NDArray[np.float64]) -> float:
        total = float(weights.sum())
        return float(weights @ right) / total if total else np.nan

    resampled = np.array([share(weight * multiplicity[person]) for multiplicity in drawn])
    resampled = resampled[np.isfinite(resampled)]
    value, exact = share(weight), exact_rate(int(right.sum()), len(right))
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    is_mixed = bool(right.any() and not right.all() and len(resampled))
    low, high = np.quantile(resampled, ends).tolist() if is_mixed else (exact.low, exact.high)
    return Sureness(
        low=number / _BINS,
        high=(number + 1) / _BINS,
        said=float(weight @ confidence / weight.sum()),
        right=Rate(
            value=value,
            low=min(low, value),
            high=max(high, value),
            events=exact.events,
            trials=exact.trials,
            interval="bootstrap" if is_mixed else "exact",
        ),
    )
