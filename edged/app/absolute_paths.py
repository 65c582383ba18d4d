"""Paths of a configuration are relative to its file: here they become absolute, all at once."""

from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from edged.settings.quantities import Section

PATH_KEYS: Final = frozenset(
    {
        "path",
        "ca_file",
        "certificate_file",
        "key_file",
        "directory",
        "data_dir",
        "export",
        "mirror_ca_file",
    },
)
"""Keys that hold a file or a folder, whatever section they are in. A delegate may also be a bare name, which
the system's loader looks for."""

SectionT = TypeVar("SectionT", bound=Section)


def with_absolute_paths(section: SectionT, base_dir: Path) -> SectionT:
    """The same settings with every path absolute; `~` is the user's home."""
    changes: dict[str, Any] = {}
    for name in section.__struct_fields__:
        value = getattr(section, name)
        is_path = name in PATH_KEYS or (name == "delegate" and "/" in str(value))
        if is_path and isinstance(value, str):
            changes[name] = str(base_dir / Path(value).expanduser())
        elif isinstance(value, Section):
            changes[name] = with_absolute_paths(value, base_dir)
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            changes[name] = tuple(with_absolute_paths(item, base_dir) for item in value)
    return msgspec.structs.replace(section, **changes)
