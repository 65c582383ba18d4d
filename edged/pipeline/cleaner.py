"""The thread that has retention looked after: steps, far enough apart that nobody waits for it."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from edged.domain.errors import StoreError

EVERY_S: Final = 30.0
"""How long after the last step it looks again."""

PAUSE_S: Final = 0.2
"""Between two steps: whoever else writes to the databases has its turn."""

_LOG: Final = logging.getLogger(__name__)


class Cleaner(threading.Thread):
    """Calls `step` for as long as it says that there may be more, and again after a while.

    A step is one bounded transaction, or a few; what it leaves, at a stop or in a crash, the next one finds.
    It raises StoreError, which is logged once until a step succeeds again.
    """

    def __init__(self, step: Callable[[], bool]) -> None:
        super().__init__(name="cleaner", daemon=True)
        self._step = step
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._is_troubled = False

    def wake(self) -> None:
        """Look now. May be called by any thread."""
        self._woken.set()

    def stop(self, timeout_s: float) -> bool:
        """End the thread; False when it did not end in time."""
        self._stopping.set()
        self._woken.set()
        if self.ident is not None:
            self.join(timeout_s)
        return not self.is_alive()

    def run(self) -> None:
        """The thread: until `stop`."""
        while not self._stopping.is_set():
            self._woken.clear()
            while self._is_more() and not self._stopping.wait(PAUSE_S):
                pass
            if not self._stopping.is_set():
                self._woken.wait(EVERY_S)

    def _is_more(self) -> bool:
        try:
            is_more = self._step()
        except StoreError as error:
            if not self._is_troubled:
                _LOG.error("What is too old or too much cannot be deleted: %s", error)
            self._is_troubled = True
            return False
        except Exception:  # noqa: BLE001 - the thread's top: recognition goes on
            _LOG.exception("Looking for what is too old or too much failed")
            return False
        if self._is_troubled:
            _LOG.warning("What is too old or too much is deleted again")
        self._is_troubled = False
        return is_more
