"""Notices when a track's faces are somebody else's than before, and leaves single odd faces out.

Two who cross may swap tracks, and a face may appear where another one just was: boxes do not tell, faces do.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edged.domain.face import EMBEDDING_SIZE, Embedding, Floats
from edged.domain.moment import Moment

STRANGE_BELOW: Final = 0.94
"""Cosine below which a face does not fit its track. In the project's test footage (five people, one room, one
face in 0.2 s) no face was below .953 to the two before it, and 96 % of other people's were below .94."""

DOUBTFUL_BELOW: Final = 0.96
RIVAL_BY: Final = 0.02
"""A face below DOUBTFUL_BELOW is strange as well where it is so much more like somebody enrolled whom the
track was not taken for. In that footage, every newcomer who was enrolled was noticed so, and nobody else."""

LIKE_NOBODY_FROM: Final = 0.02
"""Where so many strangers are as much like somebody enrolled, a named track's face is strange, however like
its other faces: some people are .95 alike, and no stranger may keep another one's name."""

STRANGERS_IN_A_ROW: Final = 3
"""So many strange faces one after the other, alike among themselves, are somebody else."""

_RECENT: Final = 3
"""A head that turns differs from the mean of its track sooner than from the last faces."""


@dataclass(frozen=True, slots=True, eq=False)
class GoodFace:
    """A face of a track that was good enough to be embedded.

    Attributes:
        embedding: unit length.
        quality: weighs it, 0 to 1.
        at: when it was seen.
        rival: its similarity to whom of those enrolled it is most like, where the track was taken for another
            one of them; else -1.
        is_like_nobody: whether it is like nobody enrolled, where the track was taken for one of them.
    """

    embedding: Embedding
    quality: float
    at: Moment
    rival: float = -1.0
    is_like_nobody: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one more face means for its track.

    Attributes:
        fitting: faces of the track's own person, to be fused; the new one, or none, or also those before it
            that were set aside without need.
        newcomer: the faces of somebody else who has the track now; empty, or STRANGERS_IN_A_ROW.
        dropped: faces that were set aside and are of no use, now for good.
    """

    fitting: tuple[GoodFace, ...] = ()
    newcomer: tuple[GoodFace, ...] = ()
    dropped: int = 0


@dataclass(slots=True)
class TakeoverWatch:
    """Watches the good faces of one track, in the order of time.

    A strange face waits aside. One that fits after it lets it drop: the odd face changes nothing. Three
    strange ones in a row are somebody else when they are alike, and else a hard view of the same person. Who
    puts on a mask is somebody else, too: a name is rather lost than given to a stranger.
    """

    _sum: Floats = field(default_factory=lambda: np.zeros(EMBEDDING_SIZE, np.float32))
    _recent: list[Embedding] = field(default_factory=list)
    _strange: list[GoodFace] = field(default_factory=list)

    @classmethod
    def begun_with(cls, faces: tuple[GoodFace, ...]) -> "TakeoverWatch":
        """The watch of a track whose first faces these are."""
        watch = cls()
        for face in faces:
            watch._accept(face)
        return watch

    @property
    def is_in_doubt(self) -> bool:
        """Whether a strange face waits: the next one should be looked at soon."""
        return bool(self._strange)

    def see(self, face: GoodFace) -> Judgement:
        """Take in one more face. After a judgement with a newcomer the watch has ended."""
        if self._fits(face):
            dropped = len(self._strange)
            self._strange.clear()
            self._accept(face)
            return Judgement(fitting=(face,), dropped=dropped)
        self._strange.append(face)
        if len(self._strange) < STRANGERS_IN_A_ROW:
            return Judgement()
        strange = tuple(self._strange)
        self._strange.clear()
        if _are_one(strange):
            return Judgement(newcomer=strange)
        for one in strange:
            self._accept(one)
        return Judgement(fitting=strange)

    def _fits(self, face: GoodFace) -> bool:
        if not self._recent:
            return True
        recent: Floats = np.sum(self._recent, axis=0, dtype=np.float32)
        similarity = max(_cosine(self._sum, face), _cosine(recent, face))
        has_rival = similarity < DOUBTFUL_BELOW and face.rival >= similarity + RIVAL_BY
        return similarity >= STRANGE_BELOW and not has_rival and not face.is_like_nobody

    def _accept(self, face: GoodFace) -> None:
        self._sum = self._sum + face.embedding
        self._recent = [*self._recent, face.embedding][-_RECENT:]


def _are_one(faces: tuple[GoodFace, ...]) -> bool:
    """Whether each of the faces is like all the others."""
    embeddings = np.stack([face.embedding for face in faces])
    return float((embeddings @ embeddings.T).min()) >= STRANGE_BELOW


def _cosine(total: Floats, face: GoodFace) -> float:
    return float(total @ face.embedding) / max(float(np.linalg.norm(total)), 1e-9)
