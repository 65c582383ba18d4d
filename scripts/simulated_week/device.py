"""The device under test, as a process that can be killed: the daemon's parts on a clock that is handed in.

Reads orders from standard input, one JSON object a line, and answers each with the time at its clock. Only
the cameras and the main thread's waiting are left out; threads, files and sockets are the real ones.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import simulated_week  # noqa: F401 - lets the tests' builders be imported
from edged.app.switchboard import Switchboard
from edged.delivery.route import routes_of
from edged.domain.frame import Frame
from edged.domain.moment import Moment
from edged.pipeline.attendance import Attendance
from edged.pipeline.committer import Committer
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.feed_control import FeedControl
from edged.pipeline.galleries import Galleries
from edged.pipeline.recogniser import Recogniser
from edged.pipeline.slot import SlotRing
from edged.publish.assembly import make_publishing
from edged.recognition.wire import Origin
from edged.store.feed_switches import FeedSwitches
from edged.store.outbox import Outbox
from edged.system.chance import jitter
from simulated_week.cast import Cast, everybody
from simulated_week.plan import DEVICE, settings

FRAME_MS: Final = 500
LONG_MS: Final = 200_000
DEADLINE_S: Final = 30.0


class SimulatedClock:
    """Goes with real time from wherever it was last set, so that sockets and back-offs have theirs."""

    def __init__(self, steady_ms: int, utc_ms: int) -> None:
        self._lock = threading.Lock()
        self._at = Moment(steady_ms, utc_ms)
        self._since = time.monotonic()

    def moment(self) -> Moment:
        """The present instant."""
        with self._lock:
            return self._at.plus_ms(round((time.monotonic() - self._since) * 1000))

    def go_to(self, utc_ms: int) -> None:
        """Jump forward; never back."""
        now = self.moment()
        with self._lock:
            self._at, self._since = now.plus_ms(max(0, utc_ms - now.utc_ms)), time.monotonic()


class Device:
    """All parts, started."""

    def __init__(self, folder: Path, cast: Path, port: int, clock: SimulatedClock, boot: str) -> None:
        config = settings(port)
        self.clock = clock
        self._cast = Cast(cast)
        self._frames = 0
        self._outbox = Outbox(folder, routes_of(config.sinks))
        self._outbox.begin(clock.moment(), boot)
        run = self._outbox.next_run()
        self._outbox.close_orphans(clock.moment())
        self.control = FeedControl({feed.id: feed.fps for feed in config.feeds})
        self.publishing = make_publishing(
            config.sinks,
            self._outbox,
            attempts=config.outbox.attempts,
            device=DEVICE,
            clock=clock,
            jitter=jitter,
            feeds=config.feeds,
            ledger=self._outbox,
            switch=lambda feed_id, is_on: self.board.ask(feed_id, is_on),  # noqa: PLW0108 - it is made later
        )
        self.board = Switchboard(
            config.feeds,
            self.control,
            FeedSwitches(folder),
            lambda feed_id, is_on: self.publishing.report_enabled(feed_id, is_on=is_on),
            lambda utc_ms: datetime.fromtimestamp(utc_ms / 1000, UTC),
        )
        self.board.begin(clock.moment())
        self._committer = Committer(self._outbox, clock, jitter, lambda _: self.publishing.wake())
        self._slots = SlotRing(tuple(feed.id for feed in config.feeds))
        pipelines = {
            feed.id: FeedPipeline(
                Origin(DEVICE, feed.namespace, feed.id, run, is_replay=False), config, self._cast.models()
            )
            for feed in config.feeds
        }
        galleries = Galleries(self._cast.models().calibrated())
        for namespace in {feed.namespace for feed in config.feeds}:
            galleries.replace(namespace, everybody())
        self._recogniser = Recogniser(
            self._slots,
            pipelines,
            galleries,
            self._committer,
            clock,
            control=self.control,
            attendance=Attendance(DEVICE, config.presence, pipelines, self.publishing.report_namespace),
        )
        self.publishing.start()
        self._committer.start()
        self._recogniser.start()
        self._turn()

    def obey(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Do one thing; returns what to answer."""
        match order["do"]:
            case "live":
                self._live(order["until"], order["seen"])
            case "settle":
                self._wait(lambda: self._committer.is_idle and self.publishing.is_idle())
            case "look":
                self.board(self.clock.moment())
                self._turn()
        return {"now": self.clock.moment().utc_ms}

    def stop(self) -> None:
        """As the daemon stops."""
        self._recogniser.stop()
        self._recogniser.join(DEADLINE_S)
        self._committer.finish(DEADLINE_S)
        self._wait(self.publishing.is_idle, timeout_s=1.0)
        self.publishing.stop(1.0)
        self._outbox.close()

    def _live(self, until_ms: int, seen: Mapping[str, list[int] | None]) -> None:
        """Let time pass: `seen` has who stands before each camera; None before one that is broken."""
        now_ms = self.clock.moment().utc_ms
        idle_ms = 60_000 if until_ms - now_ms > LONG_MS else 5000
        empty_ms = now_ms + 3000
        while now_ms < until_ms:
            busy = any(seen.values()) or now_ms < empty_ms
            now_ms = min(until_ms, now_ms + (FRAME_MS if busy else idle_ms))
            self.clock.go_to(now_ms)
            self.board(self.clock.moment())
            for feed_id, persons in seen.items():
                if (
                    persons is not None
                    and (persons or now_ms < empty_ms)
                    and self.control.off(feed_id) is None
                ):
                    self._capture(feed_id, persons)
            self._turn()

    def _capture(self, feed_id: str, persons: list[int]) -> None:
        self._frames += 1
        times_off = self.control.times_off(feed_id)
        pixels = self._cast.frame(persons)
        frame = Frame(feed_id, self._frames, self.clock.moment(), pixels, times_off)
        self._slots.put(frame, lossless=False)

    def _turn(self) -> None:
        """Wait until the recogniser has looked at everything, and has told what came of it."""
        self._wait_turning(lambda: not self._slots.has_waiting)
        last = self._recogniser.beats
        self._wait_turning(lambda: self._recogniser.beats >= last + 2)
        self._wait(lambda: self._committer.is_idle)

    def _wait_turning(self, condition: Callable[[], bool]) -> None:
        def is_so() -> bool:
            self._slots.nudge()
            return condition()

        self._wait(is_so)

    def _wait(self, condition: Callable[[], bool], timeout_s: float = DEADLINE_S) -> None:
        end = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end:
            if self._recogniser.failure or self._committer.failure:
                raise SystemExit("a thread has failed")
            time.sleep(0.0005)


def main(folder: str, cast: str, port: str, steady_ms: str, utc_ms: str, boot: str) -> None:
    """Obey until there are no more orders."""
    clock = SimulatedClock(int(steady_ms), int(utc_ms))
    device = Device(Path(folder), Path(cast), int(port), clock, boot)
    print(json.dumps({"now": clock.moment().utc_ms}), flush=True)
    for line in sys.stdin:
        print(json.dumps(device.obey(json.loads(line))), flush=True)
    device.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
