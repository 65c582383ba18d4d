"""The effective configuration as YAML: defaults filled in, secrets as stars."""

from typing import Any

import yaml

from edged.settings.kinds import keys_of, tag_of
from edged.settings.quantities import Duration, FalseAccept, Secret, Section, Size


def shown(settings: Section) -> str:
    """The settings as YAML text that any YAML library reads."""
    return str(yaml.safe_dump(_plain(settings), sort_keys=False, allow_unicode=True, width=1000))


def _plain(value: Any) -> Any:
    """The value in the words of the file, made of what YAML knows."""
    match value:
        case Section():
            tag = tag_of(type(value))
            keys = {name: _plain(getattr(value, name)) for name in keys_of(type(value))}
            return {tag[0]: tag[1], **keys} if tag else keys
        case tuple():
            return [_plain(item) for item in value]
        case Secret():
            return f"**** ({value.name})"
        case Duration() | Size() | FalseAccept():
            return str(value)
        case _:
            return value
