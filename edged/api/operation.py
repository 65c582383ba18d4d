"""What is said of one call of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from edged.api.problem import Code
from edged.settings.http import Scope

Method = Literal["GET", "POST", "PATCH", "DELETE"]

NOTHING: Final = "nothing"
"""The answer is an empty object."""
JPEG: Final = "image/jpeg"
JSON: Final = "application/json"


class Topic(StrEnum):
    """What calls are about, in the order in which they are shown."""

    ACCESS = "Access"
    RECOGNIZE = "Recognise"
    IDENTITIES = "Identities"
    IMAGES = "Faces"
    PICTURES = "Pictures"
    GROUPS = "Groups"
    DETECT = "Detect"
    WEBHOOKS = "Webhooks"


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """What may stand behind the `?` of a call."""

    name: str
    kind: Literal["string", "number"]
    description: str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One call.

    Attributes:
        method, path: how it is called; names in braces are taken from the path.
        id: its name, for generated clients and for the code that serves it.
        topic: what it is about.
        summary: one line for people.
        scope: what the caller must be allowed to do; None where a token is enough, or none is needed.
        asked: type of the body; None where there is none.
        answered: type of the answer, `list[…]` of one, `NOTHING`, or `JPEG`.
        query: what may stand behind the `?`.
        needs_token: only getting a token needs none.
        has_picture: answers JPEG to those who would rather have that.
        is_extension: edged's own; other servers of this API do not know it.
        example: a body, for the documentation.
    """

    method: Method
    path: str
    id: str
    topic: Topic
    summary: str
    scope: Scope | None
    answered: Any
    asked: type | None = None
    query: tuple[QueryParameter, ...] = ()
    needs_token: bool = True
    has_picture: bool = False
    is_extension: bool = False
    example: Mapping[str, Any] | None = None

    @property
    def has_namespace(self) -> bool:
        """Whether it is about one namespace."""
        return "{namespace}" in self.path or any(one.name == "namespace" for one in self.query)

    @property
    def media(self) -> tuple[str, ...]:
        """What it can answer, the usual first."""
        if self.answered == JPEG:
            return (JPEG,)
        return (JSON, JPEG) if self.has_picture else (JSON,)

    @property
    def codes(self) -> tuple[Code, ...]:
        """What may go wrong, in the order of the statuses."""
        codes = {Code.INTERNAL, Code.UNAVAILABLE, Code.NOT_ACCEPTABLE}
        if self.needs_token:
            codes |= {Code.UNAUTHORIZED, Code.FORBIDDEN}
        else:
            codes |= {Code.UNAUTHORIZED}
        if "{" in self.path or self.asked is not None:
            codes.add(Code.NOT_FOUND)
        if self.query or self.asked is not None:
            codes.add(Code.MALFORMED)
        if self.asked is not None:
            codes |= {Code.TIMEOUT, Code.TOO_LARGE, Code.UNSUPPORTED, Code.TOO_MANY, Code.CONFLICT}
        return tuple(code for code in Code if code in codes)
