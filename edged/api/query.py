"""What stands behind the `?` of a call."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from edged.api.operation import QueryParameter
from edged.api.problem import Code, Problem

_NUMBER: Final = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")
_MOST_FIELDS: Final = 64
_LONGEST: Final = 1024


def parse_query(query: bytes, known: Sequence[QueryParameter]) -> dict[str, str | float]:
    """The known parameters that are there, each in its type; those that nobody knows are passed over.

    Raises Problem 400 with `field` for one that is missing, there twice, or not of its type.
    """
    found: dict[str, str | float] = {}
    if not known:
        return found
    by_name = {parameter.name: parameter for parameter in known}
    for name, value in _pairs(query):
        if name not in by_name:
            continue
        if name in found:
            raise _wrong(name, "stands there twice")
        found[name] = _value(by_name[name], value)
    for parameter in known:
        if parameter.is_required and parameter.name not in found:
            raise _wrong(parameter.name, "is missing")
    return found


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except UnicodeError:
        raise Problem(Code.MALFORMED, "what stands behind the `?` is not UTF-8") from None
    except ValueError:
        raise Problem(Code.MALFORMED, "too much stands behind the `?`") from None


def _value(parameter: QueryParameter, text: str) -> str | float:
    if "\0" in text or len(text) > _LONGEST:
        raise _wrong(parameter.name, f"has the character NUL, or more than {_LONGEST} characters")
    if parameter.kind == "string":
        return text
    if not _NUMBER.fullmatch(text):
        raise _wrong(parameter.name, "is not a number")
    return float(text)


def _wrong(name: str, what: str) -> Problem:
    return Problem(Code.MALFORMED, f"`{name}` behind the `?` {what}", field=name)
