"""The privacy switch and the schedule of each live feed: asked for, kept, put into force, told."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from edged.domain.errors import StoreError
from edged.domain.moment import Moment
from edged.pipeline.feed_control import FeedControl, Off
from edged.settings.feeds import Feed
from edged.settings.schedule import is_scheduled
from edged.store.feed_switches import FeedSwitches

_LOG = logging.getLogger(__name__)


class Switchboard:
    """Decides whether each live feed is on. The main thread calls everything but `ask`.

    A feed that is asked to be off is off at once, and stays so if the disk fails; that it is off is told when
    it is on the disk. One that is asked to be on is on when that is on the disk. The switch is kept outside
    the daemon: whoever writes there is heeded within a second.

    Args:
        feeds: the live feeds; a clip that is replayed is not switched.
        control: where whoever captures reads it.
        switches: keeps the switches.
        tell: takes a feed and whether its switch is on; does not wait.
        local: the date and time at the machine's place, of a time in UTC milliseconds.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        control: FeedControl,
        switches: FeedSwitches,
        tell: Callable[[str, bool], None],
        local: Callable[[int], datetime],
    ) -> None:
        self._schedules = {feed.id: feed.schedule for feed in feeds}
        self._control = control
        self._switches = switches
        self._tell = tell
        self._local = local
        self._lock = threading.Lock()
        self._asked: dict[str, bool] = {}
        """What was asked for and is not on the disk yet; the latest alone."""
        self._stands: dict[str, bool] = {}
        """Whether each switch is on, as it was told."""
        self._fails = False

    def begin(self, now: Moment) -> None:
        """Take over how the switches stand, before a camera is read; raises `StoreError`."""
        self._put_into_force(self._switches.off())
        self._follow_schedules(now)
        for feed_id in self._control.feed_ids:
            if feed_id not in self._schedules:
                self._tell(feed_id, True)

    def ask(self, feed_id: str, is_on: bool) -> None:  # noqa: FBT001 - the sinks' callback
        """Switch a feed, from any thread; does not wait for the disk."""
        if feed_id not in self._schedules:
            _LOG.warning("feed %s: it replays a clip and is not switched", feed_id)
            return
        with self._lock:
            self._asked[feed_id] = is_on
            if not is_on:
                self._control.set_off(feed_id, Off.SWITCH, is_off=True)

    def __call__(self, now: Moment) -> None:
        """Once a second: write down what was asked for, heed what others wrote, and what the clock says."""
        self._follow_schedules(now)
        with self._lock:
            asked = dict(self._asked)
        # Each by itself: one that cannot be written must not keep the others from being heeded.
        steps: list[Callable[[], None]] = [partial(self._write_down, *wish) for wish in asked.items()]
        errors = [error for step in [*steps, self._read] if (error := _error_of(step)) is not None]
        if errors and not self._fails:
            _LOG.error("A feed's switch cannot be read or written, and is tried again: %s", errors[0])
        self._fails = bool(errors)

    def _write_down(self, feed_id: str, is_on: bool) -> None:  # noqa: FBT001 - an entry of `_asked`
        self._switches.set(feed_id, is_on=is_on)
        with self._lock:
            if self._asked.get(feed_id) is is_on:
                del self._asked[feed_id]

    def _read(self) -> None:
        self._put_into_force(self._switches.off())

    def _put_into_force(self, off: frozenset[str]) -> None:
        for feed_id in self._schedules:
            is_on = feed_id not in off
            with self._lock:
                if feed_id in self._asked:
                    continue
                self._control.set_off(feed_id, Off.SWITCH, is_off=not is_on)
            if self._stands.get(feed_id) is not is_on:
                if feed_id in self._stands or not is_on:
                    _LOG.info("feed %s: the privacy switch is %s", feed_id, "on" if is_on else "off")
                self._stands[feed_id] = is_on
                self._tell(feed_id, is_on)

    def _follow_schedules(self, now: Moment) -> None:
        local = self._local(now.utc_ms)
        for feed_id, schedule in self._schedules.items():
            is_off = not is_scheduled(schedule, local)
            self._control.set_off(feed_id, Off.SCHEDULE, is_off=is_off)


def _error_of(step: Callable[[], None]) -> StoreError | None:
    try:
        step()
    except StoreError as error:
        return error
    return None
