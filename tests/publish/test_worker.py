import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from bench.mosquitto import eventually
from bench.webhook_receiver import HANG, WebhookReceiver
from builders.capture import HandClock
from edged.delivery.outcome import DELIVERED, Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.delivery.settlement import Settlement, Settler
from edged.domain.errors import StoreError
from edged.domain.moment import Moment
from edged.publish.assembly import Publishing, make_publishing
from edged.publish.sink import Alarm
from edged.publish.worker import SinkWorker
from edged.settings.quantities import Duration
from edged.settings.sinks import FileSink, WebhookSink
from edged.store.outbox import Outbox
from edged.system.clock import SystemClock

CLOCK = SystemClock()


class ScriptedSink(Alarm):
    """A sink that does what a function says, and keeps what it was handed."""

    id = "scripted"
    batch = 8
    condition = "as scripted"

    def __init__(self, act: Callable[[Parcel], Outcome] = lambda _: DELIVERED) -> None:
        super().__init__()
        self.act = act
        self.ready = True
        self.taken: list[Parcel] = []
        self.closed = False

    def is_ready(self) -> bool:
        return self.ready

    def deliver(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        outcomes = [self.act(parcel) for parcel in parcels]
        self.taken += parcels
        return outcomes

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def a_worker() -> Iterator[Callable[..., SinkWorker]]:
    workers: list[SinkWorker] = []

    def make(sink: ScriptedSink, outbox: object) -> SinkWorker:
        settler = Settler(first_s=0.01, most_s=0.02, attempts_most=3, jitter=random.random)
        workers.append(SinkWorker(sink, outbox, settler, CLOCK, random.random))
        workers[-1].start()
        return workers[-1]

    yield make
    for worker in workers:
        assert worker.stop(5.0)


def waiting(outbox: Outbox, sink: str = "scripted") -> int:
    return next(s.waiting for s in outbox.status(CLOCK.moment()).sinks if s.sink == sink)


def test_a_wake_up_sends_what_was_committed_at_once(a_worker, an_outbox, a_message):
    outbox, sink = an_outbox("scripted"), ScriptedSink()
    worker = a_worker(sink, outbox)
    eventually(lambda: worker.status.beats > 0, "the worker to wait")
    outbox.commit([a_message()], CLOCK.moment())
    worker.wake()
    eventually(lambda: waiting(outbox) == 0, "the message to be sent")
    assert worker.is_idle()
    assert worker.status.outcomes == {Fate.DELIVERED: 1}


def test_nothing_is_leased_while_the_sink_is_not_ready_so_that_newer_news_replaces_older(
    a_worker, an_outbox, a_message
):
    outbox, sink = an_outbox("scripted"), ScriptedSink()
    sink.ready = False
    worker = a_worker(sink, outbox)
    for sequence in (1, 2, 3):
        outbox.commit([a_message("a", sequence=sequence, is_final=False)], CLOCK.moment())
        worker.wake()
    sink.ready = True
    worker.wake()
    eventually(lambda: bool(sink.taken), "the newest")
    assert [parcel.message.sequence for parcel in sink.taken] == [3]


def test_a_fault_of_our_own_is_told_and_does_not_end_the_sink(a_worker, an_outbox, a_message, caplog):
    def act(parcel: Parcel) -> Outcome:
        if parcel.message.subject_id == "poison":
            raise KeyError("a mistake")
        return DELIVERED

    outbox = an_outbox("scripted")
    outbox.commit([a_message(), a_message("poison"), a_message()], CLOCK.moment())
    a_worker(ScriptedSink(act), outbox)
    eventually(lambda: waiting(outbox) == 0, "the others to be sent, and the poison to die")
    (letter,) = outbox.dead_letters()
    assert letter.subject_id == "poison"
    assert "KeyError" in letter.reason
    assert "fault of edged itself" in caplog.text


def test_what_was_sent_is_not_sent_again_while_the_outbox_cannot_be_written(a_worker, an_outbox, a_message):
    class Full:
        """An outbox on a disk that is full for a while."""

        def __init__(self, outbox: Outbox) -> None:
            self.outbox = outbox
            self.refusals = 3

        def claim(self, sink: str, limit: int, moment: Moment, lease_s: float) -> list[Parcel]:
            return self.outbox.claim(sink, limit, moment, lease_s)

        def settle(self, sink: str, settlement: Settlement, moment: Moment) -> None:
            if self.refusals:
                self.refusals -= 1
                raise StoreError("no room")
            self.outbox.settle(sink, settlement, moment)

        def next_due_ms(self, sink: str) -> int | None:
            return self.outbox.next_due_ms(sink)

        def is_empty(self, sink: str) -> bool:
            return self.outbox.is_empty(sink)

    outbox, sink = an_outbox("scripted"), ScriptedSink()
    outbox.commit([a_message()], CLOCK.moment())
    a_worker(sink, Full(outbox))
    eventually(lambda: waiting(outbox) == 0, "the message to be settled")
    assert len(sink.taken) == 1


def test_a_stop_closes_the_sink_and_a_worker_that_never_started_stops_too(an_outbox):
    sink = ScriptedSink()
    settler = Settler(first_s=1, most_s=1, attempts_most=3, jitter=random.random)
    assert SinkWorker(sink, an_outbox("scripted"), settler, CLOCK, random.random).stop(1.0)
    worker = SinkWorker(sink, an_outbox("scripted"), settler, CLOCK, random.random)
    worker.start()
    assert worker.stop(5.0)
    assert sink.closed


def test_a_sink_that_hangs_or_is_gone_does_not_disturb_another(an_outbox, a_message, tmp_path):
    with WebhookReceiver([HANG], tls=False, secret=None) as receiver:
        sections = (
            WebhookSink(id="slow", url=receiver.url, timeout=Duration(60)),
            WebhookSink(id="gone", url="http://127.0.0.1:9/"),
            FileSink(id="quick", path=str(tmp_path / "jobs.jsonl")),
        )
        outbox = an_outbox("slow", "gone", "quick")
        publishing: Publishing = make_publishing(
            sections, outbox, attempts=10, device="dev1", clock=CLOCK, jitter=random.random
        )
        publishing.start()
        try:
            for _ in range(20):
                outbox.commit([a_message()], CLOCK.moment())
                publishing.wake()
            eventually(lambda: waiting(outbox, "quick") == 0, "the quick one to be done")
            assert waiting(outbox, "slow") == 20
            assert waiting(outbox, "gone") == 20
            assert not publishing.is_idle()
            lines = (tmp_path / "jobs.jsonl").read_text("utf-8").splitlines()
            assert len({json.loads(line)["id"] for line in lines}) == 20
        finally:
            before = CLOCK.moment().steady_ms
            assert publishing.stop(5.0) == ()
            assert CLOCK.moment().steady_ms - before < 3000
        assert waiting(outbox, "slow") == 20


def test_its_threads_are_daemons_so_that_a_hanging_one_cannot_hold_up_the_end(an_outbox):
    settler = Settler(first_s=1, most_s=1, attempts_most=3, jitter=random.random)
    worker = SinkWorker(ScriptedSink(), an_outbox("scripted"), settler, CLOCK, random.random)
    worker.start()
    (thread,) = [t for t in threading.enumerate() if t.name == "sink-scripted"]
    assert thread.daemon
    assert worker.stop(5.0)


class EndlessWorker:
    """A worker that is still there whenever a wait for its end is over, and how long these waits were."""

    def __init__(self, clock: HandClock, waits_s: list[float]) -> None:
        self.sink = ScriptedSink()
        self._clock = clock
        self._waits_s = waits_s

    def interrupt(self) -> None:
        """Does not help."""

    def stop(self, timeout_s: float) -> bool:
        self._waits_s.append(timeout_s)
        self._clock.pass_s(timeout_s)
        return False


def test_several_sinks_that_hang_share_the_time_that_a_stop_has():
    clock, waits_s = HandClock(), []
    publishing = Publishing([EndlessWorker(clock, waits_s), EndlessWorker(clock, waits_s)], clock)

    assert publishing.stop(0.8) == ("scripted", "scripted")
    assert waits_s == [0.8, 0.0]
