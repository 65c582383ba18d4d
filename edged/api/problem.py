"""What is answered instead: the one shape of every error of the API."""

from enum import StrEnum

import msgspec

from edged.domain.wire import Wire


class Code(StrEnum):
    """What went wrong, for programs; each belongs to one HTTP status. The set is closed."""

    MALFORMED = "MALFORMED_REQUEST"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    TIMEOUT = "REQUEST_TIMEOUT"
    CONFLICT = "CONFLICT"
    TOO_LARGE = "REQUEST_TOO_LARGE"
    UNSUPPORTED = "UNSUPPORTED_MEDIA_TYPE"
    TOO_MANY = "TOO_MANY_REQUESTS"
    INTERNAL = "INTERNAL_ERROR"
    UNAVAILABLE = "UNAVAILABLE"


STATUS = {
    Code.MALFORMED: 400,
    Code.UNAUTHORIZED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.NOT_ACCEPTABLE: 406,
    Code.TIMEOUT: 408,
    Code.CONFLICT: 409,
    Code.TOO_LARGE: 413,
    Code.UNSUPPORTED: 415,
    Code.TOO_MANY: 429,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
}


class ErrorBody(Wire, frozen=True, kw_only=True):
    """What happened and what to do; `field` is the path of what is wrong in the request."""

    code: Code
    message: str
    field: str | None = None


class ErrorAnswer(Wire, frozen=True, kw_only=True):
    """The body of every answer that is not 200."""

    error: ErrorBody


class Problem(Exception):  # noqa: N818 - it is not always somebody's error: the queue may be full
    """Ends a call with an error for whoever called.

    Attributes:
        code: what happened, for programs.
        message: the same for people, with what to do; holds nothing that the caller may not know.
        field: path of what is wrong in the request, like `images[3].url`.
        retry_after_s: when trying again may help.
    """

    def __init__(
        self, code: Code, message: str, *, field: str | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]

    def body(self) -> bytes:
        """The answer, JSON."""
        return msgspec.json.encode(
            ErrorAnswer(error=ErrorBody(code=self.code, message=self.message, field=self.field))
        )


def not_found(what: str, reference: str) -> Problem:
    """The same words whether it never was, is gone, or is in a namespace that is none of the caller's."""
    return Problem(Code.NOT_FOUND, f"there is no {what} {reference!r} here")
