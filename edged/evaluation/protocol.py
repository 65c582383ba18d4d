"""LFW's pairs.txt: which pictures are compared with which, in folds."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from edged.domain.errors import InputError

_FORM: Final = (
    "A line has a name and two numbers, or a name and a number twice, with tabs or spaces between;"
    " the first line of the file has the number of pairs, or of folds and pairs."
)


@dataclass(frozen=True, slots=True, order=True)
class Picture:
    """A picture as pairs.txt names it: NAME/NAME_0001, counted from 1."""

    name: str
    number: int

    @property
    def stem(self) -> str:
        """Its path below the data set, without the ending."""
        return f"{self.name}/{self.name}_{self.number:04d}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures.

    Attributes:
        one, other: the pictures.
        fold: counted from 0.
        line: of the file, counted from 1.
    """

    one: Picture
    other: Picture
    fold: int
    line: int

    @property
    def is_genuine(self) -> bool:
        """Whether both show one person."""
        return self.one.name == self.other.name


@dataclass(frozen=True, slots=True)
class Protocol:
    """The pairs of a file, in its order."""

    pairs: tuple[Pair, ...]
    folds: int

    def pictures(self) -> list[Picture]:
        """Every picture that is named, once, in order."""
        return sorted({picture for pair in self.pairs for picture in (pair.one, pair.other)})

    def limited(self, most: int | None) -> "Protocol":
        """The first so many pairs of each kind of each fold, or all."""
        if most is None:
            return self
        seen: Counter[tuple[int, bool]] = Counter()
        kept = []
        for pair in self.pairs:
            kind = pair.fold, pair.is_genuine
            seen[kind] += 1
            if seen[kind] <= most:
                kept.append(pair)
        return Protocol(tuple(kept), self.folds)


def parse_protocol(text: str, source: str) -> Protocol:
    """Read pairs.txt (`10 300` or `10<tab>300` in its first line), pairsDevTest.txt (`500`), or lines alone.

    A fold has so many pairs of one person, then so many of two. Without a first line of numbers, all lines
    are one fold. Raises InputError with the number of the line that is wrong.
    """
    lines = [
        (number, line.strip()) for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1)
    ]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not lines:
        raise InputError(f"{source} names no pairs: it is empty")
    header = re.fullmatch(r"(\d+)(?:\s+(\d+))?", lines[0][1])
    if header is None:
        folds, in_fold = 1, len(lines)
    else:
        folds, each = (int(header[1]), int(header[2])) if header[2] else (1, int(header[1]))
        in_fold = 2 * each
        lines = lines[1:]
        if folds < 1 or each < 1 or len(lines) != folds * in_fold:
            raise InputError(
                f"{source}: its first line says {folds} x 2 x {each} pairs, and {len(lines)} lines follow",
                remedy="The file may be cut off.",
            )
    pairs = tuple(_pair(line, number, index // in_fold, source) for index, (number, line) in enumerate(lines))
    if len({pair.is_genuine for pair in pairs}) == 1:
        kind = "one person" if pairs[0].is_genuine else "two people"
        raise InputError(
            f"{source}: every pair is of {kind}: there is nothing to tell apart",
            remedy="Both kinds are needed.",
        )
    return Protocol(pairs, folds)


def _pair(line: str, number: int, fold: int, source: str) -> Pair:
    tabbed = [part.strip() for part in line.split("\t")]
    if len(tabbed) in (3, 4):
        # Tabs tell where a name ends, so that names may hold spaces.
        parts = tabbed
        if len(parts) == 4 and parts[1].isdecimal() and parts[3].isdecimal():  # noqa: PLR2004
            return _made(parts[0], parts[1], parts[2], parts[3], fold, number)
        if len(parts) == 3 and parts[1].isdecimal() and parts[2].isdecimal():  # noqa: PLR2004
            return _made(parts[0], parts[1], parts[0], parts[2], fold, number)
    if found := re.fullmatch(r"(.+?)\s+(\d+)\s+(\d+)", line):
        return _made(found[1], found[2], found[1], found[3], fold, number)
    if found := re.fullmatch(r"(.+?)\s+(\d+)\s+(.*\D.*?)\s+(\d+)", line):
        return _made(found[1], found[2], found[3], found[4], fold, number)
    raise InputError(f"{source}, line {number}: {line!r} is no pair", remedy=_FORM)


def _made(one: str, one_number: str, other: str, other_number: str, fold: int, line: int) -> Pair:
    return Pair(Picture(one, int(one_number)), Picture(other, int(other_number)), fold, line)
