"""Measures what an embedder's similarities are worth: its cohort, thresholds and confidence.

Everything is measured on people whom the cohort that adjusts them has not seen: the people are dealt into
FOLDS parts, and each part is adjusted by prototypes of the others. Prototypes that had seen a person would
call their surroundings crowded, and the thresholds would come out too low by a factor of some dozens.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from edged.domain.errors import InputError
from edged.domain.face import Floats
from edged.evaluation.resampling import chance
from edged.recognition.calibration import Calibration, CohortFile, Distribution, Statistics

FOLDS: Final = 5
PROTOTYPES: Final = 256
NEAREST: Final = 4
WEIGHT: Final = 1 / 3
"""Prototypes, how many of the nearest, and their weight, from the table in docs/recognition.md. Fewer of the
nearest tell strangers apart no better, and people whom the cohort has seen worse."""
FEWEST_PEOPLE: Final = 200
"""Fewer people say nothing of one stranger in a thousand."""

_LEAST_IN_PROTOTYPE: Final = 3
"""A prototype stands for so many people at least: none is anybody's face."""
_EVIDENCE: Final = (1, 2, 3, 4, 5)
_DRAWS: Final = 4
_DECADES: Final = tuple(np.arange(2.0, 7.0, 0.5))
_LEAST_EVENTS: Final = 8
_MOST_EVENTS: Final = 400
_STIFFNESS: Final = 0.1
"""How little the curve of the tail may bend beyond what was measured, as a share of the weight of all points:
without it the fit promised ten times too much at 1 in 10,000 on the other half of the people, without any
bend ten times too little."""
_SHARES: Final = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
_GALLERIES: Final = (5, 20, 100)
_TOLD: Final = ((1, 1), (1, 3), (3, 1), (3, 3), (5, 3), (5, 5))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What was measured.

    Attributes:
        statistics: for the card; `cohort` names no file yet.
        prototypes: P x size float16, for the file beside it.
    """

    statistics: Statistics
    prototypes: NDArray[np.float16]

    @property
    def cohort(self) -> CohortFile:
        """Of the statistics; there always is one."""
        assert self.statistics.cohort is not None  # noqa: S101 - made so a few lines below
        return self.statistics.cohort


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    """Normalised means of some photographs each: N x size, whose (N), and the crowd's cost (N)."""

    vectors: Floats
    owners: NDArray[np.int64]
    costs: Floats


def fitted(embeddings: Floats, people: Sequence[int], *, data: str, made_by: str) -> Fitted:
    """Measure an embedder on photographs of many people.

    Args:
        embeddings: N x size float32, unit length, as the daemon makes them.
        people: N numbers, who is on each.
        data: which photographs these are, for the card.
        made_by: the command that measures, for the card.

    Raises InputError where there are too few people.
    """
    photographs = _Photographs(embeddings, people)
    same = photographs.pairs_of_one_person()
    if len(photographs.of) < FEWEST_PEOPLE or len(same) < FEWEST_PEOPLE:
        raise InputError(
            f"{len(photographs.of)} people with {len(same)} pairs of one person are too few to measure an"
            f" embedder on: it takes {FEWEST_PEOPLE} of each at least, and thousands to say something of rare"
            " mistakes"
        )
    apart = float(1 - same.mean())
    cost = photographs.costs_across()
    means = {count: photographs.means(count, cost) for count in _EVIDENCE}
    tail = _tail(means)
    prototypes = cluster(photographs.embeddings, photographs.people, PROTOTYPES).astype(np.float16)
    draft = Statistics(
        data=data,
        photographs=len(embeddings),
        people=len(photographs.of),
        made_by=made_by,
        apart=round(apart, 5),
        tail=tail,
        belief=(0.0, -1.0, 0.0),
        cohort=CohortFile(
            file="",
            sha256="",
            weight=WEIGHT,
            nearest=NEAREST,
            usual=round(photographs.usual, 5),
        ),
        strangers=tuple(told for told in _strangers_told(means) if told.pairs),
        same_person=tuple(
            told for k, n in _TOLD if (told := photographs.genuine(k, n, cost).told(k, n)).pairs
        ),
    )
    # What the crowds cost is in these similarities already: the calibration need not know the cohort.
    bare = Calibration(draft, np.empty((0, embeddings.shape[1]), np.float32))
    belief = _belief(photographs, means, cost, bare)
    return Fitted(msgspec.structs.replace(draft, belief=belief), prototypes)


Cost = Callable[[Floats, NDArray[np.int64]], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class _Genuine:
    similarities: Floats

    def told(self, pictures: int, faces: int) -> Distribution:
        return _distribution(self.similarities, pictures, faces)


class _Photographs:
    """Everybody's embeddings, and means of some of them. Draws are the same at each run."""

    def __init__(self, embeddings: Floats, people: Sequence[int]) -> None:
        self.embeddings = np.asarray(embeddings, np.float32)
        self.people = np.asarray(people, np.int64)
        self.of: dict[int, list[int]] = defaultdict(list)
        for row, person in enumerate(self.people.tolist()):
            self.of[person].append(row)
        self.random = chance(0)
        self.usual = 0.0

    def pairs_of_one_person(self) -> Floats:
        """Cosines of all pairs of one person; a person with many photographs counts no more than others."""
        means = []
        for rows in self.of.values():
            if len(rows) > 1:
                own = self.embeddings[rows]
                cosines = own @ own.T
                means.append(cosines[np.triu_indices(len(rows), 1)].mean())
        return np.array(means, np.float32)

    def costs_across(self) -> Cost:
        """What crowds cost, each person's by a cohort of others; sets `usual`."""
        order = self.random.permutation(np.array(list(self.of), np.int64))
        folds = np.array_split(order, FOLDS)
        fold_of = {int(person): number for number, fold in enumerate(folds) for person in fold}
        of_row = np.array([fold_of[int(person)] for person in self.people])
        cohorts = [
            cluster(self.embeddings[of_row != number], self.people[of_row != number], PROTOTYPES)
            for number in range(FOLDS)
        ]

        def crowds(vectors: Floats, owners: NDArray[np.int64]) -> Floats:
            folds_of = np.array([fold_of[int(owner)] for owner in owners])
            crowd = np.empty(len(vectors), np.float32)
            for number, cohort in enumerate(cohorts):
                own = folds_of == number
                nearest = np.sort(vectors[own] @ cohort.T, axis=1)[:, -NEAREST:]
                crowd[own] = nearest.mean(axis=1)
            return crowd

        self.usual = float(crowds(self.embeddings, self.people).mean())
        usual = np.float32(round(self.usual, 5))
        return lambda vectors, owners: np.float32(WEIGHT) * (crowds(vectors, owners) - usual)

    def means(self, count: int, cost: Cost) -> _Means:
        """Means of `count` photographs of everybody who has so many, several draws a person."""
        vectors, owners = [], []
        for person, rows in self.of.items():
            if len(rows) >= count:
                for _ in range(_DRAWS if len(rows) > count > 1 else 1):
                    vectors.append(self._mean(self.random.choice(rows, count, replace=False)))
                    owners.append(person)
            if count == 1:
                vectors += [self.embeddings[row] for row in rows[1:_DRAWS]]
                owners += [person] * len(rows[1:_DRAWS])
        stacked = np.array(vectors, np.float32).reshape(-1, self.embeddings.shape[1])
        whose = np.array(owners, np.int64)
        return _Means(stacked, whose, cost(stacked, whose))

    def genuine(self, pictures: int, faces: int, cost: Cost) -> _Genuine:
        """Adjusted similarities of templates and probes of one person, from different photographs."""
        templates, probes, owners = [], [], []
        for person, rows in self.of.items():
            if len(rows) >= pictures + faces:
                for _ in range(_DRAWS):
                    order = self.random.permutation(rows)
                    templates.append(self._mean(order[:pictures]))
                    probes.append(self._mean(order[pictures : pictures + faces]))
                    owners.append(person)
        one, other, whose = np.array(templates), np.array(probes), np.array(owners)
        if not len(whose):
            return _Genuine(np.empty(0, np.float32))
        cosines = np.einsum("ij,ij->i", one, other)
        return _Genuine(np.asarray(cosines - cost(one, whose) - cost(other, whose), np.float32))

    def _mean(self, rows: NDArray[np.int64]) -> Floats:
        return _normalised(self.embeddings[rows].mean(axis=0))


def cluster(embeddings: Floats, people: NDArray[np.int64], count: int) -> Floats:
    """Prototypes of faces: spherical k-means, at most `count`, none of fewer than three people.

    `embeddings` are N x size float32 of unit length; returns P x size float32 of unit length.
    """
    random = chance(0)
    count = min(count, len(embeddings) // 8)
    centres = embeddings[random.choice(len(embeddings), count, replace=False)]
    for _ in range(30):
        nearest = (embeddings @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, embeddings)
        filled = np.bincount(nearest, minlength=len(centres)) > 0
        centres = _normalised(sums[filled])
    nearest = (embeddings @ centres.T).argmax(axis=1)
    kept = [
        number
        for number in range(len(centres))
        if len(np.unique(people[nearest == number])) >= _LEAST_IN_PROTOTYPE
    ]
    return centres[kept]


def _adjusted_strangers(templates: _Means, probes: _Means) -> Floats:
    similarity = probes.vectors @ templates.vectors.T
    similarity -= probes.costs[:, None]
    similarity -= templates.costs[None]
    strangers: Floats = similarity[probes.owners[:, None] != templates.owners[None]]
    return strangers


def _tail(means: dict[int, _Means]) -> tuple[float, float, float, float, float]:
    """Fit the strangers' tail, see `Statistics.tail`; points weigh by the square root of their events."""
    rows, values, weights = [], [], []
    for pictures in _EVIDENCE:
        for faces in range(1, pictures + 1):
            strangers = _adjusted_strangers(means[pictures], means[faces])
            # Draws of one person are alike: events are counted by pairs of people.
            people = len(set(means[pictures].owners.tolist())) * len(set(means[faces].owners.tolist()))
            events = people / (2 if pictures == faces else 1)
            noise = 1 / pictures + 1 / faces
            for decade in _DECADES:
                seen = events * 10.0**-decade
                if seen < _LEAST_EVENTS:
                    break
                limit = float(np.quantile(strangers, 1 - 10.0**-decade))
                rows.append((1.0, decade, decade * decade, noise, noise * decade))
                values.append(np.log(1 - limit))
                weights.append(min(seen, _MOST_EVENTS))
    design, weight = np.array(rows), np.array(weights)
    stiff = np.zeros((5, 5))
    stiff[2, 2] = _STIFFNESS * weight.sum()
    gram = design.T @ (design * weight[:, None]) + stiff
    solved = np.linalg.solve(gram, design.T @ (np.array(values) * weight))
    t0, t1, t2, t3, t4 = (round(float(value), 6) for value in solved)
    return t0, t1, t2, t3, t4


def _belief(
    photographs: _Photographs, means: dict[int, _Means], cost: Cost, calibration: Calibration
) -> tuple[float, float, float]:
    """Fit the logistic of confidence, friends and strangers weighing the same."""
    rows, truths, weights = [], [], []
    for pictures, faces in _TOLD:
        same = photographs.genuine(pictures, faces, cost).similarities
        templates, probes = means[pictures], means[faces]
        if len(same) < _LEAST_EVENTS or len(templates.vectors) < max(_GALLERIES):
            continue
        for enrolled in _GALLERIES:
            best = _best_strangers(photographs.random, templates, probes, enrolled)
            for similarities, true in ((same, 1.0), (best, 0.0)):
                for similarity in similarities.tolist():
                    rate = calibration.false_accept_at(
                        similarity, enrolled=enrolled, pictures=pictures, faces=faces
                    )
                    rows.append((1.0, max(np.log10(max(rate, 1e-300)), -9.0), 1 / pictures + 1 / faces))
                    truths.append(true)
                    weights.append(0.5 / len(similarities))
    design, truth, weight = np.array(rows), np.array(truths), np.array(weights)
    belief = np.array([0.0, -1.0, 0.0])
    for _ in range(100):
        chance = 1 / (1 + np.exp(-np.clip(design @ belief, -50, 50)))
        curve = weight * chance * (1 - chance)
        hessian = design.T @ (design * curve[:, None]) + 1e-9 * np.eye(3)
        belief = belief + np.linalg.solve(hessian, design.T @ (weight * (truth - chance)))
    b0, b1, b2 = (round(float(value), 5) for value in belief)
    return b0, b1, b2


def _best_strangers(random: np.random.Generator, templates: _Means, probes: _Means, enrolled: int) -> Floats:
    """For each probe the best of `enrolled` random templates of other people."""
    best = np.empty(len(probes.vectors), np.float32)
    for number, (vector, owner) in enumerate(zip(probes.vectors, probes.owners, strict=True)):
        rows = random.integers(len(templates.vectors), size=enrolled)
        rows = rows[templates.owners[rows] != owner]
        similarity = templates.vectors[rows] @ vector - templates.costs[rows]
        best[number] = similarity.max() - probes.costs[number]
    return best


def _strangers_told(means: dict[int, _Means]) -> Iterator[Distribution]:
    for pictures, faces in _TOLD:
        if faces <= pictures:
            strangers = _adjusted_strangers(means[pictures], means[faces])
            yield _distribution(strangers, pictures, faces)


def _distribution(similarities: Floats, pictures: int, faces: int) -> Distribution:
    shares = [s for s in _SHARES if min(s, 1 - s) * len(similarities) >= 5]  # noqa: PLR2004
    told = {f"{share:g}": round(float(np.quantile(similarities, share)), 4) for share in shares}
    return Distribution(pictures=pictures, faces=faces, pairs=len(similarities), share_below=told)


def _normalised(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)
