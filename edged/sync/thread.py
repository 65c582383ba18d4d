"""The thread that keeps the namespaces of a node in step, and the same without a thread, for commands."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from edged.domain.moment import Clock
from edged.sync.exchange import Exchange

TURN_S: Final = 0.2
REST_S: Final = 10.0
"""After a fault of edged itself, before all begins anew."""

_LOG: Final = logging.getLogger(__name__)


def _nothing() -> None:
    pass


class SyncThread(threading.Thread):
    """Turns an exchange until it is stopped. A fault does not end it: it is logged, and all begins anew.

    Args:
        exchange: what is turned.
        rest_s: so long nothing is done after a fault.
        failed: called at each fault, by this thread: what was told before it is not so any more.
    """

    def __init__(
        self, exchange: Exchange, *, rest_s: float = REST_S, failed: Callable[[], None] = _nothing
    ) -> None:
        super().__init__(name="sync", daemon=True)
        self._exchange = exchange
        self._rest_s = rest_s
        self._failed = failed
        self._stopping = threading.Event()
        self.beats = 0
        """Counts the turns: whoever watches sees that it goes on."""
        self.failures = 0
        """Faults of edged itself since the start."""

    def wake(self) -> None:
        """Look now: whoever calls has just changed a namespace. Any thread may call it."""
        self._exchange.wake()

    def interrupt(self) -> None:
        """Say that it is to stop, without waiting."""
        self._stopping.set()
        self._exchange.wake()

    def stop(self, timeout_s: float) -> bool:
        """End the thread; False when it did not end in time."""
        self.interrupt()
        if self.ident is not None:
            self.join(timeout_s)
        return not self.is_alive()

    def run(self) -> None:
        """Turn until stopped."""
        while not self._stopping.is_set():
            self.beats += 1
            try:
                self._exchange.turn(TURN_S)
            except Exception:  # noqa: BLE001 - the thread's top: it begins anew
                self.failures += 1
                _LOG.exception("The sync failed, and begins anew in %.0f s", self._rest_s)
                self._failed()
                self._start_over()
                self._stopping.wait(self._rest_s)
        self._exchange.close()

    def _start_over(self) -> None:
        try:
            self._exchange.start_over()
        except Exception:  # noqa: BLE001 - what has just failed may fail in ending too
            _LOG.exception("The sync could not let go of everything")


def run_until(exchange: Exchange, is_done: Callable[[], bool], timeout_s: float, clock: Clock) -> bool:
    """Turn an exchange in this thread until something holds; False when the time was over first.

    For commands, where no daemon runs on the data folder. The exchange is not closed.
    """
    until_ms = clock.moment().steady_ms + round(timeout_s * 1000)
    while not is_done():
        if clock.moment().steady_ms >= until_ms:
            return False
        exchange.turn(TURN_S)
    return True
