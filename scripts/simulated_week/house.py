"""The house: its device, broker and reader, and the truth of who is where by docs/presence.md."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any, Final

from bench.mosquitto import Mosquitto
from edged.store.feed_switches import FeedSwitches
from simulated_week.cast import write_cast
from simulated_week.plan import BEGIN_MS, KNOWN, OPEN_H, feeds
from simulated_week.reader import Reader, View, eventually

LEAVE_MS: Final = 10_000
LEAVE_NAMESPACE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DEADLINE_S: Final = 30.0

_SCRIPTS: Final = Path(__file__).resolve().parents[1]


class House:
    """Everything that runs. Times are the house's own, UTC milliseconds."""

    def __init__(self, folder: Path, broker: Mosquitto, begin_ms: int = BEGIN_MS) -> None:
        self.now_ms = begin_ms
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.standing: dict[str, list[int]] = {feed.id: [] for feed in feeds()}
        """Who stands before each camera."""
        self.broken: set[str] = set()
        """The cameras that give no frames."""
        self.off: set[str] = set()
        """The feeds that are switched off."""
        self._broker = broker
        self._folder = folder / "data"
        self._folder.mkdir()
        self._cast = folder / "cast.npz"
        write_cast(self._cast)
        self._boots = 0
        self._booted_ms = 0
        self._last_seen: dict[str, dict[int, int]] = {feed.id: {} for feed in feeds()}
        self._device: subprocess.Popen[str] | None = None
        self.is_broker_up = True
        self.reader = self._new_reader()
        self.boot()

    # --- what happens

    def boot(self) -> None:
        """The machine starts, and the daemon with it."""
        self._boots += 1
        self._booted_ms = self.now_ms - 20_000
        self.start()

    def start(self) -> None:
        """The daemon starts."""
        arguments = [self._folder, self._cast, self._broker.port, self.now_ms - self._booted_ms, self.now_ms]
        self._device = subprocess.Popen(
            [sys.executable, "-m", "simulated_week.device", *map(str, arguments), f"boot-{self._boots}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(_SCRIPTS)},
        )
        self._hear()
        self.counts["starts of the daemon"] += 1

    def kill(self) -> None:
        """The daemon is killed where it stands."""
        self._running.kill()
        self._end_device()
        self.forget()

    def stop(self) -> None:
        """The daemon ends as it should."""
        self._pipe(self._running.stdin).close()
        self._end_device()

    def end(self) -> None:
        """Everything ends."""
        if self._device is not None:
            self.stop()
        self.reader.stop()

    def forget(self) -> None:
        """What the daemon knew of people ended with it."""
        for seen in self._last_seen.values():
            seen.clear()

    def live(self, seconds: float) -> None:
        """Let time pass for the device."""
        until_ms = self.now_ms + round(seconds * 1000)
        self._settle_before(until_ms)
        seen = {feed: None if feed in self.broken else who for feed, who in self.standing.items()}
        self._order(do="live", until=until_ms, seen=seen)
        for feed_id, persons in self.standing.items():
            if self._is_off(feed_id):
                self._last_seen[feed_id].clear()
            elif feed_id not in self.broken:
                self._last_seen[feed_id].update(dict.fromkeys(persons, self.now_ms))

    def pass_without_device(self, seconds: float) -> None:
        """Let time pass while the daemon is not there."""
        self.now_ms += round(seconds * 1000)

    def switch(self, feed_id: str, *, is_on: bool, by_command: bool) -> None:
        """Switch a feed, over MQTT or as `edged feeds` does."""
        (self.off.discard if is_on else self.off.add)(feed_id)
        if by_command:
            FeedSwitches(self._folder).set(feed_id, is_on=is_on)
        else:
            self.reader.switch(feed_id, is_on=is_on)
        if not is_on:
            self._last_seen[feed_id].clear()
        word = b"ON" if is_on else b"OFF"
        eventually(
            lambda: self._looked() and self.reader.switch_of(feed_id) == word, f"{feed_id} to be {word!r}"
        )

    def kill_broker(self) -> None:
        """The broker loses its power."""
        self._broker.kill()
        self.is_broker_up = False

    def start_broker(self) -> None:
        """The broker is back; the reader is there before the device, and hears all that it has to tell."""
        if self._device is not None:
            self._device.send_signal(signal.SIGSTOP)
        self._broker.start()
        self.is_broker_up = True
        eventually(lambda: self.reader.is_connected, "the reader to be back")
        self.reader.catch_up()
        if self._device is not None:
            self._device.send_signal(signal.SIGCONT)

    def restart_reader(self) -> None:
        """Whoever reads begins anew, and knows nothing."""
        self.reader.stop()
        self.reader = self._new_reader()

    # --- what must be so

    def check(self, what: str) -> None:
        """All being quiet, whoever reads knows the truth; a fault where they do not."""
        end = time.monotonic() + DEADLINE_S
        while self.reader.view() != self.truth():
            if time.monotonic() > end:
                views = f"the reader has {self.reader.view()}, the truth is {self.truth()}"
                self.faults.append(f"{what}, {self.clock()}: {views}")
                return
            if self._device is not None:
                # Whoever stands there goes on standing there meanwhile.
                self.live(0.5) if any(self.standing.values()) else self._looked()
            time.sleep(0.005)
        self.counts["quiet points"] += 1

    def truth(self) -> View | None:
        """Who is where, by what was played; None where nobody can be asked."""
        if self._device is None:
            return None
        there = {
            feed_id: {who for who, at in seen.items() if self.now_ms - at < LEAVE_MS}
            for feed_id, seen in self._last_seen.items()
        }
        view = {feed_id: _named(people) for feed_id, people in there.items()}
        for namespace in {feed.namespace for feed in feeds()}:
            ids = [feed.id for feed in feeds() if feed.namespace == namespace]
            lately = {
                who
                for feed_id in ids
                for who, at in self._last_seen[feed_id].items()
                if self.now_ms - at < LEAVE_NAMESPACE_MS
            }
            view[f"namespace {namespace}"] = _named(lately)
        return view

    def clock(self) -> str:
        """The house's time, for people."""
        return time.strftime("%a %H:%M:%S", time.gmtime(self.now_ms / 1000))

    # --- how

    def _is_off(self, feed_id: str) -> bool:
        hour = self.now_ms // HOUR_MS % 24
        return feed_id in self.off or (feed_id == "shop" and not OPEN_H[0] <= hour < OPEN_H[1])

    def _settle_before(self, until_ms: int) -> None:
        """Have everything said and heard before a leap, so that none of it is late by the leap alone."""
        if until_ms - self.now_ms > LEAVE_MS and self.is_broker_up and self.reader.is_connected:
            self._order(do="settle")
            self.reader.catch_up()

    def _looked(self) -> bool:
        self._order(do="look")
        return True

    def _order(self, **order: Any) -> None:
        print(json.dumps(order), file=self._pipe(self._running.stdin), flush=True)
        self._hear()

    def _hear(self) -> None:
        self.now_ms = json.loads(self._pipe(self._running.stdout).readline())["now"]

    def _end_device(self) -> None:
        device = self._running
        device.wait(DEADLINE_S)
        for pipe in (device.stdin, device.stdout):
            with contextlib.suppress(BrokenPipeError):
                self._pipe(pipe).close()
        self._device = None

    @property
    def _running(self) -> "subprocess.Popen[str]":
        if self._device is None:
            raise RuntimeError("the daemon does not run")
        return self._device

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise RuntimeError("the daemon was started without pipes")
        return pipe

    def _new_reader(self) -> Reader:
        return Reader(self._broker.port, lambda: self.now_ms, self.faults, self.counts)


def _named(people: set[int]) -> tuple[str, ...]:
    return tuple(sorted(KNOWN.get(person, "?") for person in people))
