"""What docstrings say of types and their fields, for the OpenAPI document."""

import inspect
import re
from typing import Any, Final

_SECTION: Final = re.compile(r"^\s*Attributes:\s*$", re.MULTILINE)
_FIELD: Final = re.compile(r"^ {4}(?P<names>\w+(?:, \w+)*): (?P<words>.*(?:\n {8}.*)*)", re.MULTILINE)
_WORD_BREAK: Final = re.compile(r"_(\w)")


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type whose description is its docstring: what that says of a field goes to the field.

    Fields stand in the docstring under `Attributes:`, by their names in Python.
    """
    if "description" not in schema:
        return schema
    text, _, fields = _parted(inspect.cleandoc(schema["description"]))
    properties = dict(schema.get("properties", {}))
    for match in _FIELD.finditer(fields):
        words = _one_line(match["words"])
        for name in match["names"].split(", "):
            spelled = _WORD_BREAK.sub(lambda letter: letter[1].upper(), name)
            if spelled in properties:
                properties[spelled] = properties[spelled] | {"description": words}
    made = schema | {"description": _one_line(text)}
    return made | {"properties": properties} if properties else made


def _parted(docstring: str) -> tuple[str, str, str]:
    match = _SECTION.search(docstring)
    if match is None:
        return docstring, "", ""
    return docstring[: match.start()], match[0], docstring[match.end() :]


def _one_line(text: str) -> str:
    return " ".join(text.split())
