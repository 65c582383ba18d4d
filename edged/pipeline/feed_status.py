"""What is known of a feed's health: written by the thread that captures, read by any."""

import threading
from collections import Counter
from typing import Final

from edged.domain.errors import CameraError, CameraFault
from edged.domain.feed_state import FeedState
from edged.domain.moment import Moment
from edged.pipeline.feed_control import Off
from edged.pipeline.sampling import Rate
from edged.settings.feeds import Feed

STARTING: Final = "starting"
CAPTURING: Final = "capturing"
ENDED: Final = "ended"


class FeedStatus:
    """One feed's health. Every method may be called from any thread."""

    def __init__(self, feed: Feed, device: str) -> None:
        self._feed = feed
        self._device = device
        self._lock = threading.Lock()
        self._state = STARTING
        self._detail = ""
        self._decoder = ""
        self._size_px = (0, 0)
        self._frames = 0
        self._opened = 0
        self._resolution_changes = 0
        self._faults: Counter[str] = Counter()
        self._rate = Rate()
        self._last_frame: Moment | None = None
        self._busy: tuple[Moment, float] | None = None

    def enter(self, now: Moment, patience_s: float) -> None:
        """A call into the source begins, and should be over within the patience."""
        with self._lock:
            self._busy = (now, patience_s)

    def leave(self) -> None:
        """The call is over."""
        with self._lock:
            self._busy = None

    def switched_on(self) -> None:
        """The feed is looked at again, after it was off."""
        with self._lock:
            self._state, self._detail = STARTING, ""

    def opened(self, decoder: str) -> None:
        """The source was opened."""
        with self._lock:
            self._opened += 1
            self._decoder = decoder
            self._size_px = (0, 0)

    def picture(self, now: Moment, size_px: tuple[int, int], decoder: str) -> tuple[int, int] | None:
        """A picture of a width and height came; returns the former size where it is another now."""
        with self._lock:
            before, self._size_px = self._size_px, size_px
            self._last_frame = now
            self._decoder = decoder
            if before in {(0, 0), size_px}:
                return None
            self._resolution_changes += 1
            return before

    def captured(self, now: Moment) -> int:
        """A frame is handed on; returns its number, from 1."""
        with self._lock:
            self._state, self._detail = CAPTURING, ""
            self._rate.note(now.steady_ms / 1000)
            self._frames += 1
            return self._frames

    def broken_picture(self) -> None:
        """One picture could not be decoded: lost, and counted."""
        with self._lock:
            self._faults[CameraFault.NOT_VIDEO] += 1

    def failed(self, error: CameraError) -> None:
        """The source gives no frames."""
        with self._lock:
            self._faults[error.fault] += 1
            self._state = error.fault.value
            self._decoder = ""
            self._detail = f"{error.what}. {error.remedy}" if error.remedy else error.what

    def ended(self, detail: str) -> None:
        """The clip is at its end."""
        with self._lock:
            self._state, self._detail = ENDED, detail

    def stuck_s(self, now: Moment) -> float:
        """For how long a call into the source has gone on, where that is beyond its patience; else 0."""
        with self._lock:
            return self._stuck_s(now)

    def _stuck_s(self, now: Moment) -> float:
        if self._busy is None:
            return 0.0
        since, patience_s = self._busy
        busy_s = (now.steady_ms - since.steady_ms) / 1000
        return busy_s if busy_s > patience_s else 0.0

    def at(
        self, now: Moment, dropped: int, *, off: Off | None = None, fps_allowed: float | None = None
    ) -> FeedState:
        """The health at this moment; a call that does not return is told as silence.

        Args:
            now: this moment.
            dropped: frames that were replaced in the slot unseen.
            off: why the feed is not looked at, whatever else is wrong with it.
            fps_allowed: frames a second that it may take now; told where that is less than configured.
        """
        with self._lock:
            state, detail, faults = self._state, self._detail, Counter(self._faults)
            stuck_s = self._stuck_s(now)
            if off is not None:
                state, detail = off.value, ""
            elif stuck_s > 0:
                state = CameraFault.SILENT.value
                detail = f"the source has not answered for {stuck_s:.0f} s, in spite of its time-outs"
                faults[state] += 1
            age = None if self._last_frame is None else max(0, now.steady_ms - self._last_frame.steady_ms)
            return FeedState(
                feed_id=self._feed.id,
                namespace=self._feed.namespace,
                device=self._device,
                capturing=state == CAPTURING,
                state=state,
                detail=detail,
                fps=round(self._rate.per_second(now.steady_ms / 1000), 1),
                fps_allowed=_less_than(fps_allowed, self._feed.fps),
                decoder=self._decoder,
                width_px=self._size_px[0],
                height_px=self._size_px[1],
                frames=self._frames,
                dropped=dropped,
                reconnections=max(0, self._opened - 1),
                resolution_changes=self._resolution_changes,
                faults={str(fault): count for fault, count in sorted(faults.items())},
                last_frame_age_ms=age,
                at=now.utc_ms,
            )


def _less_than(fps: float | None, configured: float) -> float | None:
    return round(fps, 2) if fps is not None and fps < configured else None
