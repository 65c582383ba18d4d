"""From a decision to the message at a subscriber on the same machine, over a bare publish of the same run."""

import tempfile
import threading
import time
from pathlib import Path

import msgspec
from footage import percentile
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from running import PROJECT  # noqa: F401 - puts the test bench on the path

from bench.mosquitto import Mosquitto
from edged.delivery.route import routes_of
from edged.domain.message import Message, MessageKind
from edged.pipeline.committer import Committer
from edged.publish.assembly import make_publishing
from edged.settings.sinks import MqttSink
from edged.store.outbox import Outbox
from edged.system.boot import boot_id
from edged.system.chance import jitter
from edged.system.clock import SystemClock

MESSAGES = 200
APART_S = 0.05
BUDGET_MS = 50
JOB = msgspec.json.encode(
    {"status": "IN_PROGRESS", "padding": "x" * 900, "edge": {"updatedAt": 0, "delayedMs": 0}}
)


class Arrivals:
    """A subscriber that notes when each message came."""

    def __init__(self, port: int, topic: str) -> None:
        self.came = threading.Semaphore(0)
        self.at: list[float] = []
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._note
        subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe(topic, qos=1)
        subscribed.wait(10)

    def _note(self, *_: object) -> None:
        self.at.append(time.perf_counter())
        self.came.release()


def bare_ms(port: int) -> list[float]:
    """Publish with QoS 1 and nothing else."""
    arrivals = Arrivals(port, "bare")
    times = []
    for _ in range(MESSAGES):
        begun = time.perf_counter()
        arrivals.client.publish("bare", JOB, qos=1)
        arrivals.came.acquire(timeout=10)
        times.append((arrivals.at[-1] - begun) * 1000)
        time.sleep(APART_S)
    arrivals.client.loop_stop()
    return times


def edged_ms(port: int, folder: Path) -> list[float]:
    """Through the committer, the outbox on the disk, and the sink's worker."""
    arrivals = Arrivals(port, "edged/home/hall/job")
    clock = SystemClock()
    sink = MqttSink(host="127.0.0.1", port=port)
    outbox = Outbox(folder, routes_of([sink]))
    outbox.begin(clock.moment(), boot_id())
    publishing = make_publishing([sink], outbox, attempts=10, device="bench", clock=clock, jitter=jitter)
    committer = Committer(outbox, clock, jitter, lambda _: publishing.wake())
    publishing.start()
    committer.start()
    times = []
    for number in range(MESSAGES + 1):
        begun = time.perf_counter()
        committer.put([Message(MessageKind.JOB, "home", "hall", f"job-{number}", 1, True, JOB, 0)])
        arrivals.came.acquire(timeout=10)
        times.append((arrivals.at[-1] - begun) * 1000)
        time.sleep(APART_S)
    committer.finish(5)
    publishing.stop(5)
    outbox.close()
    return times[1:]


def main() -> None:
    """Print both distributions."""
    with Mosquitto() as broker, tempfile.TemporaryDirectory() as folder:
        bare, ours = bare_ms(broker.port), edged_ms(broker.port, Path(folder))
    print(
        f"decision to subscriber: p50 {percentile(ours, 0.5):.1f} ms, p95 {percentile(ours, 0.95):.1f} ms"
        f" (budget p95 {BUDGET_MS} ms); a bare publish p50 {percentile(bare, 0.5):.1f} ms,"
        f" p95 {percentile(bare, 0.95):.1f} ms"
    )


if __name__ == "__main__":
    main()
