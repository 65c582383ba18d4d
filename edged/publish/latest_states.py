"""States on their way to the broker: only the latest of each is worth sending."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Saying:
    """What is published beside the outbox.

    Attributes:
        topic: where.
        body: what; with `retain`, an empty one takes back what the broker keeps.
        retain: whether the broker keeps it.
    """

    topic: str
    body: bytes
    retain: bool = True

    @property
    def is_clearing(self) -> bool:
        """Whether it takes back what the broker keeps."""
        return self.retain and not self.body


class LatestStates:
    """Keeps the latest of each topic, and knows which of them the broker has not got. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, Saying] = {}
        self._unsent: dict[str, None] = {}

    def put(self, saying: Saying) -> None:
        """Replace what is known of a topic."""
        with self._lock:
            self._latest[saying.topic] = saying
            self._unsent[saying.topic] = None

    def put_last(self, saying: Saying) -> None:
        """The same, to be sent after everything that is unsent now."""
        with self._lock:
            self._unsent.pop(saying.topic, None)
            self._latest[saying.topic] = saying
            self._unsent[saying.topic] = None

    def take(self) -> Saying | None:
        """A state that was not sent; None where all are. What is not to be kept is forgotten with it."""
        with self._lock:
            if not self._unsent:
                return None
            topic = next(iter(self._unsent))
            del self._unsent[topic]
            saying = self._latest[topic]
            if not saying.retain:
                del self._latest[topic]
            return saying

    def all_unsent(self) -> None:
        """A new connection: the broker may have forgotten everything.

        What it does not keep is old by now, and dropped; but for the word that it is gone.
        """
        with self._lock:
            self._latest = {
                t: saying for t, saying in self._latest.items() if saying.retain or not saying.body
            }
            self._unsent = dict.fromkeys(self._latest)

    def again(self) -> None:
        """Send everything once more: there is somebody new to hear it."""
        with self._lock:
            self._unsent = dict.fromkeys(self._latest)

    def drop(self, topic: str) -> None:
        """Forget what is known of a topic."""
        with self._lock:
            self._latest.pop(topic, None)
            self._unsent.pop(topic, None)

    def says_something(self, topic: str) -> bool:
        """Whether there is anything to see at a topic."""
        with self._lock:
            return topic in self._latest and bool(self._latest[topic].body)

    def acknowledged(self, saying: Saying) -> bool:
        """The broker has it; whether that took back what it kept, and nothing else has come since."""
        with self._lock:
            if not saying.is_clearing or self._latest.get(saying.topic) != saying:
                return False
            del self._latest[saying.topic]
            self._unsent.pop(saying.topic, None)
            return True
