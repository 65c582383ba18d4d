"""The feeds' states on their way to the broker: only the latest of each is worth sending."""

import threading

import msgspec

from edged.domain.feed_state import FeedState


class LatestStates:
    """Keeps the latest state of each feed, and knows which of them the broker has not got. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, bytes] = {}
        self._unsent: dict[str, None] = {}

    def put(self, state: FeedState) -> None:
        """Replace what is known of a feed."""
        body = msgspec.json.encode(state)
        with self._lock:
            self._latest[state.feed_id] = body
            self._unsent[state.feed_id] = None

    def take(self) -> tuple[str, bytes] | None:
        """A feed's id and its unsent state as JSON; None where all are sent."""
        with self._lock:
            if not self._unsent:
                return None
            feed_id = next(iter(self._unsent))
            del self._unsent[feed_id]
            return feed_id, self._latest[feed_id]

    def all_unsent(self) -> None:
        """A new connection: the broker may have forgotten everything."""
        with self._lock:
            self._unsent = dict.fromkeys(self._latest)
