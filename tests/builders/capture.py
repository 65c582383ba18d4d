"""A captured feed, ready to be looked at: with a real source, or with one that does as it is told."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from edged.camera.factory import make_source
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError
from edged.domain.feed_state import FeedState
from edged.domain.frame import Frame, Pixels
from edged.domain.moment import Clock, Moment
from edged.pipeline.capture import CaptureThread
from edged.pipeline.feed_control import FeedControl
from edged.pipeline.ports import Source
from edged.pipeline.slot import SlotRing
from edged.settings.feeds import Feed, Retry
from edged.settings.quantities import Duration
from edged.settings.sources import FileSource
from edged.system.clock import SystemClock

LONG_S = 60
"""Longer than anything takes that works. Nothing waits for it but a test that fails."""

SOON = Retry(first=Duration(0.02), most=Duration(0.1))


class HandClock:
    """A clock that moves only when told, also by a source that takes its time."""

    def __init__(self) -> None:
        self._ms = 1_000_000

    def moment(self) -> Moment:
        return Moment(self._ms, 1_700_000_000_000 + self._ms)

    def pass_s(self, seconds: float) -> None:
        self._ms += round(seconds * 1000)


def a_scene(number: int, size: tuple[int, int] = (32, 24)) -> Pixels:
    """A picture like no other of another number."""
    width, height = size
    return np.random.default_rng(number).integers(0, 256, (height, width, 3)).astype(np.uint8)


Step = Pixels | CameraError | Exception | Callable[[], Pixels]


class ScriptedSource:
    """A source that plays a script: each connection a list of pictures, faults, and things to do.

    A connection that begins with an error fails to open; one that runs out of steps ends the clip. The
    script's steps are made when they are reached. Frames come `step_s` apart, on the hand-moved clock of
    a live source, or in the clip's own time.
    """

    decoder = "scripted"

    def __init__(
        self,
        connections: Iterable[Iterable[Step]],
        *,
        clock: HandClock | None = None,
        step_s: float = 0.1,
    ) -> None:
        self.is_live = clock is not None
        self.closed = 0
        self._connections = iter(connections)
        self._clock = clock
        self._step_s = step_s
        self._steps: Iterator[Step] = iter(())
        self._frames = 0
        self._picture: Pixels | None = None

    def open(self) -> None:
        steps = list(next(self._connections, [EndOfMediaError()]))
        if steps and isinstance(steps[0], Exception):
            raise steps[0]
        self._steps = iter(steps)
        self._frames = 0

    def grab(self) -> float | None:
        step = next(self._steps, None)
        if self._clock is not None:
            self._clock.pass_s(self._step_s)
        if step is None:
            raise EndOfMediaError
        if isinstance(step, Exception):
            raise step
        self._picture = step() if callable(step) else step
        self._frames += 1
        return None if self.is_live else (self._frames - 1) * self._step_s

    def retrieve(self) -> Pixels:
        assert self._picture is not None
        if self._picture.size == 0:
            raise CameraError(CameraFault.NOT_VIDEO, "a picture is broken")
        return self._picture.copy()

    def close(self) -> None:
        self.closed += 1


class WrittenWaits(threading.Event):
    """An event that writes down how long it is waited for, instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits_s.append(-1.0 if timeout is None else timeout)
        return self.is_set()


class Captured:
    """A capture thread with a taker behind it, which keeps what comes."""

    def __init__(
        self,
        feed: Feed,
        source: Source | None = None,
        *,
        clock: Clock | None = None,
        jitter: Callable[[], float] = lambda: 1.0,
        log: logging.Logger | None = None,
        slots: SlotRing | None = None,
        stop: threading.Event | None = None,
        control: FeedControl | None = None,
    ) -> None:
        clock = SystemClock() if clock is None else clock
        self.clock = clock
        self.frames: list[Frame] = []
        self.has_ended = threading.Event()
        self.stop = threading.Event() if stop is None else stop
        self.slots = SlotRing((feed.id,)) if slots is None else slots
        self.source = make_source(feed.source, Path("/"), clock) if source is None else source
        log = logging.getLogger("capture") if log is None else log
        self.control = FeedControl({feed.id: feed.fps}) if control is None else control
        self.thread = CaptureThread(
            feed, self.source, self.slots, clock, jitter, "bench", self.stop, log, control=self.control
        )
        self._taker = threading.Thread(target=self._take, daemon=True)

    def __enter__(self) -> Self:
        self._taker.start()
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        self.slots.close()
        ended = self.thread.join(LONG_S)
        self._taker.join(LONG_S)
        if kind is None:
            assert ended, "the capture thread did not stop"

    @property
    def state(self) -> FeedState:
        return self.thread.state(self.clock.moment())

    def until(self, holds: Callable[[FeedState], bool]) -> FeedState:
        """Wait until the state is so; gives it."""
        deadline = time.monotonic() + LONG_S
        while not holds(state := self.state):
            assert time.monotonic() < deadline, f"it never came: {state}"
            time.sleep(0.005)
        return state

    def until_frames(self, count: int) -> list[Frame]:
        """Wait until so many frames have been taken; gives them."""
        deadline = time.monotonic() + LONG_S
        while len(self.frames) < count:
            assert time.monotonic() < deadline, f"only {len(self.frames)} frames came: {self.state}"
            time.sleep(0.005)
        return list(self.frames)

    def until_ended(self) -> list[Frame]:
        """Wait for the end of the clip; gives all frames."""
        assert self.has_ended.wait(LONG_S), f"the clip did not end: {self.state}"
        return self.frames

    def _take(self) -> None:
        while not self.stop.is_set():
            taken = self.slots.take(0.05)
            if taken is None:
                continue
            if taken.frame is None:
                self.has_ended.set()
            else:
                self.frames.append(taken.frame)


def a_feed(source: Any = None, **settings: Any) -> Feed:
    """A feed that tries again soon."""
    source = FileSource(path="clip.mp4") if source is None else source
    return Feed(**{"id": "door", "source": source, "fps": 30.0, "retry": SOON, **settings})


def grab_to_the_end(source: Source, most: int = 2000) -> list[float | None]:
    """The times of all frames of an open source that ends; it must not go on for longer."""
    times: list[float | None] = []
    with contextlib.suppress(EndOfMediaError):
        while len(times) < most:
            times += [source.grab()]
        raise AssertionError("the source does not end")
    return times


def grab_until_it_fails(source: Source, most: int = 2000) -> None:
    """Take frames of an open source until it raises."""
    for _ in range(most):
        source.grab()
