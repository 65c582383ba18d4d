"""Who is enrolled from what, and who comes by: one random split of a data set after the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edged.evaluation.faces import FaceSet
from edged.evaluation.resampling import Counts, chance

Rows = tuple[int, ...]

_POOL = 16
"""Different probes of one stranger, at most. Of few pictures there are not more; of many, these will do."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One question: so many enrolled, with so many pictures, each probe fused from so many others.

    Attributes:
        gallery: people enrolled (N).
        pictures: enrolled of each (K).
        faces: fused in a probe (n).
    """

    gallery: int
    pictures: int
    faces: int

    def __str__(self) -> str:
        return f"N {self.gallery}, K {self.pictures}, n {self.faces}"


@dataclass(frozen=True, slots=True)
class Split:
    """One draw. Rows are those of the FaceSet; a probe's rows are sorted.

    Attributes:
        enrolled: people with the faces of their template.
        friends: of the enrolled people who have enough faces left, a probe each.
        strangers: of everybody else who has enough faces, a probe each.
    """

    enrolled: tuple[tuple[int, Rows], ...]
    friends: tuple[tuple[int, Rows], ...]
    strangers: tuple[tuple[int, Rows], ...]


class Draws:
    """Splits of a data set for one cell; the same number always gives the same split."""

    def __init__(self, faces: FaceSet, cell: Cell, seed: int) -> None:
        self._cell = cell
        self._path = (seed, cell.gallery, cell.pictures, cell.faces)
        self._rows = faces.rows_of()
        self._counts = counts = faces.counts()
        self._enrollable = np.flatnonzero(counts >= cell.pictures)
        self._probed = np.flatnonzero(counts >= cell.faces)
        self._pools = [self._pool(int(person)) for person in self._probed]

    def split(self, number: int) -> Split:
        """One split; the numbers count from 0."""
        random = chance(*self._path, 1, number)
        cell = self._cell
        chosen = self._chosen(random)
        enrolled, friends = [], []
        for person in chosen.tolist():
            order = random.permutation(self._rows[person])
            enrolled.append((person, tuple(order[: cell.pictures].tolist())))
            rest = order[cell.pictures :]
            if len(rest) >= cell.faces:
                friends.append((person, tuple(sorted(rest[: cell.faces].tolist()))))
        is_enrolled = np.isin(self._probed, chosen)
        picks = random.integers(0, 2**31, len(self._probed))
        strangers = [
            (int(self._probed[i]), self._pools[i][int(picks[i]) % len(self._pools[i])])
            for i in np.flatnonzero(~is_enrolled).tolist()
        ]
        return Split(tuple(enrolled), tuple(friends), tuple(strangers))

    def _chosen(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Who is enrolled: people who can also be probed, and others only where those are too few."""
        able = np.flatnonzero(self._counts >= self._cell.pictures + self._cell.faces)
        if len(able) >= self._cell.gallery:
            return random.choice(able, self._cell.gallery, replace=False)
        others = np.setdiff1d(self._enrollable, able)
        return np.concatenate([able, random.choice(others, self._cell.gallery - len(able), replace=False)])

    def _pool(self, person: int) -> list[Rows]:
        rows = self._rows[person]
        random = chance(*self._path, 2, person)
        drawn = {
            tuple(sorted(random.choice(rows, self._cell.faces, replace=False).tolist())) for _ in range(_POOL)
        }
        return sorted(drawn)


def why_impossible(counts: Counts, cell: Cell) -> str:
    """What is missing for a cell, in words; empty where nothing is.

    `counts` says how many faces each person has.
    """
    enrollable = int((counts >= cell.pictures).sum())
    if enrollable < cell.gallery:
        return (
            f"{cell}: {cell.gallery} people with {_pictures(cell.pictures)} each are to be enrolled, and"
            f" there {'is' if enrollable == 1 else 'are'} {enrollable or 'none'}"
        )
    if not (counts >= cell.pictures + cell.faces).any():
        return (
            f"{cell}: nobody has the {cell.pictures + cell.faces} pictures that a template of {cell.pictures}"
            f" and a probe of {cell.faces} others take"
        )
    if int((counts >= cell.faces).sum()) <= cell.gallery:
        return f"{cell}: nobody with {_pictures(cell.faces)} is left over as a stranger"
    return ""


def best_possible(counts: Counts) -> Cell | None:
    """The first of a few usual cells that a data set allows."""
    usual = (Cell(20, 5, 3), Cell(20, 3, 3), Cell(20, 3, 1), Cell(20, 1, 1), Cell(10, 3, 1), Cell(10, 1, 1))
    few = tuple(Cell(gallery, pictures, 1) for gallery in (5, 3, 2, 1) for pictures in (3, 2, 1))
    return next((cell for cell in (*usual, *few) if not why_impossible(counts, cell)), None)


def strangers_a_split(counts: NDArray[np.int64], cell: Cell) -> int:
    """How many strangers come by in one split, at least."""
    return max(1, int((counts >= cell.faces).sum()) - cell.gallery)


def _pictures(count: int) -> str:
    return "one picture" if count == 1 else f"{count} pictures"
