"""What a reload may change while the daemon runs, and what has to wait for a restart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from edged.settings.quantities import Section
from edged.settings.root import Settings

RELOADABLE: Final = (
    "recognition",
    "quality",
    "detection.min_face_px",
    "motion",
    "presence",
    "sightings",
    "log.level",
    "history.jobs",
    "history.faces",
    "history.pictures.max_age",
    "history.pictures.max_bytes",
    "groups.max_age",
    "groups.max_bytes",
    "privacy.chips",
)
"""Keys, or whole sections, that a running daemon takes over: all are read anew for each frame or job, or by
retention. The rest is in open connections, files and models."""


@dataclass(frozen=True, slots=True)
class Reload:
    """What differs between two configurations, and what may run from now on.

    Attributes:
        can: paths of changed keys that are taken over at once.
        needs_restart: paths of changed keys that are not.
        settings: the old configuration with all of `can` taken over from the new one.
    """

    can: tuple[str, ...]
    needs_restart: tuple[str, ...]
    settings: Settings


def changes(old: Settings, new: Settings) -> Reload:
    """Compare two configurations key by key. Only paths are told, never values: some are secrets."""
    paths = tuple(_changed(old, new, ""))
    return Reload(
        can=tuple(path for path in paths if is_reloadable(path)),
        needs_restart=tuple(path for path in paths if not is_reloadable(path)),
        settings=_taken_over(old, new),
    )


def is_reloadable(path: str) -> bool:
    """Whether a running daemon takes over the key at this path."""
    return any(path == allowed or path.startswith(f"{allowed}.") for allowed in RELOADABLE)


def _changed(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Section) and type(old) is type(new):
        for name in old.__struct_fields__:
            below = f"{path}.{name}" if path else name
            yield from _changed(getattr(old, name), getattr(new, name), below)
    elif _are_lists_of_sections(old, new):
        for position, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changed(before, after, f"{path}[{position}]")
    elif old != new:
        yield path


def _are_lists_of_sections(old: Any, new: Any) -> bool:
    return (
        isinstance(old, tuple)
        and isinstance(new, tuple)
        and len(old) == len(new)
        and all(isinstance(item, Section) for item in (*old, *new))
    )


def _taken_over(old: Settings, new: Settings) -> Settings:
    settings: Settings = old
    for path in RELOADABLE:
        settings = _with(settings, new, path.split("."))
    return settings


def _with(old: Any, new: Any, names: Sequence[str]) -> Any:
    """The old section with one key, however deep, of the new one."""
    if not names:
        return new
    name, *rest = names
    return msgspec.structs.replace(old, **{name: _with(getattr(old, name), getattr(new, name), rest)})
