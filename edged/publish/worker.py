"""The thread of one sink: claim, send, settle."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edged.delivery.outcome import Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.delivery.settlement import Settlement, Settler
from edged.domain.backoff import Backoff
from edged.domain.errors import StoreError
from edged.domain.moment import Clock, Moment
from edged.publish.complaints import Complaints
from edged.publish.sink import Sink

LEASE_S: Final = 300.0
"""Longer than any batch takes: a lease runs out only when its worker is wedged."""
_IDLE_S: Final = 1.0
"""Nobody wakes a worker when another program (`edged outbox resend`) puts something into the queue."""

_LOG = logging.getLogger(__name__)


class Outbox(Protocol):
    """What a worker needs of the outbox. Each may raise `StoreError`."""

    def claim(self, sink: str, limit: int, moment: Moment, lease_s: float) -> list[Parcel]:
        """Lease the sink's oldest messages."""
        ...

    def settle(self, sink: str, settlement: Settlement, moment: Moment) -> None:
        """Write down what became of them."""
        ...

    def next_due_ms(self, sink: str) -> int | None:
        """When the next one may be sent, steady ms; None where none waits."""
        ...

    def is_empty(self, sink: str) -> bool:
        """Whether nothing waits for the sink."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """How a sink's worker is doing, since the start.

    Attributes:
        sink: its id.
        condition: the sink's own words.
        outcomes: how many tries came to each fate.
        trouble: why the last try failed; empty once one succeeded.
        beats: counts up with every turn of the loop: a worker whose beats stand still is wedged.
    """

    sink: str
    condition: str
    outcomes: dict[Fate, int]
    trouble: str
    beats: int


class SinkWorker:
    """Drives one sink in a thread of its own, so that a slow or broken one never disturbs another."""

    def __init__(
        self, sink: Sink, outbox: Outbox, settler: Settler, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._sink = sink
        self._outbox = outbox
        self._settler = settler
        self._clock = clock
        self._jitter = jitter
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink-{sink.id}", daemon=True)
        self._outcomes: Counter[Fate] = Counter()
        self._trouble = ""
        self._beats = 0
        self._paused_until_ms = 0
        self._limit = sink.batch
        self._complaints = Complaints(_LOG, clock)
        self._own_backoff = Backoff(first_s=0.2, most_s=10.0)

    @property
    def sink(self) -> Sink:
        """The sink it drives."""
        return self._sink

    @property
    def status(self) -> WorkerStatus:
        """How it is doing; any thread may ask."""
        return WorkerStatus(
            self._sink.id, self._sink.condition, dict(self._outcomes), self._trouble, self._beats
        )

    def is_idle(self) -> bool:
        """Whether nothing waits for the sink, or it will never take anything again; any thread may ask."""
        if self._sink.is_finished:
            return True
        try:
            return self._outbox.is_empty(self._sink.id)
        except StoreError:
            return False

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something was committed."""
        self._sink.wake()

    def interrupt(self) -> None:
        """Say that it is to stop, without waiting for it."""
        self._stopping.set()
        self._sink.interrupt()

    def stop(self, timeout_s: float) -> bool:
        """Stop; what was not sent stays in the outbox.

        Returns False where the thread hangs in the operating system (a connection being made) for longer
        than `timeout_s`: it is a daemon thread, and its leases end with the process.
        """
        self.interrupt()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._beats += 1
            try:
                self._turn()
            except StoreError as error:
                self._store_failed(error)
            except Exception:  # noqa: BLE001 - the top of the thread
                # A fault of ours: told in full, and the sink goes on. A silent sink would be the worse end.
                _LOG.exception("The sink `%s` met a fault of edged itself", self._sink.id)
                self._stopping.wait(self._own_backoff.failed(self._jitter()))
        self._sink.close()

    def _turn(self) -> None:
        now_ms = self._clock.moment().steady_ms
        if now_ms < self._paused_until_ms or not self._sink.is_ready():
            left_s = (self._paused_until_ms - now_ms) / 1000
            self._sink.wait(min(left_s, _IDLE_S) if left_s > 0 else _IDLE_S)
            return
        parcels = self._outbox.claim(self._sink.id, self._limit, self._clock.moment(), LEASE_S)
        if not parcels:
            self._sink.wait(self._idle_s())
            return
        self._deliver(parcels)
        self._own_backoff.succeeded()

    def _deliver(self, parcels: Sequence[Parcel]) -> None:
        try:
            outcomes = self._sink.deliver(parcels)
        except Exception as error:
            # One by one from here, so that a message that brings the fault about is found, and fails alone.
            self._limit = 1
            fault = Outcome(Fate.FAILED, f"a fault of edged itself ({type(error).__name__}), see the log")
            self._settle(parcels, [fault] * len(parcels))
            raise
        self._limit = min(self._limit * 2, self._sink.batch)
        self._settle(parcels, outcomes)

    def _idle_s(self) -> float:
        due_ms = self._outbox.next_due_ms(self._sink.id)
        if due_ms is None:
            return _IDLE_S
        return min(max((due_ms - self._clock.moment().steady_ms) / 1000, 0.0), _IDLE_S)

    def _settle(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        settlement = self._settler.settle(parcels, outcomes)
        self._note(parcels, outcomes)
        moment = self._clock.moment()
        self._paused_until_ms = moment.steady_ms + int(settlement.pause_s * 1000)
        while True:
            try:
                self._outbox.settle(self._sink.id, settlement, self._clock.moment())
            except StoreError as error:
                # What is delivered must not be sent again for want of room on the disk: held until it is
                # written down, or until the stop, after which it is sent twice.
                self._store_failed(error)
                if self._stopping.is_set():
                    return
            else:
                return

    def _store_failed(self, error: StoreError) -> None:
        self._complaints.tell(
            f"The sink `{self._sink.id}` cannot use the outbox: {error}", level=logging.ERROR
        )
        self._sink.wait(self._own_backoff.failed(self._jitter()))

    def _note(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            self._outcomes[outcome.fate] += 1
            if outcome.fate is Fate.DELIVERED:
                self._trouble = ""
                self._complaints.settle(f"The sink `{self._sink.id}` takes messages again")
            elif outcome.fate is Fate.REFUSED:
                self._trouble = outcome.reason
                _LOG.error(
                    "The sink `%s` refused the %s %s-%d, now a dead letter (`edged outbox dead`): %s",
                    self._sink.id,
                    parcel.message.kind,
                    parcel.message.subject_id,
                    parcel.message.sequence,
                    outcome.reason,
                )
            elif outcome.fate is not Fate.UNTRIED:
                self._trouble = outcome.reason
                self._complaints.tell(f"The sink `{self._sink.id}` fails, messages wait: {outcome.reason}")
