"""The feeds: whether they give frames, how many, how evenly, and who decodes them."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

from edged.app.checkup.finding import Check, Finding, doubtful, ill, well
from edged.app.checkup.premises import Premises
from edged.camera.factory import make_source
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError
from edged.domain.moment import Clock
from edged.pipeline.feed_control import Off
from edged.pipeline.patience import patience_of
from edged.pipeline.ports import Source
from edged.settings import sources
from edged.settings.feeds import Feed
from edged.settings.schedule import is_scheduled
from edged.store.feed_switches import FeedSwitches
from edged.system.clock import local_time

_LEAST_FRAMES: Final = 2
_RATE_TOLERANCE: Final = 0.8
_STALL_MS: Final = 1000
_STALL_FRAMES: Final = 5
_RUNS: Final = "the daemon runs, and a camera that serves one reader alone refuses a second"


@dataclass(slots=True)
class Measured:
    """What a feed gave.

    Attributes:
        size_px: width and height; decoder: who decodes.
        stamps_ms: when each frame came.
        decode_ms: how long decoding each took.
        broken: pictures that could not be decoded.
        has_ended: whether a clip came to its end.
    """

    size_px: tuple[int, int] = (0, 0)
    decoder: str = ""
    stamps_ms: list[int] = field(default_factory=list)
    decode_ms: list[int] = field(default_factory=list)
    broken: int = 0
    has_ended: bool = False

    @property
    def rate(self) -> float:
        """Frames a second."""
        span_ms = self.stamps_ms[-1] - self.stamps_ms[0] if self.stamps_ms else 0
        return (len(self.stamps_ms) - 1) * 1000 / span_ms if span_ms else 0.0

    @property
    def longest_gap_ms(self) -> int:
        """Between one frame and the next."""
        pairs = zip(self.stamps_ms, self.stamps_ms[1:], strict=False)
        return max((after - before for before, after in pairs), default=0)


def checks(premises: Premises) -> Iterator[tuple[str, Check]]:
    """One check a feed. All feeds are measured at once, as the daemon reads them."""
    begun = [(feed, _begun(premises, feed)) for feed in premises.settings.feeds]
    for feed, look in begun:
        patience = patience_of(feed.source)
        limit_s = patience.open_s + 2 * patience.frame_s + premises.seconds
        what = f"feed {feed.id}"
        yield what, lambda what=what, look=look, limit_s=limit_s: [awaited(what, look, limit_s)]  # type: ignore[misc]


def _begun(premises: Premises, feed: Feed) -> Future[Finding]:
    """Measure in a thread that keeps nobody: a read that never returns must not hold the doctor up."""
    look: Future[Finding] = Future()

    def run() -> None:
        try:
            look.set_result(_outcome(premises, feed))
        except Exception as error:  # noqa: BLE001 - the thread's top: whoever waits is told
            look.set_exception(error)

    Thread(target=run, name=f"doctor {feed.id}", daemon=True).start()
    return look


def awaited(what: str, look: Future[Finding], limit_s: float) -> Finding:
    """What was found, where that comes in time."""
    try:
        return look.result(limit_s)
    except TimeoutError:
        return ill(
            what,
            f"has not answered for {limit_s:.0f} s, in spite of its time-outs",
            "see to the device, the driver or the network share behind it",
        )


def _outcome(premises: Premises, feed: Feed) -> Finding:
    what = f"feed {feed.id}"
    source = make_source(feed.source, premises.base_dir, premises.clock)
    off = _why_off(premises, feed) if source.is_live else None
    if off is not None:
        return well(what, f"{off}: its camera is left alone")
    try:
        measured = measure(source, feed.fps, premises.clock, premises.seconds)
    except CameraError as error:
        is_known = error.fault in {CameraFault.UNREACHABLE, CameraFault.SILENT, CameraFault.DISCONNECTED}
        if premises.daemon is not None and (is_known or isinstance(feed.source, sources.UsbSource)):
            return doubtful(
                what, f"{error.what}; {_RUNS}", "stop the daemon to measure, or see its own figures"
            )
        return ill(what, error.what, error.remedy)
    return _judged(what, feed, measured, is_live=source.is_live, is_shared=premises.daemon is not None)


def _why_off(premises: Premises, feed: Feed) -> Off | None:
    """Why nobody is to look through a live camera now; raises StoreError where its switch cannot be read."""
    if feed.id in FeedSwitches(premises.folder).off():
        return Off.SWITCH
    local = local_time(premises.clock.moment().utc_ms)
    return None if is_scheduled(feed.schedule, local) else Off.SCHEDULE


def measure(source: Source, fps: float, clock: Clock, seconds: float) -> Measured:
    """Read a source for some seconds, decoding as many frames as the feed would; raises CameraError."""
    measured = Measured()
    try:
        source.open()
        _take(source, fps, clock, seconds, measured)
        measured.decoder = source.decoder
    finally:
        source.close()
    return measured


def _take(source: Source, fps: float, clock: Clock, seconds: float, measured: Measured) -> None:
    nobody = Event()
    begun = clock.moment().steady_ms
    first_media_s: float | None = None
    next_decoded_ms = 0
    while True:
        try:
            media_s = source.grab()
        except EndOfMediaError:
            measured.has_ended = True
            return
        now = clock.moment().steady_ms
        if source.is_live and media_s is not None:
            # A clip in real time is ahead of its time: whoever reads it waits.
            first_media_s = media_s if first_media_s is None else first_media_s
            nobody.wait(max(0.0, begun / 1000 + media_s - first_media_s - now / 1000))
            now = clock.moment().steady_ms
        measured.stamps_ms.append(now)
        if not source.is_live or now >= next_decoded_ms:
            _decode(source, clock, measured)
            next_decoded_ms = now + round(1000 / fps)
        if now - begun >= seconds * 1000 and len(measured.stamps_ms) >= _LEAST_FRAMES:
            return


def _decode(source: Source, clock: Clock, measured: Measured) -> None:
    begun = clock.moment().steady_ms
    try:
        pixels = source.retrieve()
    except CameraError as error:
        if error.fault is not CameraFault.NOT_VIDEO:
            raise
        measured.broken += 1
        return
    measured.decode_ms.append(clock.moment().steady_ms - begun)
    measured.size_px = (int(pixels.shape[1]), int(pixels.shape[0]))


def _judged(what: str, feed: Feed, measured: Measured, *, is_live: bool, is_shared: bool) -> Finding:
    if not measured.stamps_ms:
        return ill(what, "is empty", "name another clip or folder")
    if not measured.decode_ms:
        return ill(what, f"none of {measured.broken} pictures can be decoded", "see docs/feeds.md")
    seen = _in_words(measured, is_live=is_live)
    if is_shared and is_live:
        seen += f" (a second reader: {_RUNS.partition(',')[0]})"
    if measured.broken:
        return doubtful(what, f"{seen}, {measured.broken} cannot be decoded", "see to camera and network")
    return _judged_live(what, feed, measured, seen) if is_live else well(what, seen)


def _judged_live(what: str, feed: Feed, measured: Measured, seen: str) -> Finding:
    usual_gap_ms = 1000 / measured.rate if measured.rate else 0
    if measured.longest_gap_ms > max(_STALL_MS, _STALL_FRAMES * usual_gap_ms):
        return doubtful(what, seen, "the stream stalls: see to the network and the camera's load")
    if 0 < measured.rate < feed.fps * _RATE_TOLERANCE:
        return doubtful(
            what,
            f"{seen}, fewer than the {feed.fps:g} configured",
            "raise the camera's frame rate, or lower `fps`",
        )
    return well(what, seen)


def _in_words(measured: Measured, *, is_live: bool) -> str:
    width, height = measured.size_px
    parts = [f"{width} x {height}"]
    frames = len(measured.stamps_ms)
    if measured.has_ended:
        parts.append(f"a clip of {frames} frames")
    elif is_live:
        parts.append(f"{measured.rate:.1f} frames/s, longest gap {measured.longest_gap_ms} ms")
    else:
        parts.append(f"read at {measured.rate:.0f} frames/s")
    decode = sorted(measured.decode_ms)[len(measured.decode_ms) // 2]
    parts.append(f"decoding takes {decode} ms (median)")
    parts.append(f"decoded by {measured.decoder or 'unknown'}")
    return ", ".join(parts)
