"""The labelled faces of a data set, as the evaluation computes with them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edged.domain.face import Floats
from edged.evaluation.resampling import Counts
from edged.recognition.calibration import Calibration


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Faces with whose they are.

    Attributes:
        names: of the people, by their number.
        person: M int32, the number of each face's person.
        embeddings: M x EMBEDDING_SIZE float32, unit length.
        qualities: M float32, above 0, to 1: how much a face counts where several are fused.
    """

    names: tuple[str, ...]
    person: NDArray[np.int32]
    embeddings: Floats
    qualities: NDArray[np.float32]
    costs: Floats | None = None
    """M float32: what the crowd around each face costs (`Calibration.crowding`); None: the plain cosine."""

    def __len__(self) -> int:
        return len(self.person)

    def counts(self) -> Counts:
        """How many faces each person has."""
        return np.bincount(self.person, minlength=len(self.names))

    def rows_of(self) -> list[NDArray[np.int64]]:
        """The rows of each person's faces, in order."""
        order = np.argsort(self.person, kind="stable")
        return np.split(order, np.cumsum(self.counts())[:-1])

    def of_rows(self, rows: NDArray[np.int64]) -> "FaceSet":
        """Only these faces; the people keep their numbers."""
        costs = None if self.costs is None else self.costs[rows]
        return FaceSet(self.names, self.person[rows], self.embeddings[rows], self.qualities[rows], costs)

    def as_decided(self, calibration: Calibration) -> "FaceSet":
        """The same faces, to be compared as the daemon compares them."""
        return replace(self, costs=calibration.crowding(self.embeddings))
