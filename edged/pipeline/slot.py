"""The one place where a frame may be dropped: a slot a feed, capacity one, newest wins."""

import threading
from collections import deque
from dataclasses import dataclass

from edged.domain.frame import Frame


@dataclass(frozen=True, slots=True)
class Taken:
    """What the ring hands out: a frame, or the word that a feed has ended (then `frame` is None)."""

    feed_id: str
    frame: Frame | None


class SlotRing:
    """The slots of all feeds, emptied in turn, so that a busy feed never starves another.

    Capturing threads `put`, each into its own feed's slot; one thread `take`s. A live feed's new frame
    replaces the one that waits, and the drop is counted; a feed that may not lose frames (a clip that is
    replayed) waits until its slot is empty.
    """

    def __init__(self, feed_ids: tuple[str, ...]) -> None:
        self._changed = threading.Condition()
        self._frames: dict[str, Frame | None] = dict.fromkeys(feed_ids)
        self._turns = deque(feed_ids)
        self._dropped = dict.fromkeys(feed_ids, 0)
        self._ended: set[str] = set()
        self._nudged = False
        self._closed = False

    def put(self, frame: Frame, *, lossless: bool) -> bool:
        """Offer a frame; False when the ring was closed meanwhile and nobody will take it."""
        with self._changed:
            if lossless:
                self._changed.wait_for(lambda: self._closed or self._frames[frame.feed_id] is None)
            if self._closed:
                return False
            if self._frames[frame.feed_id] is not None:
                self._dropped[frame.feed_id] += 1
            self._frames[frame.feed_id] = frame
            self._changed.notify_all()
        return True

    def end(self, feed_id: str) -> None:
        """Say that a feed has ended; it is handed out in the feed's turn, after its last frame."""
        with self._changed:
            self._ended.add(feed_id)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Taken | None:
        """The next frame in turn, or the end of a feed; None after `timeout_s` without either, or a nudge."""
        with self._changed:
            self._changed.wait_for(self._has_something, timeout_s)
            self._nudged = False
            for _ in range(len(self._turns)):
                feed_id = self._turns[0]
                self._turns.rotate(-1)
                frame = self._frames[feed_id]
                if frame is not None:
                    self._frames[feed_id] = None
                    self._changed.notify_all()
                    return Taken(feed_id, frame)
                if feed_id in self._ended:
                    self._ended.remove(feed_id)
                    return Taken(feed_id, None)
            return None

    def nudge(self) -> None:
        """Have `take` return at once, now or when it is called next: there is other work."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    @property
    def has_waiting(self) -> bool:
        """Whether `take` has something to hand out."""
        with self._changed:
            return self._has_waiting()

    def dropped(self, feed_id: str) -> int:
        """How many frames of the feed were replaced unseen."""
        with self._changed:
            return self._dropped[feed_id]

    def waiting(self, feed_id: str) -> Frame | None:
        """The frame in a feed's slot, if there is one."""
        with self._changed:
            return self._frames[feed_id]

    def close(self) -> None:
        """Wake everybody who waits; nothing is put any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_something(self) -> bool:
        return self._closed or self._nudged or self._has_waiting()

    def _has_waiting(self) -> bool:
        return bool(self._ended) or any(frame is not None for frame in self._frames.values())
