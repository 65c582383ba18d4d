"""A JSON Schema (draft 2020-12) of the configuration file, for editors: made from the sections' types."""

from typing import Any, Final

from edged.settings.expectations import expectation
from edged.settings.kinds import (
    Block,
    Choice,
    Flag,
    Hidden,
    Key,
    Kind,
    Listing,
    Number,
    Quantity,
    Text,
    Variants,
    keys_of,
    tag_of,
)
from edged.settings.quantities import Duration, FalseAccept, Section, Size
from edged.settings.root import Settings

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema. Bounds of durations and sizes are in its descriptions only: JSON Schema has no units."""
    definitions: dict[str, Any] = {}
    root = _section(Settings, definitions)
    return {
        "$schema": _DIALECT,
        "title": "Configuration of edged",
        "$comment": "`!secret NAME` is a YAML tag; tell your editor of it (`!secret scalar`).",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _section(section: type[Section], definitions: dict[str, Any]) -> dict[str, Any]:
    keys = keys_of(section)
    tag = tag_of(section)
    properties: dict[str, Any] = {tag[0]: {"const": tag[1]}} if tag else {}
    properties.update({key.name: _key(key, definitions) for key in keys.values()})
    return {
        "type": "object",
        "description": (section.__doc__ or "").strip(),
        "additionalProperties": False,
        "required": [*([tag[0]] if tag else []), *(key.name for key in keys.values() if key.required)],
        "properties": properties,
    }


def _key(key: Key, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _kind(key.kind, definitions)
    described = {"description": f"{key.description} Must be {expectation(key.kind)}."}
    if not key.required:
        default = _default(key.default)
        described |= {} if default is None else {"default": default}
    if key.nullable:
        return {**described, "anyOf": [schema, {"type": "null"}]}
    return {**described, **schema}


def _default(value: Any) -> Any:
    """A default that an editor can show: that of a section is in the section's own keys."""
    if isinstance(value, Duration | Size | FalseAccept):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, Section) else value


def _kind(kind: Kind, definitions: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911 - one shape a kind
    match kind:
        case Flag():
            return {"type": "boolean"}
        case Number():
            return _number(kind)
        case Text():
            limits = {"pattern": kind.pattern, "minLength": kind.min_length, "maxLength": kind.max_length}
            return {"type": "string", **_given(limits)}
        case Quantity():
            return {"type": "string", "pattern": kind.measure.PATTERN}
        case Hidden():
            return {"type": "string"}
        case Choice():
            return {"enum": list(kind.values)}
        case Listing():
            limits = {"minItems": kind.min_length, "maxItems": kind.max_length}
            return {"type": "array", "items": _kind(kind.item, definitions), **_given(limits)}
        case Block():
            return _reference(kind.section, definitions)
        case Variants():
            return {"oneOf": [_reference(section, definitions) for section in kind.sections.values()]}


def _number(kind: Number) -> dict[str, Any]:
    limits = {
        "minimum": kind.ge,
        "exclusiveMinimum": kind.gt,
        "maximum": kind.le,
        "exclusiveMaximum": kind.lt,
    }
    return {"type": "integer" if kind.whole else "number", **_given(limits)}


def _given(limits: dict[str, Any]) -> dict[str, Any]:
    return {name: limit for name, limit in limits.items() if limit is not None}


def _reference(section: type[Section], definitions: dict[str, Any]) -> dict[str, Any]:
    name = section.__name__
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = _section(section, definitions)
    return {"$ref": f"#/$defs/{name}"}
