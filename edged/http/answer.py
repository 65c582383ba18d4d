"""An answer before it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from edged.api.operation import JSON
from edged.api.problem import Code, Problem

Headers = Sequence[tuple[bytes, bytes]]

NO_CONTENT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"

_ALWAYS: Final[Headers] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body.

    Attributes:
        status: of HTTP.
        body: all of it.
        media: its `Content-Type`.
        more: further headers.
        policy: what a browser that shows the body may load for it.
    """

    status: int
    body: bytes
    media: str = JSON
    more: Headers = ()
    policy: str = NO_CONTENT_POLICY

    def headers(self) -> list[tuple[bytes, bytes]]:
        """All headers but those of the connection."""
        return [
            (b"content-type", self.media.encode()),
            (b"content-length", str(len(self.body)).encode()),
            (b"content-security-policy", self.policy.encode()),
            *_ALWAYS,
            *self.more,
        ]


def of_json(value: object, status: int = 200, more: Headers = ()) -> Answer:
    """A value as JSON."""
    return Answer(status, msgspec.json.encode(value), more=more)


def of_problem(problem: Problem, more: Headers = ()) -> Answer:
    """An error, with the headers that belong to it."""
    headers = list(more)
    if problem.retry_after_s is not None:
        headers.append((b"retry-after", str(max(1, problem.retry_after_s)).encode()))
    if problem.code is Code.UNAUTHORIZED and not any(name == b"www-authenticate" for name, _ in headers):
        headers.append((b"www-authenticate", b'Bearer realm="edged"'))
    return Answer(problem.status, problem.body(), more=tuple(headers))
