"""Scores that were sorted once, each belonging to one or two people, counted anew for every resample."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edged.evaluation.resampling import Weights

Scores = NDArray[np.float32] | NDArray[np.float64]
People = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class SortedScores:
    """Scores, the highest first; the higher, the more alike.

    Attributes:
        scores: N floats, falling; -inf for what no threshold accepts.
        people: N x C int32: whose they are. A resample counts a score as often as the product of its people's
            multiplicities (Owen 2007, the pigeonhole bootstrap).
    """

    scores: Scores
    people: People

    @classmethod
    def of(cls, scores: Scores, people: People) -> Self:
        """Sort; `people` is N x C, or N long."""
        order = np.argsort(-scores, kind="stable")
        columns = people if people.ndim > 1 else people[:, None]
        return cls(scores[order], columns[order])

    def __len__(self) -> int:
        return len(self.scores)

    def counted(self, multiplicity: Weights | None) -> Weights:
        """How much lies at or above each score, from 0 scores on: N + 1 rising numbers."""
        if multiplicity is None:
            return np.arange(len(self.scores) + 1, dtype=np.float64)
        weights = multiplicity[self.people].prod(axis=1)
        return np.concatenate([[0.0], np.cumsum(weights)])

    def above(self, threshold: float) -> int:
        """How many scores are greater than the threshold."""
        return int(np.searchsorted(-self.scores, -threshold, side="left"))

    def threshold(self, allowed: float, counted: Weights) -> float:
        """The least threshold with at most `allowed` above it; scores equal to it are not above.

        So equal scores fall together, to the safe side. Where all scores may be above, it is -inf.
        """
        taken = int(np.searchsorted(counted, allowed * (1 + 1e-12), side="right")) - 1
        return float(self.scores[taken]) if taken < len(self.scores) else -np.inf
