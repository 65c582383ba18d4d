"""Made-up people for evaluations: faces around a person, people around everybody."""

from collections.abc import Sequence

import numpy as np

from edged.domain.face import EMBEDDING_SIZE
from edged.evaluation.faces import FaceSet
from edged.evaluation.pairs import BINS, PairScores
from edged.evaluation.resampling import chance
from edged.evaluation.sorted_scores import SortedScores
from edged.recognition.calibration import Calibration, Statistics


def a_face_set(counts: Sequence[int], *, person: float = 0.42, noise: float = 0.22, seed: int = 5) -> FaceSet:
    """So many faces of each person: everybody's common direction, the person's own, and each face's noise."""
    random = chance(seed)
    common = np.zeros(EMBEDDING_SIZE)
    common[0] = 1.0
    owners = np.repeat(np.arange(len(counts)), counts)
    people = random.normal(size=(len(counts), EMBEDDING_SIZE)) * person / np.sqrt(EMBEDDING_SIZE)
    faces = random.normal(size=(len(owners), EMBEDDING_SIZE)) * noise / np.sqrt(EMBEDDING_SIZE)
    vectors = common + people[owners] + faces
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return FaceSet(
        tuple(f"person {number}" for number in range(len(counts))),
        owners.astype(np.int32),
        vectors.astype(np.float32),
        np.full(len(owners), 0.8, np.float32),
    )


def pair_scores_of(genuine: Sequence[float], impostors: Sequence[float], *, people: int = 50) -> PairScores:
    """Scores as if of all pairs of so many people, each of whom has as many of them."""
    own, others = np.asarray(genuine, np.float32), np.asarray(impostors, np.float32)
    first = np.arange(len(others)) % people
    second = (first + 1 + (np.arange(len(others)) // people) % (people - 1)) % people
    bins = np.clip((others + 1) * BINS / 2, 0, BINS - 1).astype(np.int64)
    # Faces a person, such that the number of pairs is about right.
    each = max(1, round(np.sqrt(2 * len(others)) / people))
    return PairScores(
        genuine=SortedScores.of(own, (np.arange(len(own)) % people).astype(np.int32)),
        tail=SortedScores.of(others, np.stack([first, second], axis=1).astype(np.int32)),
        impostors=len(others),
        histogram=np.bincount(bins, minlength=BINS),
        counts=np.full(people, each, np.int64),
    )


def a_measured_calibration() -> Calibration:
    """Of the shipped embedder, about as measured on LFW; without a cohort."""
    return Calibration(
        Statistics(
            data="LFW, people A to L, roughly",
            photographs=4602,
            people=2548,
            made_by="hand",
            apart=0.043,
            tail=(-2.25, -0.26, 0.0045, 0.12, 0.012),
            belief=(-2.0, -2.2, 0.3),
        ),
        np.empty((0, EMBEDDING_SIZE), np.float32),
    )
