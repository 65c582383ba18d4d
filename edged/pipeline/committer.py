"""From the recogniser to the outbox: a bounded queue, one thread, one transaction for all that waits."""

import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from edged.domain.backoff import Backoff
from edged.domain.errors import StoreError
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Clock, Moment
from edged.pipeline.stages import Stage, StageTimes

QUEUE_SIZE: Final = 256
"""Batches that may wait. A full queue holds the recogniser up: a frame is dropped before a job is."""

_LOG = logging.getLogger(__name__)


class Outbox(Protocol):
    """What the committer needs of the outbox."""

    def commit(self, messages: Sequence[Message], moment: Moment) -> None:
        """Record all messages in one transaction, or none; raises `StoreError`."""
        ...


class Committer(threading.Thread):
    """Commits what the recogniser tells, in its order. What it took is never dropped while it runs.

    When the store fails (a full disk, a lock that stays) it tries again and holds everything before it up;
    only a stop that has run out of time gives up, counted and logged.
    """

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        jitter: Callable[[], float],
        on_commit: Callable[[Sequence[Message]], None],
        times: StageTimes | None = None,
    ) -> None:
        super().__init__(name="committer", daemon=True)
        self._outbox = outbox
        self._clock = clock
        self._jitter = jitter
        self._on_commit = on_commit
        self._watch = (times or StageTimes()).watch(Stage.COMMIT)
        self._queue: queue.Queue[tuple[int, list[Message]] | None] = queue.Queue(QUEUE_SIZE)
        self._hurry = threading.Event()
        self._told: Counter[tuple[MessageKind, bool]] = Counter()
        self._in_hand_ms: int | None = None
        self._given_up = 0
        self.is_stuck = False
        """Whether the outbox cannot be written, which it tries again and again."""
        self.beats = 0
        """Counts the tries to commit, and all that was committed: whoever watches sees that it goes on."""
        self.failure: BaseException | None = None
        """Set when the thread ended by a fault of edged itself."""

    def put(self, messages: list[Message]) -> None:
        """Hand over messages to be told; waits while the queue is full."""
        if messages:
            self._queue.put((self._clock.moment().steady_ms, messages))

    @property
    def depth(self) -> int:
        """Batches that wait."""
        return self._queue.qsize()

    @property
    def is_full(self) -> bool:
        """Whether `put` waits until something was committed."""
        return self._queue.full()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was put is committed."""
        return self._queue.unfinished_tasks == 0

    @property
    def committed(self) -> int:
        """Messages committed since the start."""
        return sum(self.told.values())

    @property
    def told(self) -> dict[tuple[MessageKind, bool], int]:
        """The same by kind, and whether they were the last of their subject."""
        return dict(self._told)

    def oldest_ms(self, now: Moment) -> int:
        """How long the oldest batch has waited to be committed, this very moment; 0 where none waits."""
        with self._queue.mutex:
            first = self._queue.queue[0] if self._queue.queue else None
        since = self._in_hand_ms
        if since is None and first is not None:
            since = first[0]
        return 0 if since is None else max(now.steady_ms - since, 0)

    @property
    def given_up(self) -> int:
        """Messages that a stop could not get into the store any more."""
        return self._given_up

    def finish(self, timeout_s: float) -> bool:
        """Commit what waits and end; False when the store would not take it in time."""
        self._hurry.set()
        deadline_ms = self._clock.moment().steady_ms + round(1000 * timeout_s)
        try:
            self._queue.put(None, timeout=timeout_s)
        except queue.Full:
            return False
        self.join(max(0.0, (deadline_ms - self._clock.moment().steady_ms) / 1000))
        return not self.is_alive() and self._given_up == 0

    def run(self) -> None:
        """The thread: until `finish`."""
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - the thread's top: whatever it is, the main thread is told
            _LOG.exception("Committing has stopped")
            self.failure = error

    def _run(self) -> None:
        ending = False
        while not ending:
            batch, taken, ending = self._gather()
            if batch:
                self._commit(batch)
            self._in_hand_ms = None
            self.beats += 1
            for _ in range(taken):
                self._queue.task_done()

    def _gather(self) -> tuple[list[Message], int, bool]:
        """Everything that waits, so that one flush to the disk serves all of it.

        Returns the messages, how many items of the queue they were, and whether the end was among them.
        """
        batch: list[Message] = []
        item = self._queue.get()
        taken = 1
        while item is not None:
            if self._in_hand_ms is None:
                self._in_hand_ms = item[0]
            batch += item[1]
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, taken, False
            taken += 1
        return batch, taken, True

    def _commit(self, batch: list[Message]) -> None:
        backoff = Backoff(first_s=0.05, most_s=5.0)
        tries_in_a_hurry = 3
        while True:
            self.beats += 1
            try:
                with self._watch:
                    self._outbox.commit(batch, self._clock.moment())
            except StoreError as error:
                if not self.is_stuck:
                    _LOG.error("Jobs wait in memory, because the outbox cannot be written: %s", error)
                self.is_stuck = True
                if self._hurry.is_set():
                    tries_in_a_hurry -= 1
                    if tries_in_a_hurry == 0:
                        self._given_up += len(batch)
                        _LOG.critical(
                            "%d messages are lost: the outbox could not be written before the stop",
                            len(batch),
                        )
                        return
                self._hurry.wait(backoff.failed(self._jitter()))
                continue
            if self.is_stuck:
                self.is_stuck = False
                _LOG.warning("The outbox can be written again; nothing was lost")
            self._told.update((message.kind, message.is_final) for message in batch)
            self._on_commit(batch)
            return
