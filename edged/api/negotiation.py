"""Which of several forms of an answer the caller would rather have (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Sequence
from typing import Final

from edged.api.problem import Code, Problem

_MOST_RANGES: Final = 32
_QUALITY: Final = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)")


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """The media type to answer in.

    Args:
        accept: the `Accept` header; None and an empty one ask for nothing in particular.
        offered: what there is, the usual first: it is taken where the caller likes several equally.

    Raises Problem 406 where the caller wants none of them.
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = [part for part in (_parsed(part) for part in accept.split(",")[:_MOST_RANGES]) if part]
    best = max(offered, key=lambda media: _quality(media, ranges))
    if _quality(best, ranges) <= 0:
        raise Problem(Code.NOT_ACCEPTABLE, f"this is answered as {' or '.join(offered)} only")
    return best


def is_json(content_type: str | None) -> bool:
    """Whether a `Content-Type` says JSON in UTF-8."""
    if content_type is None:
        return False
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [one.partition("=")[2].strip('"') for one in parameters if one.startswith("charset=")]
    return media == "application/json" and all(charset in {"utf-8", "utf8"} for charset in charsets)


def _parsed(part: str) -> tuple[str, float] | None:
    """A media range and how much it is liked, 0 to 1; None for what is no media range."""
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    if media.count("/") != 1:
        return None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            value = value.strip()
            return (media, float(value)) if _QUALITY.fullmatch(value) else None
    return media, 1.0


def _quality(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """What the most specific range that fits says."""
    kind = media.partition("/")[0]
    for wanted in (media, f"{kind}/*", "*/*"):
        qualities = [quality for name, quality in ranges if name == wanted]
        if qualities:
            return max(qualities)
    return 0.0
