"""The governor at work: reads the machine and the recogniser, and gives each feed its frame rate."""

import logging
from collections.abc import Callable, Collection

from edged.domain.moment import Moment
from edged.pipeline.feed_control import FeedControl
from edged.pipeline.governor import Decision, Governor, Readings
from edged.pipeline.slot import SlotRing
from edged.pipeline.workload import Workload
from edged.settings.root import Settings
from edged.system.thermal import Heat

_LOG = logging.getLogger(__name__)


class Governing:
    """Called once a second by the main thread; what it found any thread may read.

    Where the settings switch the governor off it measures all the same, and changes nothing. Clips that are
    replayed wait for the models and lose no frame by it: they keep their rate, and count for the load alone.

    Args:
        settings: the daemon's.
        control: what the capturing threads obey.
        slots: count the frames that were dropped.
        workload: of the recogniser.
        sensors: reads the machine's heat; never raises.
        replays: ids of the feeds that replay a clip.
    """

    def __init__(
        self,
        settings: Settings,
        control: FeedControl,
        slots: SlotRing,
        workload: Workload,
        sensors: Callable[[], Heat],
        replays: Collection[str] = (),
    ) -> None:
        self._is_enabled = settings.governor.enabled
        self._control = control
        self._slots = slots
        self._workload = workload
        self._sensors = sensors
        self._replays = tuple(replays)
        self._configured = {feed.id: feed.fps for feed in settings.feeds if feed.id not in self._replays}
        self._governor = Governor(settings.governor, self._configured, settings.requests.share)
        self.heat = Heat(None)
        """The last reading."""
        self.load = 0.0
        """Share of the recogniser's time that is used, 0 to 1."""
        self.decision: Decision | None = None
        """What holds; None while the governor is off, or has not decided."""

    @property
    def slowed(self) -> str:
        """Why the feeds take fewer frames than configured, in words; empty while they do not."""
        return "" if self.decision is None else self.decision.slowed

    @property
    def fps(self) -> dict[str, float]:
        """Frames a second that each feed may take now."""
        return {feed_id: self._control.fps(feed_id) for feed_id in self._control.feed_ids}

    def __call__(self, now: Moment) -> None:
        """Look, decide, and have it obeyed."""
        self.heat = self._sensors()
        decided = self._governor.decide(
            Readings(
                at_s=now.steady_ms / 1000,
                celsius=self.heat.celsius,
                throttled=self.heat.throttled,
                requests_s=self._workload.requests_s,
                feeds={
                    feed_id: self._workload.of_feed(feed_id, self._slots.dropped(feed_id))
                    for feed_id in self._configured
                },
                replays_s=sum(self._workload.of_feed(feed_id, 0).busy_s for feed_id in self._replays),
            )
        )
        self.load = decided.load
        if self._is_enabled:
            self._obey(decided)

    def _obey(self, decided: Decision) -> None:
        before, self.decision = self.decision, decided
        old = self._configured if before is None else before.fps
        for feed_id, fps in decided.fps.items():
            if fps != old[feed_id]:
                self._control.set_fps(feed_id, fps)
        if decided.fps == old:
            return
        heat = "" if self.heat.celsius is None else f" (the processor has {self.heat.celsius:.0f} °C)"
        if not decided.slowed:
            _LOG.info("All feeds take as many frames as configured again%s", heat)
        elif any(fps < old[feed_id] for feed_id, fps in decided.fps.items()):
            _LOG.warning("Feeds take fewer frames, %s%s", decided.slowed, heat)
        else:
            _LOG.info("Feeds take more frames again, %s%s", decided.slowed, heat)
