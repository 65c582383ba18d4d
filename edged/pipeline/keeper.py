"""From other threads to the disk: news, written down by a thread of their own that holds up nobody."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from edged.domain.backoff import Backoff
from edged.domain.errors import StoreError

SWEEP_EVERY_S: Final = 30.0
"""How often retention is looked after when nothing else happens."""

_SWEEPS_AT_ONCE: Final = 4
"""Steps of retention between two looks at the queue."""

_LOG: Final = logging.getLogger(__name__)

News = TypeVar("News")
_Told_contra = TypeVar("_Told_contra", contravariant=True)


class Records(Protocol[_Told_contra]):
    """What a keeper needs of the stores. Used by its thread alone; all but `close` raise `StoreError`."""

    def begin(self) -> None:
        """Prepare: nothing told to an earlier run of the daemon is on its way any more."""
        ...

    def record(self, news: Sequence[tuple[str, _Told_contra]]) -> None:
        """Write down (namespace, news), in one transaction a namespace."""
        ...

    def sweep(self) -> bool:
        """Do one bounded step of retention; whether there is more to do."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may wait: beyond either, the oldest is given up. What was put last always stays."""

    most_news: int
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits to be written down.

    Attributes:
        news, bytes: how many, and what they take in memory.
        oldest_ns: when the oldest was put, of the keeper's clock; None where none waits.
    """

    news: int
    bytes: int
    oldest_ns: int | None


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[News]):
    """News with their number; what is being written waits until it is on the disk."""

    number: int
    put_ns: int
    namespace: str
    news: News
    size_bytes: int


class Keeper(threading.Thread, Generic[News]):
    """Writes down what it is told, in that order, and looks after retention.

    When a store fails it tries again; what waits beyond the bounds is given up, the oldest first, counted in
    `given_up` and logged once until it goes on.

    Args:
        name: of the thread.
        subject: what it keeps, in the plural, as the log lines begin.
        records: the stores.
        jitter: gives a number from 0 to 1, by chance.
        bounds: what may wait.
        bytes_of: how much memory news take.
        now_ns: nanoseconds of a steady clock, for whoever asks how old the backlog is.
    """

    def __init__(
        self,
        name: str,
        subject: str,
        records: Records[News],
        jitter: Callable[[], float],
        bounds: Bounds,
        bytes_of: Callable[[News], int],
        now_ns: Callable[[], int] = lambda: 0,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._subject = subject
        self._records = records
        self._jitter = jitter
        self._bounds = bounds
        self._bytes_of = bytes_of
        self._now_ns = now_ns
        self._backoff = Backoff(first_s=0.1, most_s=30.0)
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._waiting: deque[_Waiting[News]] = deque()
        self._waiting_bytes = 0
        self._numbers = 0
        self._is_begun = False
        self._told = threading.Event()
        self._ending = threading.Event()
        self._is_giving_up = False
        self.given_up = 0
        """News that never came to the disk since the start."""
        self.beats = 0
        """Counts the tries to write: whoever watches sees that it goes on."""

    def put(self, namespace: str, news: News) -> None:
        """Hand news over; never waits. May be called by any thread."""
        size_bytes = self._bytes_of(news)
        with self._settled:
            self._numbers += 1
            self._waiting.append(_Waiting(self._numbers, self._now_ns(), namespace, news, size_bytes))
            self._waiting_bytes += size_bytes
            lost = 0
            while self._is_too_much():
                self._take_oldest()
                lost += 1
            self.given_up += lost
            if lost:
                self._settled.notify_all()
        if lost and not self._is_giving_up:
            self._is_giving_up = True
            _LOG.error("%s cannot be written down in time; the oldest news are lost", self._subject)
        self._told.set()

    def wake(self) -> None:
        """Take a turn now. May be called by any thread."""
        self._told.set()

    def wait_until_begun(self, timeout_s: float) -> bool:
        """Wait until what an earlier run left is dealt with; False where it was not in time."""
        with self._settled:
            return self._settled.wait_for(lambda: self._is_begun, timeout_s)

    def wait_until_written(self, timeout_s: float) -> bool:
        """Wait until all that was put so far is written down; False where it was not in time, or was lost."""
        with self._settled:
            number, lost = self._numbers, self.given_up
            self._settled.wait_for(lambda: self._is_settled(number), timeout_s)
            return self._is_settled(number) and self.given_up == lost

    @property
    def backlog(self) -> Backlog:
        """What waits now; any thread may ask."""
        with self._lock:
            oldest_ns = self._waiting[0].put_ns if self._waiting else None
            return Backlog(len(self._waiting), self._waiting_bytes, oldest_ns)

    @property
    def is_idle(self) -> bool:
        """Whether all that was told is written down, or cannot be for now."""
        with self._lock:
            return not self._waiting or self.is_troubled

    @property
    def is_troubled(self) -> bool:
        """Whether nothing can be written down for now."""
        return self._backoff.failures > 0 or not self.is_alive()

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
        except Exception:  # noqa: BLE001 - the thread's top: recognition goes on without what is kept
            _LOG.exception("%s are no longer written down", self._subject)
        finally:
            self._records.close()

    def _turn(self) -> bool:
        """Write all that waits and look after retention; whether the stores took it."""
        self.beats += 1
        self._told.clear()
        with self._lock:
            batch = list(self._waiting)
        try:
            if not self._is_begun:
                self._records.begin()
                with self._settled:
                    self._is_begun = True
                    self._settled.notify_all()
            self._records.record([(one.namespace, one.news) for one in batch])
            self._written(batch[-1].number if batch else 0)
            for _ in range(_SWEEPS_AT_ONCE):
                if not self._records.sweep():
                    break
        except StoreError as error:
            if not self._backoff.failures:
                _LOG.error("%s cannot be written down: %s", self._subject, error)
            return False
        if self._backoff.failures:
            self._backoff.succeeded()
            self._is_giving_up = False
            _LOG.warning("%s can be written down again", self._subject)
        return True

    def _is_too_much(self) -> bool:
        bounds = self._bounds
        is_over = len(self._waiting) > bounds.most_news or self._waiting_bytes > bounds.most_bytes
        return is_over and len(self._waiting) > 1

    def _is_settled(self, number: int) -> bool:
        return not self._waiting or self._waiting[0].number > number

    def _take_oldest(self) -> None:
        self._waiting_bytes -= self._waiting.popleft().size_bytes

    def _written(self, number: int) -> None:
        with self._settled:
            while self._waiting and self._waiting[0].number <= number:
                self._take_oldest()
            self._settled.notify_all()
