"""Quantities and secrets as people write them: `500 ms`, `7 d`, `256 MB`, `1 in 10_000`, `!secret name`."""

import re
from collections.abc import Mapping
from typing import Any, Final, Never

import msgspec

from edged.domain.errors import ConfigurationError

_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}
_BYTES: Final[Mapping[str, float]] = {
    "B": 1,
    "kB": 1000,
    "KiB": 1024,
    "MB": 1000**2,
    "MiB": 1024**2,
    "GB": 1000**3,
    "GiB": 1024**3,
}
_QUANTITY: Final = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]+)\s*")


_ODDS: Final = re.compile(r"\s*1 in ([0-9][0-9_]{0,14})(?: tracks)?\s*")
_LEVELS: Final[Mapping[str, float]] = {"relaxed": 1e-2, "balanced": 1e-3, "strict": 1e-4, "strictest": 1e-5}


def _unit_pattern(units: Mapping[str, float]) -> str:
    return rf"^\s*[0-9]+(\.[0-9]+)?\s*({'|'.join(units)})\s*$"


class Duration(float):
    """A length of time in seconds."""

    NOUN = "a duration"
    EXAMPLE = "10 s"
    PATTERN = _unit_pattern(_SECONDS)

    @classmethod
    def parse(cls, text: object) -> "Duration":
        """Read `10 s`; raise ValueError, with the units that exist, for anything else."""
        return cls(_parsed(text, _SECONDS, cls.EXAMPLE))

    def __str__(self) -> str:
        return _shortest(float(self), _SECONDS)


class Size(int):
    """A number of bytes."""

    NOUN = "a size"
    EXAMPLE = "256 MB"
    PATTERN = _unit_pattern(_BYTES)

    @classmethod
    def parse(cls, text: object) -> "Size":
        """Read `256 MB`; raise ValueError, with the units that exist, for anything else."""
        return cls(round(_parsed(text, _BYTES, cls.EXAMPLE)))

    def __str__(self) -> str:
        return _shortest(int(self), _BYTES)


class FalseAccept(float):
    """Share of strangers' tracks that may be taken for somebody, above 0, below 1."""

    NOUN = "a share of tracks"
    EXAMPLE = "1 in 10_000 tracks"
    LEVELS = tuple(_LEVELS)
    PATTERN = rf"^\s*(1 in [0-9][0-9_]*( tracks)?|{'|'.join(_LEVELS)})\s*$"

    @classmethod
    def parse(cls, text: object) -> "FalseAccept":
        """Read `1 in 10_000 tracks` or a named level; raise ValueError for anything else."""
        if isinstance(text, str) and text.strip() in _LEVELS:
            return cls(_LEVELS[text.strip()])
        match = _ODDS.fullmatch(text) if isinstance(text, str) else None
        odds = int(match[1].replace("_", "") or 0) if match else 0
        if odds < 2:  # noqa: PLR2004 - one in one is everybody
            raise ValueError(f"write like `{cls.EXAMPLE}`, or a level ({', '.join(_LEVELS)})")
        return cls(1 / odds)

    def __str__(self) -> str:
        return f"1 in {round(1 / self):_}"


def _parsed(text: object, units: Mapping[str, float], example: str) -> float:
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[2] not in units:
        raise ValueError(f"write a number and a unit, like `{example}` (units: {', '.join(units)})")
    return float(match[1]) * units[match[2]]


def _shortest(value: float, units: Mapping[str, float]) -> str:
    """The value in the largest unit that leaves a whole number, else with decimals in the smallest."""
    smallest = min(units, key=lambda unit: units[unit])
    for unit, factor in sorted(units.items(), key=lambda item: -item[1]):
        count = round(value / factor)
        if count and abs(value - count * factor) < units[smallest] * 1e-6:
            return f"{count} {unit}"
    return f"{value / units[smallest]:.6f}".rstrip("0").rstrip(".") + f" {smallest}"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping in the configuration file. Refuses keys it does not know."""


def key(description: str, **limits: Any) -> msgspec.Meta:
    """What is said of a key, once: its words for the docs, and its limits.

    Numbers take `ge`, `gt`, `le`, `lt`; text takes `pattern`, with its meaning in words as `form`; text and
    lists take `min_length` and `max_length`; `at_least` and `at_most` bound durations and sizes, in the
    words of the file (`1 s`). They travel in msgspec's `extra`, because msgspec's own limits cannot stand
    on an optional value (`str | None`); `edged.settings.kinds` reads them.
    """
    return msgspec.Meta(description=description, extra=limits or None)


class Secret:
    """A secret that the configuration names by `!secret name`. Prints as stars wherever it is printed.

    Without a value it is one that was not looked up: commands that need none do not ask for it.
    """

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str | None = None) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The secret itself, at the one place that needs it; raises ConfigurationError if not looked up."""
        if self._value is None:
            raise ConfigurationError(f"secret `{self.name}` was not looked up")
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.name, self._value) == (other.name, other._value)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Secret({self.name}, ****)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("a secret is not pickled: it would be readable in the copy")
