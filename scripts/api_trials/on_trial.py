"""A daemon with its API on, a feed at real time beside it, its memory and the feed's frame rate."""

import contextlib
import json
import platform
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench.api import SCENE, ApiDaemon, token_of
from bench.mosquitto import Mosquitto

FEED = "hall"
MIB = 1024 * 1024
STATES_APART_S = 10.0
"""How often the daemon tells a feed's state when nothing but its counts changes."""


def machine() -> str:
    """What the figures were measured on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    name = names[0] if names else "an unnamed processor"
    return f"{len(names)} x {name}, {platform.machine()}, Python {platform.python_version()}"


@dataclass(slots=True)
class Rates:
    """Frames of the feed that were looked at, by the feed's state at the broker."""

    port: int
    _told: list[tuple[float, int]] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _client: Client = field(default_factory=lambda: Client(CallbackAPIVersion.VERSION2))

    def __enter__(self) -> Self:
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe(f"edged/device/+/feed/{FEED}/state")
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        state = json.loads(message.payload)
        with self._news:
            self._told.append((state["at"] / 1000, state["frames"] - state["dropped"]))
            self._news.notify_all()

    def mark(self) -> int:
        """Wait for the next state; its number."""
        with self._news:
            before = len(self._told)
            if not self._news.wait_for(lambda: len(self._told) > before, timeout=4 * STATES_APART_S):
                raise SystemExit("the daemon tells nothing of its feed any more")
            return len(self._told) - 1

    def latest(self) -> int:
        """The number of the state that came last."""
        with self._news:
            return len(self._told) - 1

    def between(self, first: int, last: int) -> float:
        """Frames a second that were looked at between two states."""
        (begun_s, before), (ended_s, after) = self._told[first], self._told[last]
        return (after - before) / (ended_s - begun_s)


class Memory:
    """Resident memory of a process: now, and the most that it came to."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._clear = Path(f"/proc/{pid}/clear_refs")

    def now_mib(self) -> float:
        """Resident now."""
        return self._value("VmRSS:")

    def forget_peak(self) -> None:
        """Begin to look for the peak from here."""
        with contextlib.suppress(OSError):
            self._clear.write_text("5")

    def peak_mib(self) -> float:
        """The most since `forget_peak`."""
        return self._value("VmHWM:")

    def settled_mib(self) -> float:
        """Resident once it changes no more: the least of five seconds."""
        values = []
        for _ in range(10):
            time.sleep(0.5)
            values.append(self.now_mib())
        return min(values)

    def _value(self, name: str) -> float:
        for line in self._status.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        raise SystemExit("the daemon is gone")


@dataclass(frozen=True, slots=True)
class OnTrial:
    """What a trial works with."""

    daemon: ApiDaemon
    token: str
    rates: Rates
    memory: Memory

    def must_live(self) -> None:
        """End the trial where the daemon has ended."""
        if not self.daemon.is_running:
            raise SystemExit(f"the daemon ended:\n{self.daemon.log_text()[-4000:]}")


@contextlib.contextmanager
def on_trial(settings: Mapping[str, Any]) -> Iterator[OnTrial]:
    """A daemon that serves requests, watches the sample scene at 720p, and tells a broker of it."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edged-trial-")))
        broker = stack.enter_context(Mosquitto())
        source = {"type": "file", "path": str(hd_scene(folder)), "pace": "realtime", "loop": True}
        sinks = [{"type": "mqtt", "host": "127.0.0.1", "port": broker.port}]
        daemon = ApiDaemon(folder, {"feeds": [{"id": FEED, "source": source}], "sinks": sinks, **settings})
        stack.enter_context(daemon)
        rates = stack.enter_context(Rates(broker.port))
        daemon.start().wait_until_ready()
        yield OnTrial(daemon, token_of(daemon.base), rates, Memory(daemon.pid))
        if daemon.is_running and daemon.stop(timeout_s=30) != 0:
            raise SystemExit(f"the daemon did not stop cleanly:\n{daemon.log_text()[-4000:]}")


def hd_scene(folder: Path) -> Path:
    """The sample scene at 1280x720, 15 frames/s."""
    clip = folder / "scene-720p.mp4"
    scaling = ["-vf", "scale=960:720,pad=1280:720:160:0", "-r", "15", "-c:v", "libx264", "-preset", "fast"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(SCENE), *scaling, str(clip)], check=True)
    return clip
