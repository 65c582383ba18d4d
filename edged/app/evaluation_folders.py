"""Folders of people: which pictures show whom."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edged.camera.images import natural_order
from edged.domain.errors import InputError
from edged.evaluation.protocol import Picture, Protocol

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp")

_LISTED: Final = 10
"""Mistakes told of one file, at most."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and whose it is."""

    person: str
    path: Path


@dataclass(frozen=True, slots=True)
class PeopleFolder:
    """A data set of pictures.

    Attributes:
        pictures: by person, then in the order of their names.
        people: names of the folders that hold pictures.
        notes: what was passed over, for people.
    """

    pictures: tuple[Labelled, ...]
    people: tuple[str, ...]
    notes: tuple[str, ...]

    def limited(self, most: int | None) -> "PeopleFolder":
        """The pictures of the first people, as many people as it takes for so many pictures; or all."""
        if most is None or most >= len(self.pictures):
            return self
        kept = self.pictures[:most]
        people = tuple(dict.fromkeys(one.person for one in kept))
        note = f"--limit: only the first {most} of {len(self.pictures)} pictures are looked at"
        return PeopleFolder(kept, people, (*self.notes, note))


def people_in(folder: Path) -> PeopleFolder:
    """Every folder in `folder` is a person, every picture below it shows them; raises InputError."""
    walk = _Walk()
    entries = walk.entries(folder)
    pictures: list[Labelled] = []
    beside = 0
    for entry in entries:
        if entry.is_dir():
            pictures += [Labelled(entry.name, path) for path in walk.pictures(entry)]
        else:
            beside += 1
    if beside:
        walk.notes.append(f"{beside} files beside the folders of people are passed over")
    people = tuple(dict.fromkeys(one.person for one in pictures))
    if not pictures:
        raise InputError(
            f"{folder} holds no folder with pictures",
            remedy=f"Each person has a folder of their own, with files ending in {', '.join(SUFFIXES)}.",
        )
    return PeopleFolder(tuple(pictures), people, tuple(walk.notes))


def pictures_of(protocol: Protocol, folder: Path, source: str) -> dict[Picture, Path]:
    """Where the pictures of a protocol are; raises InputError that names the lines of missing ones."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder that can be read")
    found = {picture: _file_of(picture, folder) for picture in protocol.pictures()}
    missing: dict[Picture, int] = {}
    for pair in protocol.pairs:
        for picture in (pair.one, pair.other):
            if found[picture] is None:
                missing.setdefault(picture, pair.line)
    if missing:
        lines = [
            f"{source}, line {line}: {folder / picture.stem}.jpg is not there"
            for picture, line in list(missing.items())[:_LISTED]
        ]
        more = f"; {len(missing)} pictures are missing in all" if len(missing) > _LISTED else ""
        raise InputError("\n".join(lines) + more, remedy=f"Pictures may end in {', '.join(SUFFIXES)}.")
    return {picture: path for picture, path in found.items() if path is not None}


def _file_of(picture: Picture, folder: Path) -> Path | None:
    # A name is one folder's: one that leads elsewhere is nobody's.
    if picture.name in ("", ".", "..") or "/" in picture.name or "\0" in picture.name:
        return None
    for suffix in SUFFIXES:
        for ending in (suffix, suffix.upper()):
            path = folder / f"{picture.stem}{ending}"
            if path.is_file():
                return path
    return None


class _Walk:
    """Goes through folders, into links too, and into none twice."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._seen: set[tuple[int, int]] = set()

    def entries(self, folder: Path) -> Sequence[Path]:
        """What a folder holds, in order; raises InputError."""
        try:
            status = folder.stat()
            self._seen.add((status.st_dev, status.st_ino))
            entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
        except FileNotFoundError:
            raise InputError(f"{folder} is not there") from None
        except OSError as error:
            raise InputError(f"{folder} cannot be read: {error.strerror or error}") from None
        return sorted(entries, key=lambda entry: natural_order(entry.name))

    def pictures(self, folder: Path) -> list[Path]:
        """The pictures of a folder and of those below it."""
        try:
            status = folder.stat()
        except OSError as error:
            self.notes.append(f"{folder} cannot be read: {error.strerror or error}")
            return []
        if (status.st_dev, status.st_ino) in self._seen:
            self.notes.append(f"{folder} leads to a folder that was looked into already: passed over")
            return []
        if not os.access(folder, os.R_OK | os.X_OK):
            self.notes.append(f"{folder} may not be looked into by this user: passed over")
            self._seen.add((status.st_dev, status.st_ino))
            return []
        found = []
        for entry in self.entries(folder):
            if entry.is_dir():
                found += self.pictures(entry)
            elif entry.suffix.lower() in SUFFIXES:
                found.append(entry)
        return found
