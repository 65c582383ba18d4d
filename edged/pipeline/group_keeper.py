"""From the recogniser to the disk: what is known of unknown people, written down by a thread of its own."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from edged.domain.backoff import Backoff
from edged.domain.errors import StoreError
from edged.domain.group import GroupNews

QUEUE_SIZE: Final = 64
"""News that may wait; each has a few chips, 0.3 MB at most. Beyond it the oldest is given up: groups are a
convenience, and never hold up recognition."""

SWEEP_EVERY_S: Final = 30.0
"""How often retention is looked after when nothing else happens."""

_SWEEPS_AT_ONCE: Final = 4
"""Steps of retention between two looks at the queue."""

_LOG: Final = logging.getLogger(__name__)


class GroupRecords(Protocol):
    """What the keeper needs of the stores. Used by its thread alone; all but `close` raise `StoreError`."""

    def begin(self) -> None:
        """Prepare: nothing told to an earlier run of the daemon is on its way any more."""
        ...

    def record(self, news: Sequence[tuple[str, GroupNews]]) -> None:
        """Write down (namespace, news), in one transaction a namespace."""
        ...

    def sweep(self) -> bool:
        """Do one bounded step of retention; whether there is more to do."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


class GroupKeeper(threading.Thread):
    """Writes down what it is told, in that order, and looks after retention.

    When a store fails it tries again; what waits beyond QUEUE_SIZE is given up, the oldest first, counted in
    `given_up` and logged once until it goes on.
    """

    def __init__(self, records: GroupRecords, jitter: Callable[[], float]) -> None:
        super().__init__(name="group-keeper", daemon=True)
        self._records = records
        self._jitter = jitter
        self._backoff = Backoff(first_s=0.1, most_s=30.0)
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, str, GroupNews]] = deque()
        """Each with its number; what is being written stays here until it is on the disk."""
        self._numbers = 0
        self._is_begun = False
        self._told = threading.Event()
        self._ending = threading.Event()
        self._is_giving_up = False
        self.given_up = 0
        """News that never came to the disk since the start."""

    def put(self, namespace: str, news: GroupNews) -> None:
        """Hand news over; never waits."""
        with self._lock:
            self._numbers += 1
            self._waiting.append((self._numbers, namespace, news))
            is_too_much = len(self._waiting) > QUEUE_SIZE
            if is_too_much:
                self._waiting.popleft()
                self.given_up += 1
        if is_too_much and not self._is_giving_up:
            self._is_giving_up = True
            _LOG.error("Groups of unknown people cannot be written down in time; the oldest news are lost")
        self._told.set()

    @property
    def is_idle(self) -> bool:
        """Whether all that was told is written down, or cannot be for now."""
        with self._lock:
            return not self._waiting or self._backoff.failures > 0 or not self.is_alive()

    def finish(self, timeout_s: float) -> bool:
        """Write down what waits and end; False where that could not be done in time."""
        self._ending.set()
        self._told.set()
        if self.ident is not None:
            self.join(timeout_s)
        return not self.is_alive() and not self._waiting

    def run(self) -> None:
        """The thread: until `finish`."""
        try:
            while True:
                is_last = self._ending.is_set()
                is_done = self._turn()
                if is_last:
                    break
                if is_done:
                    self._told.wait(SWEEP_EVERY_S)
                else:
                    self._ending.wait(self._backoff.failed(self._jitter()))
        except Exception:  # noqa: BLE001 - the thread's top: recognition goes on without groups
            _LOG.exception("Groups of unknown people are no longer written down")
        finally:
            self._records.close()

    def _turn(self) -> bool:
        """Write all that waits and look after retention; whether the stores took it."""
        self._told.clear()
        with self._lock:
            batch = list(self._waiting)
        try:
            if not self._is_begun:
                self._records.begin()
                self._is_begun = True
            self._records.record([(namespace, news) for _, namespace, news in batch])
            self._written(batch[-1][0] if batch else 0)
            for _ in range(_SWEEPS_AT_ONCE):
                if not self._records.sweep():
                    break
        except StoreError as error:
            if not self._backoff.failures:
                _LOG.error("Groups of unknown people cannot be written down: %s", error)
            return False
        if self._backoff.failures:
            self._backoff.succeeded()
            self._is_giving_up = False
            _LOG.warning("Groups of unknown people can be written down again")
        return True

    def _written(self, number: int) -> None:
        with self._lock:
            while self._waiting and self._waiting[0][0] <= number:
                self._waiting.popleft()
