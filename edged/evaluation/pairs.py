"""Every pair of a data set's faces, block by block, in bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edged.domain.face import Floats
from edged.evaluation.faces import FaceSet
from edged.evaluation.resampling import Counts, Weights
from edged.evaluation.sorted_scores import SortedScores

BINS: Final = 200_000
"""Of a histogram of cosines from -1 to 1: 1e-5 wide."""

TAIL_SHARE: Final = 0.02
"""Of the strangers' pairs the most alike are kept one by one: twice what the loosest rate needs, so that a
resample, whose strangers are more alike, still finds its threshold among them."""

BLOCK_PAIRS: Final = 4_000_000
"""Compared at once: 100 MB or so."""

ALL_KEPT: Final = 1_000_000
"""So few pairs are kept whatever their share."""

_MOST_KEPT: Final = 30_000_000
"""Pairs kept one by one at most, 12 bytes each."""


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """What all pairs of a data set say.

    Attributes:
        genuine: of every pair of faces of one person.
        tail: of the most similar pairs of two people's faces, TAIL_SHARE of them.
        impostors: how many pairs of two people's faces there are.
        histogram: BINS counts of the pairs of two people's faces, by cosine.
        counts: how many faces each person has, for the resampling of `impostors`.
    """

    genuine: SortedScores
    tail: SortedScores
    impostors: int
    histogram: Counts
    counts: Counts

    def impostors_resampled(self, multiplicity: Weights) -> float:
        """How many pairs of two people's faces a resample has."""
        faces = multiplicity * self.counts
        return float((faces.sum() ** 2 - (faces**2).sum()) / 2)


def pair_scores(
    faces: FaceSet,
    tell: Callable[[float], None] = lambda _: None,
    *,
    block_pairs: int = BLOCK_PAIRS,
    all_kept: int = ALL_KEPT,
) -> PairScores:
    """Compare every face with every other; `tell` hears the share done, 0 to 1.

    Two rounds: the first counts, the second keeps what the counts say is worth keeping. Equal faces of one
    person (the same picture twice) count as any other pair. At most `block_pairs` are in memory at once, and
    of pairs of two people `all_kept` are kept whatever their share.
    """
    histogram = np.zeros(BINS, np.int64)
    genuine: list[tuple[Floats, NDArray[np.int32]]] = []
    blocks = list(_blocks(len(faces), block_pairs))
    for done, (first, last) in enumerate(blocks):
        cosines, same, upper = _block(faces, first, last)
        histogram += np.bincount(_bins(cosines[upper & ~same]), minlength=BINS)
        rows, _ = np.nonzero(upper & same)
        genuine.append((cosines[upper & same], faces.person[first + rows]))
        tell((done + 1) / (2 * len(blocks)))
    cut = _cut(histogram, all_kept)
    tail: list[tuple[Floats, NDArray[np.int32]]] = []
    for done, (first, last) in enumerate(blocks):
        cosines, same, upper = _block(faces, first, last)
        rows, columns = np.nonzero(upper & ~same & (_bins(cosines) >= cut))
        people = np.stack([faces.person[first + rows], faces.person[columns]], axis=1)
        tail.append((cosines[rows, columns], people))
        tell(0.5 + (done + 1) / (2 * len(blocks)))
    return PairScores(_joined(genuine, 1), _joined(tail, 2), int(histogram.sum()), histogram, faces.counts())


def bin_of(cosine: float) -> int:
    """The bin of the histogram that a cosine falls into."""
    return int(_bins(np.array([cosine], np.float32))[0])


def cosine_of(number: int) -> float:
    """The lower edge of a bin."""
    return number * 2.0 / BINS - 1.0


def _blocks(size: int, block_pairs: int) -> Iterator[tuple[int, int]]:
    step = max(1, block_pairs // max(size, 1))
    for first in range(0, size, step):
        yield first, min(first + step, size)


def _block(faces: FaceSet, first: int, last: int) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Cosines of some faces to all, less what crowds cost, which are of one person, and which are new."""
    cosines = faces.embeddings[first:last] @ faces.embeddings.T
    if faces.costs is not None:
        cosines -= faces.costs[first:last, None]
        cosines -= faces.costs[None]
    same = faces.person[first:last, None] == faces.person[None]
    upper = np.arange(first, last)[:, None] < np.arange(len(faces))[None]
    return cosines, same, upper


def _bins(cosines: Floats) -> NDArray[np.int32]:
    bins: NDArray[np.int32] = np.clip((cosines + 1.0) * np.float32(BINS / 2), 0, BINS - 1).astype(np.int32)
    return bins


def _cut(histogram: Counts, all_kept: int) -> int:
    """The first bin whose pairs are kept."""
    above = np.cumsum(histogram[::-1])[::-1]
    pairs = float(histogram.sum())
    wanted = min(max(TAIL_SHARE * pairs, min(pairs, all_kept)), _MOST_KEPT)
    return max(int(np.searchsorted(-above, -wanted, side="right")) - 1, 0)


def _joined(parts: list[tuple[Floats, NDArray[np.int32]]], people_each: int) -> SortedScores:
    scores = np.concatenate([np.empty(0, np.float32), *(scores for scores, _ in parts)])
    people = np.concatenate(
        [np.empty((0, people_each), np.int32), *(p.reshape(-1, people_each) for _, p in parts)]
    )
    return SortedScores.of(scores, people)
