"""What an HTTP receiver's answer means for the message."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from edged.delivery.outcome import DELIVERED, Fate, Outcome

LONGEST_RETRY_AFTER_S = 86_400.0
"""A receiver may ask for a day of peace. One that asks for a century has made a mistake."""

_NOT_NOW = frozenset({429, 502, 503, 504})
"""Said of the receiver, not of the message: no try counts."""
_AGAIN = frozenset({408, 425})


def outcome_of(status: int, retry_after: str | None, utc_s: Callable[[], float]) -> Outcome:
    """The outcome of an answer.

    2xx is delivered. 408, 425, 429 and 5xx are tried again, `Retry-After` obeyed; every other 4xx, and a
    redirect, which is never followed, goes to the dead letters. 410 says besides that the receiver is gone.
    """
    if 200 <= status < 300:  # noqa: PLR2004 - the classes of RFC 9110
        return DELIVERED
    reason = f"answered {described(status)}"
    if status in _NOT_NOW:
        return Outcome(Fate.UNAVAILABLE, reason, retry_after_s(retry_after, utc_s))
    if status in _AGAIN or status >= 500:  # noqa: PLR2004
        return Outcome(Fate.FAILED, reason, retry_after_s(retry_after, utc_s))
    if 300 <= status < 400:  # noqa: PLR2004
        return Outcome(Fate.REFUSED, f"{reason}; redirects are not followed: configure the final address")
    return Outcome(Fate.REFUSED, reason, is_gone=status == HTTPStatus.GONE)


def described(status: int) -> str:
    """The number and its standard words. The receiver's own are not repeated: they could be anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after_s(header: str | None, utc_s: Callable[[], float]) -> float:
    """Seconds that a `Retry-After` asks for (RFC 9110, 10.2.3: seconds or a date); 0 for none or nonsense."""
    if header is None:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        # More digits than these are more than a day whatever they say, and int() need not read them.
        wait_s = float(text[:12])
    else:
        try:
            wait_s = parsedate_to_datetime(text).timestamp() - utc_s()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S)
