"""What a track's good faces say together."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edged.domain.face import Embedding, Floats
from edged.recognition.calibration import spread_of

ODD_BELOW: Final = 0.90
"""A face less alike than this to all the others is not fused: faces of one track stay above .95, those of two
people average .86 (five people in one room, 20 clips; LFW)."""

MOST_FACES: Final = 32
"""The best so many are kept: a longer look at the same head adds nothing, and memory stays bounded."""

_LEAST_WEIGHT: Final = 0.05
_FACES_TO_JUDGE: Final = 3
"""Of two that differ, nobody can say which is odd."""


@dataclass(slots=True)
class Evidence:
    """The good faces of one track, fused: a mean of embeddings weighted by quality, without the odd ones.

    The order in which faces come does not matter. A face that is there already, to the bit, changes nothing
    but the count of looks: a still picture is decided in the end, with the one face that it shows.
    """

    looks: int = 0
    """How many faces were taken in, repetitions and odd ones too."""
    _rows: list[tuple[float, bytes]] = field(default_factory=list)
    """Quality and embedding, the best first; sums run in this order, so that they are the same to the bit."""
    _fused: tuple[Embedding, int, float] | None = None

    def add(self, embedding: Embedding, quality: float) -> None:
        """Take in one more face: a unit vector, and its quality (above 0, to 1)."""
        self.looks += 1
        content = np.asarray(embedding, np.float32).tobytes()
        rows = {kept: weight for weight, kept in self._rows}
        rows[content] = max(quality, _LEAST_WEIGHT, rows.get(content, 0.0))
        ranked = sorted(((weight, kept) for kept, weight in rows.items()), key=lambda row: (-row[0], row[1]))
        self._rows = ranked[:MOST_FACES]
        self._fused = None

    @property
    def faces(self) -> int:
        """How many are fused, the odd ones left out."""
        return self._result()[1] if self._rows else 0

    @property
    def odd(self) -> int:
        """How many were left out, because they are not like the others."""
        return len(self._rows) - self.faces

    @property
    def spread(self) -> float:
        """Mean pairwise distance (1 - cosine) of the fused faces; 0 for one."""
        return self._result()[2] if self._rows else 0.0

    def fused(self) -> Embedding:
        """The mean, of unit length; only where there is a face."""
        return self._result()[0]

    def _result(self) -> tuple[Embedding, int, float]:
        if self._fused is None:
            faces = np.stack([np.frombuffer(content, np.float32) for _, content in self._rows])
            weights = np.array([weight for weight, _ in self._rows], np.float32)
            fits = _fitting(faces, weights)
            mean = weights[fits] @ faces[fits]
            mean /= np.linalg.norm(mean)
            self._fused = mean, int(fits.sum()), spread_of(faces[fits])
        return self._fused


def _fitting(faces: Floats, weights: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of N faces are like the (weighted) mean of the others; all, where none or few are."""
    everybody = np.ones(len(faces), bool)
    if len(faces) < _FACES_TO_JUDGE:
        return everybody
    weighted = faces * weights[:, None]
    others = weighted.sum(axis=0) - weighted
    lengths = np.maximum(np.linalg.norm(others, axis=1), 1e-9)
    fits = np.einsum("ij,ij->i", faces, others) / lengths >= ODD_BELOW
    return fits if 2 * int(fits.sum()) > len(faces) else everybody
