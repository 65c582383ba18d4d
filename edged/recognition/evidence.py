"""What a track's good faces say together."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edged.domain.face import EMBEDDING_SIZE, Embedding, Floats

ALIEN_BELOW: Final = 0.90
"""A face less alike than this to its track's mean is not fused: faces of one track stay above .95, those of
two people average .86 (five people in one room, 20 clips; LFW)."""

ALIENS_IN_A_ROW: Final = 3
"""So many of them one after the other are somebody else, who took the track over."""


@dataclass(slots=True)
class Evidence:
    """The good faces of one track, fused: a mean of embeddings weighted by quality.

    Attributes:
        faces: how many are fused.
        takeovers: how often another face took the track over and the evidence began anew.
    """

    faces: int = 0
    takeovers: int = 0
    _sum: Floats = field(default_factory=lambda: np.zeros(EMBEDDING_SIZE, np.float32))
    _aliens: list[tuple[Embedding, float]] = field(default_factory=list)

    def add(self, embedding: Embedding, quality: float) -> None:
        """Fuse one more face of `quality` (above 0, to 1); one that does not fit the others waits aside."""
        if self.faces >= ALIENS_IN_A_ROW and float(self.fused() @ embedding) < ALIEN_BELOW:
            self._aliens.append((embedding, quality))
            if len(self._aliens) < ALIENS_IN_A_ROW:
                return
            newcomers, self._aliens = self._aliens, []
            self._sum = np.zeros(EMBEDDING_SIZE, np.float32)
            self.faces = 0
            self.takeovers += 1
            for face, weight in newcomers:
                self._fuse(face, weight)
            return
        self._aliens.clear()
        self._fuse(embedding, quality)

    def fused(self) -> Embedding:
        """The mean, of unit length; only where there is a face."""
        return np.asarray(self._sum / np.linalg.norm(self._sum), np.float32)

    def _fuse(self, embedding: Embedding, quality: float) -> None:
        self._sum = self._sum + embedding * max(quality, 0.05)
        self.faces += 1
