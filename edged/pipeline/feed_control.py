"""What each capturing thread may do at the moment: whether its feed is on, and how many frames it takes."""

import threading
from collections.abc import Mapping
from enum import StrEnum


class Off(StrEnum):
    """Why a feed is not looked at; the words that its state is told in."""

    SWITCH = "switched off"
    SCHEDULE = "off by schedule"


class FeedControl:
    """Whether each feed is on, and its frame rate. Thread-safe.

    The main thread writes: the switch as somebody set it, the schedule's word each second, the governor's
    rate. Only that a feed goes off may come from any thread, for that has no time to wait. The capturing
    threads and the recogniser read, once a frame. Feeds that replay a clip heed neither.

    Args:
        fps: each feed's configured frames a second.
    """

    def __init__(self, fps: Mapping[str, float]) -> None:
        self._changed = threading.Condition()
        self._fps = dict(fps)
        self._off: dict[str, frozenset[Off]] = dict.fromkeys(fps, frozenset())
        self._times_off = dict.fromkeys(fps, 0)

    @property
    def feed_ids(self) -> tuple[str, ...]:
        """The feeds, in their order."""
        return tuple(self._fps)

    def set_off(self, feed_id: str, reason: Off, *, is_off: bool) -> bool:
        """Switch a feed off or on again for one reason; whether that changed anything.

        A feed is on when nothing keeps it off. Raises KeyError for a feed that is not there.
        """
        with self._changed:
            before = self._off[feed_id]
            now = before | {reason} if is_off else before - {reason}
            self._off[feed_id] = now
            if now and not before:
                self._times_off[feed_id] += 1
            self._changed.notify_all()
            return now != before

    def off(self, feed_id: str) -> Off | None:
        """Why the feed is not looked at, the switch before the schedule; None where it is on."""
        with self._changed:
            reasons = self._off[feed_id]
        return next((reason for reason in Off if reason in reasons), None)

    def times_off(self, feed_id: str) -> int:
        """How often the feed went off so far; a frame that was grabbed before the last time is not used."""
        with self._changed:
            return self._times_off[feed_id]

    def is_for_use(self, feed_id: str, times_off: int) -> bool:
        """Whether the feed is on, and was all the time since `times_off` was asked for."""
        with self._changed:
            return not self._off[feed_id] and self._times_off[feed_id] == times_off

    def set_fps(self, feed_id: str, fps: float) -> None:
        """Let the feed take so many frames a second, at most."""
        with self._changed:
            self._fps[feed_id] = fps

    def fps(self, feed_id: str) -> float:
        """Frames a second that the feed may take now."""
        with self._changed:
            return self._fps[feed_id]

    def wait_until_on(self, feed_id: str, timeout_s: float) -> bool:
        """Wait until nothing keeps the feed off, `timeout_s` at most; whether it is on."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._off[feed_id], timeout_s)
