"""Retained states on their way to the broker: only the latest of each is worth sending."""

import threading


class LatestStates:
    """Keeps the latest state of each topic, and knows which of them the broker has not got. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, bytes] = {}
        self._unsent: dict[str, None] = {}

    def put(self, topic: str, body: bytes) -> None:
        """Replace what is known of a topic."""
        with self._lock:
            self._latest[topic] = body
            self._unsent[topic] = None

    def take(self) -> tuple[str, bytes] | None:
        """A topic and its unsent state; None where all are sent."""
        with self._lock:
            if not self._unsent:
                return None
            topic = next(iter(self._unsent))
            del self._unsent[topic]
            return topic, self._latest[topic]

    def all_unsent(self) -> None:
        """A new connection: the broker may have forgotten everything."""
        with self._lock:
            self._unsent = dict.fromkeys(self._latest)
