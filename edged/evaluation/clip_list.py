"""The list of labelled clips: a CSV file of person and clip, and who is enrolled from which."""

import csv
import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edged.domain.errors import InputError
from edged.evaluation.resampling import chance

HEADER: Final = ("person", "clip", "enrol")
_YES: Final = frozenset({"yes", "true", "1", "x"})
_NO: Final = frozenset({"no", "false", "0", ""})
_EXAMPLE: Final = (
    "Its first line is `person,clip` or `person,clip,enrol`; a clip of nobody has an empty person."
)


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """One line of the list.

    Attributes:
        person: who is in it; empty where nobody is.
        clip: the file, as the list has it.
        line: counted from 1.
        enrol: to be enrolled from, and not recognised in.
    """

    person: str
    clip: str
    line: int
    enrol: bool = False


@dataclass(frozen=True, slots=True)
class ClipSplit:
    """Who is enrolled from which clips; all other clips are probes.

    Attributes:
        enrolled: numbers of clips in the list, by person.
    """

    enrolled: Mapping[str, tuple[int, ...]]

    def is_probe(self, clip: int) -> bool:
        """Whether somebody is to be recognised in a clip."""
        return all(clip not in clips for clips in self.enrolled.values())


def parse_clip_list(text: str, source: str) -> list[LabelledClip]:
    """Read the CSV; raises InputError with the number of a line that is wrong."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        header = [name.strip().casefold() for name in next(rows, [])]
        if sorted(header) not in (sorted(HEADER), sorted(HEADER[:2])):
            raise InputError(
                f"{source}, line 1: the columns are {', '.join(header) or 'missing'}", remedy=_EXAMPLE
            )
        clips = [
            _clip(dict(zip(header, row, strict=False)), len(row), len(header), rows.line_num, source)
            for row in rows
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise InputError(f"{source}, line {rows.line_num}: {error}", remedy=_EXAMPLE) from None
    if not clips:
        raise InputError(f"{source} names no clip", remedy=_EXAMPLE)
    return clips


def splits_of(clips: Sequence[LabelledClip], usable: Sequence[bool], most: int, seed: int) -> list[ClipSplit]:
    """Every way to enrol each person from one of their clips; where there are more than `most`, some.

    Somebody with one clip is a stranger. `usable` says of each clip whether it can be enrolled from. With
    clips that are marked for enrolment there is one way. Raises InputError where nobody can be enrolled and
    recognised.
    """
    choices: dict[str, list[tuple[int, ...]]] = {}
    marked = any(clip.enrol for clip in clips)
    for person in dict.fromkeys(clip.person for clip in clips if clip.person):
        own = [number for number, clip in enumerate(clips) if clip.person == person]
        if marked:
            chosen = tuple(number for number in own if clips[number].enrol and usable[number])
            if chosen:
                choices[person] = [chosen]
        elif len(own) > 1:
            single: list[tuple[int, ...]] = [(number,) for number in own if usable[number]]
            if single:
                choices[person] = single
    enrolled = {number for ways in choices.values() for way in ways for number in way}
    if not any(
        len([clip for clip in clips if clip.person == person]) > min(map(len, ways))
        for person, ways in choices.items()
    ):
        raise InputError(
            "nobody can be recognised: nobody has a clip to enrol from and another to be recognised in",
            remedy="" if enrolled else "A person needs two clips, with a face good enough in one.",
        )
    return [
        ClipSplit(dict(zip(choices, way, strict=True))) for way in _ways(list(choices.values()), most, seed)
    ]


def _ways(
    choices: Sequence[Sequence[tuple[int, ...]]], most: int, seed: int
) -> list[tuple[tuple[int, ...], ...]]:
    count = 1
    for ways in choices:
        count *= len(ways)
    if count <= most:
        return list(itertools.product(*choices))
    # Each person from each of their clips in turn, then at random.
    turns = max(len(ways) for ways in choices)
    chosen = [tuple(ways[turn % len(ways)] for ways in choices) for turn in range(min(turns, most))]
    random = chance(seed, 3)
    while len(chosen) < most:
        chosen.append(tuple(ways[int(random.integers(len(ways)))] for ways in choices))
    return list(dict.fromkeys(chosen))


def _clip(row: dict[str, str], cells: int, columns: int, line: int, source: str) -> LabelledClip:
    if cells != columns:
        raise InputError(f"{source}, line {line}: {cells} columns instead of {columns}", remedy=_EXAMPLE)
    clip, enrol = row["clip"].strip(), row.get("enrol", "").strip().casefold()
    if not clip:
        raise InputError(f"{source}, line {line}: the clip is missing", remedy=_EXAMPLE)
    if enrol not in _YES | _NO:
        raise InputError(f"{source}, line {line}: enrol is {enrol!r}", remedy="Write yes or no.")
    person = row["person"].strip()
    if enrol in _YES and not person:
        raise InputError(f"{source}, line {line}: nobody cannot be enrolled", remedy=_EXAMPLE)
    return LabelledClip(person, clip, line, enrol in _YES)
