"""The recognising thread, with real slots, on pipelines that record what they are given."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from bench.mosquitto import eventually
from builders.recognition import at
from edged.domain.frame import Frame
from edged.pipeline.desk import DeskTask, PictureDesk
from edged.pipeline.fair_turns import FairTurns
from edged.pipeline.feed_control import FeedControl, Off
from edged.pipeline.galleries import Galleries
from edged.pipeline.governor import FeedWork
from edged.pipeline.recogniser import FAILURES_IN_A_ROW, Recogniser
from edged.pipeline.slot import SlotRing
from edged.pipeline.stages import Stage, StageTimes

PIXELS = np.zeros((2, 2, 3), np.uint8)


class StillClock:
    """A clock that stands still."""

    def moment(self):
        """Always the same."""
        return at(0)


class RecordingPipeline:
    """Stands where a feed's pipeline does and says the names of what it was asked."""

    def __init__(self, name, *, is_live=False, fails=0):
        self.name, self.is_live, self.fails = name, is_live, fails
        self.namespace = "home"
        self.has_ended = False
        self.seen = 0

    def begin(self, _at):
        """A feed begins."""
        return [f"{self.name} begins"]

    def process(self, frame, _gallery):
        """A frame comes."""
        self.seen += 1
        if self.fails > 0:
            self.fails -= 1
            raise ValueError("odd frame")
        return [f"{self.name} {frame.number}"]

    def tick(self, _at, _gallery=None):
        """Time passes."""
        return []

    def switch_off(self, _at):
        """The feed is off."""
        return [f"{self.name} is off"]

    def end(self, _at):
        """The feed ends."""
        ended_before, self.has_ended = self.has_ended, True
        return [] if ended_before else [f"{self.name} ends"]


class Listener:
    """Stands where the committer does."""

    def __init__(self):
        self.heard = []

    def put(self, messages):
        """Take note."""
        self.heard += messages


def a_frame(feed, number):
    return Frame(feed, number, at(number), PIXELS)


@pytest.fixture
def run():
    running = []

    def start(*pipelines, control=None):
        slots = SlotRing(tuple(pipeline.name for pipeline in pipelines))
        listener = Listener()
        recogniser = Recogniser(
            slots,
            {pipeline.name: pipeline for pipeline in pipelines},
            Galleries(),
            listener,
            StillClock(),
            control=control,
        )
        recogniser.start()
        running.append(recogniser)
        return recogniser, slots, listener

    yield start
    for recogniser in running:
        recogniser.stop()
        recogniser.join(5)


def test_every_frame_of_a_clip_is_taken_and_its_end_is_told(run):
    recogniser, slots, listener = run(RecordingPipeline("clip"))

    for number in range(1, 21):
        assert slots.put(a_frame("clip", number), lossless=True)
    slots.end("clip")
    assert recogniser.all_ended.wait(5)

    assert listener.heard == [*(f"clip {number}" for number in range(1, 21)), "clip ends"]
    assert slots.dropped("clip") == 0


def test_no_frame_from_before_the_switch_is_looked_at_after_it(run):
    control = FeedControl({"hall": 5.0, "clip": 5.0})
    control.set_off("hall", Off.SWITCH, is_off=True)
    control.set_off("hall", Off.SWITCH, is_off=False)
    control.set_off("clip", Off.SWITCH, is_off=True)
    recogniser, slots, listener = run(
        RecordingPipeline("hall", is_live=True), RecordingPipeline("clip"), control=control
    )

    for frame in (a_frame("hall", 1), replace(a_frame("hall", 2), times_off=1), a_frame("clip", 1)):
        slots.put(frame, lossless=True)
    eventually(lambda: {"hall 2", "clip 1"} <= set(listener.heard), "both")

    assert listener.heard[:2] == ["hall begins", "hall is off"], "off for a moment, and everybody is let go"
    assert "hall 1" not in listener.heard
    control.set_off("hall", Off.SWITCH, is_off=True)
    slots.put(replace(a_frame("hall", 3), times_off=2), lossless=True)
    eventually(lambda: listener.heard.count("hall is off") == 2 and not slots.has_waiting, "it to be off")
    recogniser.stop()
    recogniser.join(5)
    assert "hall 3" not in listener.heard


def test_stopping_ends_every_feed(run):
    recogniser, _, listener = run(RecordingPipeline("a", is_live=True), RecordingPipeline("b", is_live=True))

    recogniser.stop()
    recogniser.join(5)

    assert not recogniser.is_alive()
    assert listener.heard[-2:] == ["a ends", "b ends"]
    assert listener.heard[:2] == ["a begins", "b begins"]


def test_one_odd_frame_does_not_end_recognition(run, caplog):
    recogniser, slots, listener = run(RecordingPipeline("clip", fails=1))

    slots.put(a_frame("clip", 1), lossless=True)
    slots.put(a_frame("clip", 2), lossless=True)
    slots.end("clip")
    assert recogniser.all_ended.wait(5)

    assert listener.heard == ["clip 2", "clip ends"]
    assert "could not be looked at" in caplog.text
    assert recogniser.failure is None


def test_frames_that_all_fail_end_the_recogniser_and_say_why(run):
    pipeline = RecordingPipeline("clip", fails=10**6)
    recogniser, slots, _ = run(pipeline)

    feeder = threading.Thread(
        target=lambda: [slots.put(a_frame("clip", number), lossless=True) for number in range(1, 100)],
        daemon=True,
    )
    feeder.start()
    recogniser.join(10)

    assert isinstance(recogniser.failure, ValueError)
    assert pipeline.seen == FAILURES_IN_A_ROW


class SteppingClock:
    """A clock that goes on by ten milliseconds whenever somebody looks."""

    def __init__(self):
        self.ms = 0

    def moment(self):
        """Ten milliseconds later."""
        self.ms += 10
        return at(self.ms)


def a_task(owner, order, steps=1, error=None):
    def begin():
        for _ in range(steps):
            order.append("step")
            yield
        if error is not None:
            raise error

    return DeskTask(owner, begin, lambda _: order.append("done"), lambda _: order.append("failed"))


class Shared:
    """A recogniser of one clip with a desk beside it, and the order in which it works."""

    def __init__(self, frames, share=0.25):
        self.order = []
        pipeline = RecordingPipeline("clip")
        pipeline.process = lambda frame, _gallery: self.order.append("frame") or [f"clip {frame.number}"]
        self.slots = SlotRing(("clip",))
        self.desk = PictureDesk(self.slots.nudge)
        self.listener = Listener()
        self.thread = Recogniser(
            self.slots,
            {"clip": pipeline},
            Galleries(),
            self.listener,
            SteppingClock(),
            self.desk,
            FairTurns(share),
        )
        self.feeder = threading.Thread(target=self._feed, args=(frames,), daemon=True)

    def _feed(self, frames):
        for number in range(1, frames + 1):
            self.slots.put(a_frame("clip", number), lossless=True)
        self.slots.end("clip")

    def run_until(self, holds):
        """Run the thread until something is so."""
        self.thread.start()
        waited = threading.Event()
        for _ in range(6000):
            if holds():
                break
            waited.wait(0.005)
        assert holds()
        self.thread.stop()
        self.thread.join(10)


def test_requests_are_worked_on_though_no_frame_ever_comes():
    shared = Shared(0)
    shared.desk.put(a_task("a", shared.order, steps=3))

    shared.run_until(lambda: "done" in shared.order)

    assert shared.order == ["step"] * 3 + ["done"]


def test_a_task_that_fails_is_no_failed_frame():
    shared = Shared(2)
    for _ in range(FAILURES_IN_A_ROW + 5):
        shared.desk.put(a_task("a", shared.order, error=ValueError("odd")))
    shared.feeder.start()

    shared.run_until(
        lambda: shared.thread.all_ended.is_set() and shared.order.count("failed") == FAILURES_IN_A_ROW + 5
    )

    assert shared.thread.failure is None
    assert shared.order.count("frame") == 2


def test_many_requests_take_no_frame_from_a_clip_and_no_order():
    shared = Shared(40)
    for number in range(20):
        shared.desk.put(a_task(f"job {number}", shared.order, steps=4))
    shared.feeder.start()

    shared.run_until(lambda: shared.thread.all_ended.is_set() and shared.order.count("done") == 20)

    assert shared.listener.heard == [*(f"clip {number}" for number in range(1, 41)), "clip ends"]
    assert shared.slots.dropped("clip") == 0


def test_each_feed_s_time_and_that_of_requests_are_counted_apart():
    ticks = iter(range(0, 10**12, 1_000_000))
    times = StageTimes(lambda: next(ticks))
    slots = SlotRing(("a", "b"))
    desk = PictureDesk(slots.nudge)
    pipelines = {name: RecordingPipeline(name, fails=name == "b") for name in ("a", "b")}
    recogniser = Recogniser(
        slots, pipelines, Galleries(), Listener(), SteppingClock(), desk, FairTurns(0.5), times
    )
    done = []
    desk.put(a_task("job", done, steps=2))
    recogniser.start()
    for number in range(3):
        slots.put(a_frame("a", number), lossless=True)
    slots.put(a_frame("b", 1), lossless=True)
    for name in pipelines:
        slots.end(name)
    assert recogniser.all_ended.wait(5)
    while not done.count("done"):
        threading.Event().wait(0.01)
    recogniser.stop()
    recogniser.join(5)

    work = recogniser.workload
    assert work.of_feed("a", 7) == FeedWork(3, 7, pytest.approx(0.003))
    assert work.of_feed("b", 0) == FeedWork(1, 0, pytest.approx(0.001)), "it failed, and took its time"
    assert work.requests_s == pytest.approx(0.001 * desk.steps, abs=0.0011)
    held = times.durations()
    assert sum(held[Stage.FRAME].counts) == 4
    assert sum(held[Stage.WAIT].counts) == 0, "the time of a replayed clip is its own"
