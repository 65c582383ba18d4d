"""The thread that captures one feed: opens its source, takes frames, and never gives up."""

import contextlib
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from edged.domain.backoff import Backoff
from edged.domain.errors import CameraError, CameraFault, EdgedError, EndOfMediaError
from edged.domain.feed_state import FeedState
from edged.domain.frame import Frame, Pixels
from edged.domain.moment import Clock, Moment
from edged.domain.redaction import redacted
from edged.pipeline.feed_control import FeedControl
from edged.pipeline.feed_status import FeedStatus
from edged.pipeline.health import PictureWatch
from edged.pipeline.patience import patience_of
from edged.pipeline.ports import Source
from edged.pipeline.sampling import Pacer, Sampler
from edged.pipeline.slot import SlotRing
from edged.pipeline.upright import Upright
from edged.settings.feeds import Feed
from edged.settings.sources import FileSource, ImagesSource

STEADY_AFTER_S: Final = 10.0
"""A source that gave frames for so long, or for the longest wait where that is shorter, works again: its
next failure is a first one. One that fails sooner is not asked more and more often."""

BROKEN_PICTURES: Final = 10
"""So many in a row that cannot be decoded are a fault of a live source."""

LOOK_S: Final = 0.2
"""How often a feed that is off looks whether it is to end."""

_FAULT_WORDS: Final[dict[CameraFault, str]] = {
    CameraFault.FROZEN: "the same picture has come for {after}",
    CameraFault.ONE_COLOUR: "only one flat colour has come for {after}",
}
_REMEDIES: Final[dict[CameraFault, str]] = {
    CameraFault.FROZEN: "Restart the camera; if nothing really moves there, raise health.frozen_after.",
    CameraFault.ONE_COLOUR: "Is the lens covered? If it may be, raise health.one_colour_after.",
}


class CaptureThread:
    """Captures one feed into its slot until stopped, or until its clip has ended.

    While the feed is off, its source is closed. A clip that is replayed is not switched, and keeps its rate.

    A daemon thread: a read that never returns keeps neither the process nor anybody who joins.

    Args:
        feed: the feed's settings.
        source: where frames come from; used by this thread alone.
        slots: where frames go.
        clock: the time.
        jitter: gives a number from 0 to 1 by chance, for waits.
        device: name of this device, for the state.
        stop: set from outside; every wait ends then.
        log: for what a person should know, once a change.
        control: whether the feed is on, and how many frames it may take; without it, as configured.
    """

    def __init__(
        self,
        feed: Feed,
        source: Source,
        slots: SlotRing,
        clock: Clock,
        jitter: Callable[[], float],
        device: str,
        stop: threading.Event,
        log: logging.Logger,
        *,
        control: FeedControl | None = None,
    ) -> None:
        self._feed = feed
        self._source = source
        self._slots = slots
        self._clock = clock
        self._jitter = jitter
        self._stop = stop
        self._log = log
        self._control = control or FeedControl({feed.id: feed.fps})
        self._upright = Upright(feed.rotate, feed.crop, feed.masks)
        self._status = FeedStatus(feed, device)
        self._patience = patience_of(feed.source)
        self._backoff = Backoff(first_s=feed.retry.first, most_s=feed.retry.most)
        self._watch = PictureWatch(feed.health)
        self._told: str | None = None
        self._times = _ClipTimes(_start_utc_ms(feed), round(1000 / feed.fps))
        self._thread = threading.Thread(target=self._run, name=f"capture {feed.id}", daemon=True)

    def start(self) -> None:
        """Begin to capture."""
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when the thread still runs after `timeout_s`."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs: after the end of a clip it does not."""
        return self._thread.is_alive()

    def state(self, moment: Moment) -> FeedState:
        """How the feed is doing at this moment; from any thread, at once, even where a read is stuck."""
        feed_id = self._feed.id
        dropped = self._slots.dropped(feed_id)
        if not self._source.is_live:
            return self._status.at(moment, dropped)
        off, fps = self._control.off(feed_id), self._control.fps(feed_id)
        return self._status.at(moment, dropped, off=off, fps_allowed=fps)

    def stuck_s(self, moment: Moment) -> float:
        """For how long a call into the source has hung in spite of its time-outs, in seconds; else 0.

        Nothing in the process can end such a call: the thread is lost until the daemon starts anew. Nobody
        misses it while the feed is off.
        """
        return 0.0 if self._is_off else self._status.stuck_s(moment)

    @property
    def _is_off(self) -> bool:
        return self._source.is_live and self._control.off(self._feed.id) is not None

    def _run(self) -> None:
        while self._is_wanted():
            try:
                if not self._one_connection():
                    return
            except EndOfMediaError as end:
                self._end(str(end))
                return
            except CameraError as error:
                self._retry_after(error)
            except Exception as error:  # noqa: BLE001 - the thread's top: whatever it is, the feed lives on
                self._retry_after(self._unforeseen(error))

    def _is_wanted(self) -> bool:
        """Wait while the feed is off; False when the thread is to end."""
        if not self._stop.is_set() and self._is_off:
            self._log.info("feed %s: %s", self._feed.id, self._control.off(self._feed.id))
            while not self._stop.is_set() and not self._control.wait_until_on(self._feed.id, LOOK_S):
                pass
            self._backoff.succeeded()
            self._told = None
            self._status.switched_on()
        return not self._stop.is_set()

    def _one_connection(self) -> bool:
        """Open, capture until stopped or switched off, close; False when nobody takes frames any more."""
        try:
            with self._busy(self._patience.open_s):
                self._source.open()
            self._status.opened(self._source.decoder)
            self._watch.reopened()
            self._times.reopened()
            return self._capture()
        finally:
            with self._busy(self._patience.frame_s):
                self._source.close()

    def _capture(self) -> bool:
        """Take frames until stopped or switched off; False when nobody takes them any more."""
        sampler, pacer = Sampler(self._feed.fps), Pacer()
        steady_since: Moment | None = None
        broken = 0
        while not self._stop.is_set() and not self._is_off:
            times_off = self._control.times_off(self._feed.id)
            at = self._grab(pacer)
            if self._source.is_live:
                sampler.set_fps(min(self._control.fps(self._feed.id), self._feed.fps))
            if at is None or self._is_off or not sampler.is_due(at.steady_ms / 1000):
                continue
            pixels = self._retrieve()
            if pixels is None:
                broken += 1
                if broken >= BROKEN_PICTURES and self._source.is_live:
                    raise CameraError(CameraFault.NOT_VIDEO, f"{broken} pictures in a row cannot be decoded")
                continue
            broken = 0
            if not self._is_believed(pixels, at):
                continue
            if not self._hand_on(pixels, at, times_off):
                return False
            now = self._clock.moment()
            steady_since = steady_since or now
            self._note_success(now.steady_ms - steady_since.steady_ms)
        return True

    def _grab(self, pacer: Pacer) -> Moment | None:
        """Take the next frame; its moment, or None when stopped meanwhile."""
        begin = self._clock.moment()
        with self._busy(self._patience.frame_s):
            media_s = self._source.grab()
        if not self._source.is_live:
            return self._times.moment_of(media_s or 0.0)
        now = self._clock.moment()
        self._refuse_stall(begin, now)
        if media_s is None:
            return now
        if self._stop.wait(pacer.wait_s(media_s, now.steady_ms / 1000)):
            return None
        return self._clock.moment()

    def _refuse_stall(self, begin: Moment, now: Moment) -> None:
        took_s = (now.steady_ms - begin.steady_ms) / 1000
        if self._patience.stall_s is not None and took_s >= self._patience.stall_s:
            raise CameraError(
                CameraFault.SILENT,
                f"no frame came for {took_s:.1f} s",
                remedy="Look whether the camera and the way to it are overloaded; read_timeout is the limit.",
            )

    def _retrieve(self) -> Pixels | None:
        """The picture as the pipeline wants it; None where this one is broken, which is counted."""
        try:
            with self._busy(self._patience.frame_s):
                pixels = self._source.retrieve()
        except CameraError as error:
            if error.fault is not CameraFault.NOT_VIDEO:
                raise
            self._status.broken_picture()
            self._log.debug("feed %s: a picture is skipped: %s", self._feed.id, error.what)
            return None
        return self._upright(pixels)

    def _is_believed(self, pixels: Pixels, at: Moment) -> bool:
        """Whether a live camera's picture is worth looking at; raises when it has not been for too long."""
        size = (int(pixels.shape[1]), int(pixels.shape[0]))
        before = self._status.picture(self._clock.moment(), size, self._source.decoder)
        if before is not None:
            self._log.info("feed %s: the picture is now %d x %d, was %d x %d", self._feed.id, *size, *before)
        if not self._source.is_live:
            return True
        fault = self._watch.look(pixels, at.steady_ms / 1000)
        if fault is not None:
            health = self._feed.health
            after = health.frozen_after if fault is CameraFault.FROZEN else health.one_colour_after
            raise CameraError(fault, _FAULT_WORDS[fault].format(after=after), remedy=_REMEDIES[fault])
        return self._watch.disbelief is None

    def _hand_on(self, pixels: Pixels, at: Moment, times_off: int) -> bool:
        """Put a frame into the slot; False when nobody will take it any more."""
        number = self._status.captured(self._clock.moment())
        if self._told is not None:
            self._log.info("feed %s: capturing again, was %s", self._feed.id, self._told)
            self._told = None
        frame = Frame(self._feed.id, number, at, pixels, times_off)
        return self._slots.put(frame, lossless=not self._source.is_live)

    def _note_success(self, steady_ms: int) -> None:
        if steady_ms >= 1000 * min(STEADY_AFTER_S, self._feed.retry.most):
            self._backoff.succeeded()

    def _retry_after(self, error: CameraError) -> None:
        """Say what is wrong, once, and leave the source alone for a while."""
        self._status.failed(error)
        level = logging.DEBUG if error.fault.value == self._told else logging.WARNING
        self._log.log(level, "feed %s: %s: %s", self._feed.id, error.fault, " ".join(str(error).split()))
        self._told = error.fault.value
        self._stop.wait(self._backoff.failed(self._jitter()))

    def _unforeseen(self, error: Exception) -> CameraError:
        """An error that no adapter translated, without the secrets that may be in it."""
        secrets = _secrets_of(self._feed)
        self._log.debug("feed %s: %s", self._feed.id, redacted(traceback.format_exc(), secrets))
        words = redacted(f"{type(error).__name__}: {error}", secrets)
        return CameraError(CameraFault.DISCONNECTED, f"the source failed in an unforeseen way ({words})")

    def _end(self, words: str) -> None:
        self._status.ended(words)
        if words:
            self._log.warning("feed %s: %s", self._feed.id, words)
        self._log.info("feed %s: the clip has ended", self._feed.id)
        self._slots.end(self._feed.id)

    @contextlib.contextmanager
    def _busy(self, patience_s: float) -> Iterator[None]:
        """Mark the time inside the source, so that a call that never returns can be seen from outside."""
        self._status.enter(self._clock.moment(), patience_s)
        try:
            yield
        finally:
            self._status.leave()


class _ClipTimes:
    """Moments of a clip's frames: its start and its own time, never going back, even when opened again."""

    def __init__(self, start_utc_ms: int, gap_ms: int) -> None:
        self._start_utc_ms = start_utc_ms
        self._gap_ms = gap_ms
        self._begin_ms = 0
        self._last_ms: int | None = None

    def reopened(self) -> None:
        """The clip begins at its first frame again."""
        if self._last_ms is not None:
            self._begin_ms = self._last_ms + self._gap_ms

    def moment_of(self, media_s: float) -> Moment:
        """The moment of a frame, `media_s` seconds after the clip's first."""
        self._last_ms = self._begin_ms + round(media_s * 1000)
        return Moment(steady_ms=self._last_ms, utc_ms=self._start_utc_ms + self._last_ms)


def _start_utc_ms(feed: Feed) -> int:
    """The time of a replayed clip's first frame, in milliseconds UTC."""
    if not isinstance(feed.source, FileSource | ImagesSource):
        return 0
    return round(datetime.fromisoformat(feed.source.start).timestamp() * 1000)


def _secrets_of(feed: Feed) -> tuple[str, ...]:
    """What must not be logged. A secret that was never looked up cannot be in any words."""
    password = getattr(feed.source, "password", None)
    with contextlib.suppress(EdgedError):
        return () if password is None else (password.reveal(),)
    return ()
