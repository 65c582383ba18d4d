"""Mistakes in a configuration file, each with its line: collected first, told all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edged.domain.errors import ConfigurationError

_MOST_TOLD: Final = 50
"""Nobody mends more than so many from one reading, and a terminal should not scroll away the first."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong, and what would be right.

    Attributes:
        line: line of the file, from 1; 0 where it concerns the file as a whole.
        path: the key, such as `feeds[0].source.url`; empty where there is none.
        what: what was found and what would be right; never a secret, may have several lines.
    """

    line: int
    path: str
    what: str


def refusal(file: Path, mistakes: Sequence[Mistake]) -> ConfigurationError:
    """The error that tells all mistakes of a file, in the order of their lines."""
    ordered = sorted(set(mistakes))
    lines = [_told(mistake) for mistake in ordered[:_MOST_TOLD]]
    if len(ordered) > _MOST_TOLD:
        lines.append(f"  and {len(ordered) - _MOST_TOLD} more")
    count = f"{len(ordered)} mistakes" if len(ordered) > 1 else "a mistake"
    return ConfigurationError(f"{file} has {count}:\n" + "\n".join(lines))


def _told(mistake: Mistake) -> str:
    where = [f"line {mistake.line}"] if mistake.line else []
    where += [mistake.path] if mistake.path else []
    what = mistake.what.replace("\n", "\n    ")
    return f"  {', '.join(where)}: {what}" if where else f"  {what}"
