"""Threads in which calls of the backend run, so that none blocks the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Final, TypeVar

from edged.api.problem import Code, Problem

T = TypeVar("T")

_RETRY_AFTER_S: Final = 1


class Lane:
    """A few threads, and a bounded queue before them.

    Args:
        name: of the threads.
        threads: how many.
        waiting: calls that may wait for one.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + waiting
        self._taken = 0
        self._lock = Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """What the call returns or raises; Problem 503 where too many wait already."""
        with self._lock:
            if self._taken >= self._most:
                raise Problem(
                    Code.UNAVAILABLE,
                    "too many requests are being served; try again",
                    retry_after_s=_RETRY_AFTER_S,
                )
            self._taken += 1
        future = self._pool.submit(call)
        # A place is free when its call has ended, which is later than when its client hung up.
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Begin nothing more; what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _future: Future[Any]) -> None:
        with self._lock:
            self._taken -= 1
