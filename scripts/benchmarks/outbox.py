"""Durable jobs a second into the outbox, and out of it to a real mosquitto with QoS 1.

Each beside its floor, of the same run, bytes and batches: bare SQLite commits with `synchronous = FULL`, and
bare paho in one thread with a window of the same size and nothing written down.
"""

import argparse
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from running import PROJECT  # noqa: F401 - puts the test bench on the path

from bench.mosquitto import Mosquitto, eventually
from edged.delivery.route import routes_of
from edged.domain.message import Message, MessageKind
from edged.publish.assembly import make_publishing
from edged.settings.sinks import MqttSink
from edged.store.outbox import Outbox
from edged.system.boot import boot_id
from edged.system.clock import SystemClock

CLOCK = SystemClock()
ENQUEUE_BUDGET = 1000
DRAIN_BUDGET = 2000


def jobs(number: int, size_bytes: int) -> list[Message]:
    """Final jobs of about so many bytes, each of its own."""
    at_ms = CLOCK.moment().utc_ms
    frame = '{"id":"%s","images":[],"edge":{"delayedMs":0},"padding":"%s"}'
    padding = "x" * max(0, size_bytes - len(frame) - 8)
    ids = [f"job-{number:08d}" for number in range(number)]
    return [
        Message(MessageKind.JOB, "home", "door", one, 1, True, (frame % (one, padding)).encode(), at_ms)
        for one in ids
    ]


def per_second(number: int, work: Callable[[], None]) -> float:
    """How many things a second, when `work` does so many of them."""
    started = time.perf_counter()
    work()
    return number / (time.perf_counter() - started)


def bare_commits(folder: Path, messages: list[Message], batch: int) -> float:
    """Floor of taking in: the bodies into one table, nothing else."""
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE body (id INTEGER PRIMARY KEY, body BLOB)")

        def work() -> None:
            for first in range(0, len(messages), batch):
                connection.execute("BEGIN IMMEDIATE")
                rows = [(message.body,) for message in messages[first : first + batch]]
                connection.executemany("INSERT INTO body (body) VALUES (?)", rows)
                connection.execute("COMMIT")

        return per_second(len(messages), work)


def enqueue(outbox: Outbox, messages: list[Message], batch: int) -> float:
    """Taking in, so many jobs a commit."""

    def work() -> None:
        for first in range(0, len(messages), batch):
            outbox.commit(messages[first : first + batch], CLOCK.moment())

    return per_second(len(messages), work)


def bare_publish(broker: Mosquitto, messages: list[Message], window: int) -> float:
    """Floor of draining: publish and wait for the acknowledgement, no more than a window at once."""
    acknowledged = 0

    def note(*_: object) -> None:
        nonlocal acknowledged
        acknowledged += 1

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(window)
    client.on_publish = note
    client.connect(broker.host, broker.port)
    while not client.is_connected():
        client.loop(0.1)

    def work() -> None:
        sent = 0
        while acknowledged < len(messages):
            while sent < len(messages) and sent - acknowledged < window:
                client.publish("edged/home/door/job", messages[sent].body, qos=1)
                sent += 1
            client.loop(0.1)

    speed = per_second(len(messages), work)
    client.disconnect()
    return speed


def drain(outbox: Outbox, sink: MqttSink, number: int) -> float:
    """Draining, from the start of the sink's thread to the last acknowledgement on the disk."""
    publishing = make_publishing(
        (sink,), outbox, attempts=1000, device="bench", clock=CLOCK, jitter=random.random
    )

    def work() -> None:
        publishing.start()
        eventually(publishing.is_idle, "the outbox to drain", 600)

    speed = per_second(number, work)
    publishing.stop(5)
    return speed


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=1000, help="size of a job")
    parser.add_argument("--batch", type=int, default=16, help="jobs a commit")
    parser.add_argument("--dir", help="folder on the disk to measure (default: the temporary one)")
    arguments = parser.parse_args()
    messages = jobs(arguments.jobs, arguments.bytes)
    with tempfile.TemporaryDirectory(dir=arguments.dir) as folder, Mosquitto(persistence=False) as broker:
        sink = MqttSink(host=broker.host, port=broker.port)
        with closing(Outbox(Path(folder), routes_of((sink,)))) as outbox:
            outbox.begin(CLOCK.moment(), boot_id())
            floor_in = bare_commits(Path(folder), messages, arguments.batch)
            into = enqueue(outbox, messages, arguments.batch)
            floor_out = bare_publish(broker, messages, sink.in_flight)
            out = drain(outbox, sink, len(messages))
            one_by_one = enqueue(outbox, jobs(300, arguments.bytes), 1)
            floor_one = bare_commits_again(Path(folder), jobs(300, arguments.bytes))
    print(f"outbox: {arguments.jobs} jobs of {arguments.bytes} bytes, window {sink.in_flight}")
    tell(f"enqueue, {arguments.batch} a commit", into, floor_in, ENQUEUE_BUDGET)
    tell("enqueue, one a commit", one_by_one, floor_one)
    tell("drain to mosquitto, QoS 1", out, floor_out, DRAIN_BUDGET)


def tell(what: str, speed: float, floor: float, budget: int | None = None) -> None:
    """One line."""
    asked = f"; budget {budget}/s" if budget else ""
    print(f"  {what}: {speed:.0f}/s, floor {floor:.0f}/s, {speed / floor:.2f} x{asked}")


def bare_commits_again(folder: Path, messages: list[Message]) -> float:
    """The floor of taking in one by one."""
    (folder / "floor.db").unlink()
    return bare_commits(folder, messages, 1)


if __name__ == "__main__":
    main()
