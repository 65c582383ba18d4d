"""Durations and sizes as people write them: `500 ms`, `10 s`, `7 d`, `256 MB`."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}
_BYTES: Final[Mapping[str, int]] = {
    "B": 1,
    "kB": 1000,
    "KiB": 1024,
    "MB": 1000**2,
    "MiB": 1024**2,
    "GB": 1000**3,
    "GiB": 1024**3,
}
_QUANTITY: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


class Duration(float):
    """A length of time in seconds."""

    @classmethod
    def parse(cls, text: object) -> "Duration":
        """Read `10 s`; raise ValueError, with the units that exist, for anything else."""
        return cls(_parsed(text, _SECONDS, "10 s"))

    def __str__(self) -> str:
        return _shortest(float(self), _SECONDS)


class Size(int):
    """A number of bytes."""

    @classmethod
    def parse(cls, text: object) -> "Size":
        """Read `256 MB`; raise ValueError, with the units that exist, for anything else."""
        return cls(_parsed(text, _BYTES, "256 MB"))

    def __str__(self) -> str:
        return _shortest(int(self), _BYTES)


def _parsed(text: object, units: Mapping[str, float], example: str) -> float:
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[2] not in units:
        raise ValueError(f"write a number and a unit, like `{example}` (units: {', '.join(units)})")
    return float(match[1]) * units[match[2]]


def _shortest(value: float, units: Mapping[str, float]) -> str:
    """The value in the largest unit that leaves a whole number."""
    for unit, factor in sorted(units.items(), key=lambda item: -item[1]):
        if value >= factor and (value / factor).is_integer():
            return f"{int(value / factor)} {unit}"
    smallest = min(units, key=lambda unit: units[unit])
    return f"{value / units[smallest]:g} {smallest}"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping in the configuration file. Refuses keys it does not know."""


def key(description: str, **limits: Any) -> msgspec.Meta:
    """What is said of a key, once: its words for the docs, and its limits.

    `at_least` and `at_most` bound durations and sizes, in the words of the file (`1 s`); numbers and text
    take msgspec's own (`ge`, `le`, `pattern`, `min_length`, …).
    """
    own: dict[str, Any] = {name: limits.pop(name) for name in ("at_least", "at_most") if name in limits}
    return msgspec.Meta(description=description, extra=own or None, **limits)


class Secret:
    """A secret that the configuration names by `!secret name`. Prints as stars wherever it is printed."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The secret itself, at the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.name}, ****)"

    __str__ = __repr__
