"""Whoever reads: as Home Assistant does, with a clean session, by retained states, status and events."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edged.delivery.topics import Topics
from simulated_week.plan import DEVICE, feeds

TOPICS: Final = Topics("edged", DEVICE)
DEADLINE_S: Final = 20.0
MAX_AGE_MS: Final = 30_000
"""`event_max_age`: who acts on events acts on none that is older."""

View = dict[str, tuple[str, ...]]
"""Of each feed and namespace who is there, by name, sorted; somebody unknown is `?`."""


class Reader:
    """One life of the subscriber: what it knows is gone with it.

    Args:
        port: the broker's, on this machine.
        now_ms: the house's time, at least: no message that comes now was sent at an earlier one.
        faults: takes what must not be.
        counts: takes how many of what came.
    """

    def __init__(self, port: int, now_ms: Callable[[], int], faults: list[str], counts: Counter[str]) -> None:
        self._now_ms = now_ms
        self._faults = faults
        self._counts = counts
        self._lock = threading.Lock()
        self._bodies: dict[str, bytes] = {}
        self._markers: set[str] = set()
        self.is_connected = False
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._heard
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def view(self) -> View | None:
        """Who is there, as far as is known; None where the device is not there, or the broker."""
        with self._lock:
            if not self.is_connected or self._bodies.get(TOPICS.status) != b"online":
                return None
            places = {feed.id: TOPICS.presence(feed.namespace, feed.id) for feed in feeds()}
            places |= {
                f"namespace {feed.namespace}": TOPICS.namespace_presence(feed.namespace) for feed in feeds()
            }
            return {place: _names(self._bodies.get(topic)) for place, topic in places.items()}

    def switch_of(self, feed_id: str) -> bytes | None:
        """How a feed's switch stands."""
        with self._lock:
            return self._bodies.get(TOPICS.feed_enabled(feed_id))

    def switch(self, feed_id: str, *, is_on: bool) -> None:
        """Switch a feed, as a tile on a dashboard does."""
        self._client.publish(TOPICS.feed_switch(feed_id), b"ON" if is_on else b"OFF", qos=1)

    def catch_up(self) -> None:
        """Return when everything was heard that the broker had by now."""
        marker = f"marker/{id(self)}/{time.monotonic_ns()}"
        self._client.publish(marker, b"", qos=1)
        eventually(lambda: marker in self._markers or not self.is_connected, "the broker to answer")

    def stop(self) -> None:
        """End it."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Client, *_: Any) -> None:
        with self._lock:
            self._bodies.clear()
        client.subscribe([(f"{TOPICS.prefix}/#", 1), ("marker/#", 1)])
        self.is_connected = True

    def _disconnected(self, *_: Any) -> None:
        self.is_connected = False

    def _heard(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if message.topic.startswith("marker/"):
            self._markers.add(message.topic)
        elif message.topic.endswith("/event"):
            self._judge(json.loads(message.payload), is_retained=message.retain)
        else:
            with self._lock:
                self._bodies[message.topic] = message.payload

    def _judge(self, event: dict[str, Any], *, is_retained: bool) -> None:
        """An event that somebody would act on must be news."""
        self._counts[f"events `{event['type']}`"] += 1
        age_ms = self._now_ms() - event["at"]
        if is_retained:
            self._faults.append(f"an event was retained: {event}")
        if event["type"] != "delayed" and age_ms > MAX_AGE_MS:
            self._faults.append(f"{age_ms} ms old, and not `delayed`: {event}")


def _names(body: bytes | None) -> tuple[str, ...]:
    if body is None:
        return ("never told",)
    return tuple(sorted(person.get("name", "?") for person in json.loads(body)["persons"]))


def eventually(condition: Callable[[], bool], what: str, timeout_s: float = DEADLINE_S) -> None:
    """Wait until the condition holds; fail with `what` when it does not in time."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(0.005)
