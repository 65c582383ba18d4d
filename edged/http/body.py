"""Bodies of requests: bounded before they are read, each and all together, in bytes and in time."""

import asyncio
from types import TracebackType
from typing import Final, Self

from edged.api.problem import Code, Problem
from edged.http.conversation import Conversation
from edged.http.limits import Limits

_RETRY_AFTER_S: Final = 1


class BodyBudget:
    """Bytes of all the bodies that are held at once; used by the event loop's thread alone.

    Args:
        most_bytes: that there may be.
    """

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes

    def hold(self) -> "Hold":
        """A share of it, nothing at first; what was taken comes back when it is left."""
        return Hold(self)

    def take(self, count: int) -> None:
        """Take bytes; Problem 429 where there are not so many."""
        if count > self._left:
            raise Problem(
                Code.TOO_MANY,
                "too many bytes of other requests are being read; try again",
                retry_after_s=_RETRY_AFTER_S,
            )
        self._left -= count

    def give_back(self, count: int) -> None:
        """Bytes that are held no more."""
        self._left += count


class Hold:
    """Bytes of one body, as a context."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._held = 0

    def grow_to(self, count: int) -> None:
        """Hold so many bytes, or as many as already; Problem 429 where there are not so many."""
        more = max(0, count - self._held)
        self._budget.take(more)
        self._held += more

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._budget.give_back(self._held)
        self._held = 0


async def read_body(conversation: Conversation, hold: Hold, most_bytes: int, limits: Limits) -> bytearray:
    """The whole body.

    Args:
        conversation: the request.
        hold: what its bytes are taken from.
        most_bytes: length that is allowed.
        limits: how long it may take.

    Raises Problem 413 before anything is read where the length is told beforehand, else as soon as it is
    too long; 429 where other requests hold too much; 408 where it comes too slowly.
    """
    declared = conversation.declared_bytes
    if declared is not None:
        _check(declared, most_bytes)
        hold.grow_to(declared)
    body = bytearray()
    begun = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(limits.body_s) as limit:
            while (piece := await conversation.piece()) is not None:
                _check(len(body) + len(piece), most_bytes)
                hold.grow_to(len(body) + len(piece))
                body += piece
                limit.reschedule(begun + limits.body_s + len(body) / limits.body_bytes_a_s)
    except TimeoutError:
        raise Problem(Code.TIMEOUT, "the body came too slowly") from None
    return body


def _check(count: int, most_bytes: int) -> None:
    if count > most_bytes:
        raise Problem(Code.TOO_LARGE, f"the body is longer than {most_bytes} bytes, which is the limit")
