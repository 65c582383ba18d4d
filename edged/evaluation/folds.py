"""Accuracy over folds: the threshold of each is chosen on the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edged.evaluation.rate import Finding, Rate, resampled_value
from edged.evaluation.resampling import multiplicities


class Accuracy(Finding, frozen=True, kw_only=True):
    """The share of pairs told right, as LFW's protocol counts."""

    counted: str
    """Which pairs, in words."""
    accuracy: Rate
    """Mean over the folds; the interval resamples folds, or pairs where there is one fold."""
    standard_error: float
    """Of the mean over folds, as LFW's result pages give it; 0 for one fold."""
    folds: int
    pairs: int
    not_scored: int
    """Pairs that count as wrong, because they have no similarity."""
    thresholds: tuple[float, ...]
    """Of each fold: a pair with more similarity is said to be one person."""
    chosen_on_others: bool
    """False for a single fold, whose threshold was chosen on itself: that flatters."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPairs:
    """The pairs of a protocol with their similarity.

    Attributes:
        similarity: N float, NaN where a picture of the pair could not be embedded.
        genuine: N bool, whether a pair is of one person.
        fold: N int, from 0.
    """

    similarity: NDArray[np.float64]
    genuine: NDArray[np.bool_]
    fold: NDArray[np.int64]

    def only(self, which: NDArray[np.bool_]) -> "ScoredPairs":
        """These pairs alone."""
        return ScoredPairs(self.similarity[which], self.genuine[which], self.fold[which])

    def without_score(self, which: NDArray[np.bool_]) -> "ScoredPairs":
        """The same pairs, these without a similarity."""
        return ScoredPairs(np.where(which, np.nan, self.similarity), self.genuine, self.fold)


def fold_accuracy(pairs: ScoredPairs, counted: str, *, resamples: int, seed: int) -> Accuracy | None:
    """Accuracy of the pairs; None where none is left of both kinds. A pair without similarity is wrong."""
    folds = sorted(set(pairs.fold.tolist()))
    scored = ~np.isnan(pairs.similarity)
    if not folds or len(set(pairs.genuine[scored].tolist())) < 2:  # noqa: PLR2004 (both kinds)
        return None
    shares, thresholds, right = [], [], np.zeros(len(pairs.similarity), np.bool_)
    for fold in folds:
        own = pairs.fold == fold
        chosen_on = scored if len(folds) == 1 else scored & ~own
        threshold = best_threshold(pairs.similarity[chosen_on], pairs.genuine[chosen_on])
        right[own] = scored[own] & ((pairs.similarity[own] > threshold) == pairs.genuine[own])
        thresholds.append(threshold)
        shares.append(float(right[own].mean()))
    units = shares if len(folds) > 1 else right.astype(np.float64)
    error = float(np.std(shares, ddof=1) / np.sqrt(len(shares))) if len(shares) > 1 else 0.0
    return Accuracy(
        counted=counted,
        accuracy=resampled_value(
            float(np.mean(shares)), len(right), _means(units, resamples, seed), int(right.sum())
        ),
        standard_error=error,
        folds=len(folds),
        pairs=len(right),
        not_scored=int((~scored).sum()),
        thresholds=tuple(thresholds),
        chosen_on_others=len(folds) > 1,
    )


def best_threshold(similarity: NDArray[np.float64], genuine: NDArray[np.bool_]) -> float:
    """The threshold that tells most pairs right; of several equally good the middle one.

    Candidates lie half way between neighbouring similarities, and beyond both ends.
    """
    order = np.argsort(similarity)
    sorted_ones = similarity[order]
    is_genuine = genuine[order]
    # With k pairs at or below the threshold: strangers among them and genuine ones above are right.
    right = np.concatenate([[0], np.cumsum(~is_genuine)]) + (
        is_genuine.sum() - np.concatenate([[0], np.cumsum(is_genuine)])
    )
    edges = np.concatenate(
        [[sorted_ones[0] - 1e-6], (sorted_ones[1:] + sorted_ones[:-1]) / 2, [sorted_ones[-1]]]
    )
    # Between equal similarities there is no threshold.
    possible = np.concatenate([[True], sorted_ones[1:] > sorted_ones[:-1], [True]])
    best = np.flatnonzero(possible & (right == right[possible].max()))
    return float(edges[best[len(best) // 2]])


def _means(units: Sequence[float] | NDArray[np.float64], resamples: int, seed: int) -> list[float]:
    values = np.asarray(units, np.float64)
    return [float(m @ values / m.sum()) for m in multiplicities(len(values), resamples, seed)]
