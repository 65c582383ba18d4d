"""All running parts of the daemon: started, watched and stopped by the main thread."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from edged.app.cleaning import Cleaning
from edged.app.doors import Doors
from edged.app.grouping import GroupParts
from edged.app.heartbeats import Heart, Heartbeats
from edged.app.serving import Serving
from edged.app.sync_starting import SyncStarter
from edged.domain.errors import StoreError
from edged.domain.feed_state import FeedState
from edged.domain.moment import Moment
from edged.pipeline.capture import CaptureThread
from edged.pipeline.committer import Committer
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.recogniser import Recogniser
from edged.publish.assembly import Publishing
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.store.gallery_watch import GalleryWatch
from edged.store.outbox import Outbox

GALLERY_PATIENCE_S: Final = 30.0
STOP_DOORS_S: Final = 0.2
STOP_CLERK_S: Final = 0.3
STOP_RECOGNISER_S: Final = 0.8
STOP_COMMITTER_S: Final = 0.8
STOP_KEEPER_S: Final = 0.2
STOP_CLEANER_S: Final = 0.1
STOP_WATCH_S: Final = 0.3
STOP_SYNC_S: Final = 0.4
LAST_WORDS_S: Final = 0.6
LOOK_S: Final = 0.02
STOP_SINKS_S: Final = 0.8
STOP_CAPTURE_S: Final = 0.4
"""Together below the five seconds that a stop may take. A capturing thread that hangs in a read by then ends
with the process."""

STATE_EVERY_MS: Final = 10_000
"""A feed's state is told at once when a reader would care, else so often."""

WEDGED_AFTER_S: Final = 30.0
"""A recogniser that did not turn for so long will not."""
COMMIT_HANGS_AFTER_S: Final = 180.0
"""A commit that neither succeeded nor failed for so long will not. On a worn-out card one takes seconds, and
where the disk is full and the file is made smaller first, a minute or two."""
SILENT_AFTER_S: Final = 300.0
"""Other threads are told as trouble when they stand still for so long: longer than any of their time-outs."""
LOST_AFTER_S: Final = 300.0
"""A read that hangs for so long in spite of its time-outs never returns: only a new start frees the feed."""

_LOG = logging.getLogger(__name__)


class Machinery:
    """All running parts. `start` and `stop` stand in mirrored order; the main thread calls everything."""

    def __init__(
        self,
        *,
        settings: Settings,
        device: str,
        outbox: Outbox,
        publishing: Publishing,
        committer: Committer,
        groups: GroupParts | None,
        serving: Serving | None,
        watch: GalleryWatch,
        recogniser: Recogniser,
        pipelines: dict[str, FeedPipeline],
        captures: list[CaptureThread],
        stop_capture: threading.Event,
        rounds: Sequence[Callable[[Moment], None]] = (),
        cleaning: Cleaning | None = None,
        slowed: Callable[[], str] = lambda: "",
        remarks: tuple[str, ...] = (),
        sync_remarks: Callable[[], list[str]] = list,
        syncing: SyncStarter | None = None,
    ) -> None:
        self.device = device
        self._slowed = slowed
        self._remarks = remarks
        self._sync_remarks = sync_remarks
        self._syncing = syncing
        self._settings = settings
        self._outbox = outbox
        self._publishing = publishing
        self._committer = committer
        self._groups = groups
        self._serving = serving
        self._watch = watch
        self._recogniser = recogniser
        self._pipelines = pipelines
        self._captures = captures
        self._stop_capture = stop_capture
        self._rounds = tuple(rounds)
        self.cleaning = cleaning
        self._states_told: dict[str, tuple[FeedState, int]] = {}
        self.heartbeats = Heartbeats(self._hearts)
        """Which threads go on; any thread may ask."""
        self.doors: Doors | None = None
        """The HTTP server, where there is one; set before `start`."""
        self.watchdog_beats = 0
        """How often the service manager was told that all goes on."""
        self.is_alive = True
        """Whether it made progress when that was last asked; any thread may look."""

    def start(self) -> None:
        """From the sinks to the cameras: whoever takes is there before whoever gives."""
        self._publishing.start()
        self._committer.start()
        self._watch.start()
        if not self._watch.wait_until_read(GALLERY_PATIENCE_S):
            _LOG.error("The enrolled people are still being read; until then everybody is unknown")
        if self._syncing is not None:
            self._syncing.start()
        if self._groups is not None:
            self._groups.keeper.start()
        if self._serving is not None:
            self._serving.start()
        if self.cleaning is not None:
            self.cleaning.thread.start()
        self._recogniser.start()
        for capture in self._captures:
            capture.start()
        if self.doors is not None:
            self.doors.open()

    def stop(self) -> bool:
        """From the cameras to the sinks; whether everything that was recognised is on the disk."""
        self._stop_capture.set()
        self._end_requests()
        self._recogniser.stop()
        if self._recogniser.ident is not None:
            self._recogniser.join(STOP_RECOGNISER_S)
        if self.cleaning is not None:
            # Whoever writes the last words down is not to wait for a sweep.
            self.cleaning.thread.stop(STOP_CLEANER_S)
        is_committed = self._committer.ident is None or self._committer.finish(STOP_COMMITTER_S)
        if self._groups is not None and not self._groups.keeper.finish(STOP_KEEPER_S):
            _LOG.error("The last news of unknown people's groups were not written down in time")
        if self._serving is not None:
            self._serving.stop_history(STOP_KEEPER_S)
        if self._syncing is not None and not self._syncing.stop(STOP_SYNC_S):
            _LOG.warning("The sync did not end in time; what it was at is done again at the next start")
        if self._watch.ident is not None:
            self._watch.stop(STOP_WATCH_S)
        if is_committed and self._recogniser.all_ended.is_set():
            self._end_replay()
        self._let_sinks_finish(LAST_WORDS_S)
        self._publishing.stop(STOP_SINKS_S)
        for capture in self._captures:
            # Most ended long before, with the first stop; a wait for several hanging ones is shared.
            if capture.is_alive:
                capture.join(STOP_CAPTURE_S / len(self._captures))
        self._outbox.close()
        return is_committed and not self._recogniser.is_alive()

    @property
    def is_unheard(self) -> bool:
        """Whether the reader of standard output has gone, and nobody else is told anything."""
        only_console = all(isinstance(sink, ConsoleSink) for sink in self._settings.sinks)
        return only_console and self._publishing.is_console_closed

    @property
    def failure(self) -> BaseException | None:
        """Why the recogniser or the committer ended by itself; None while both go on."""
        of_serving = self._serving.failure if self._serving is not None else None
        of_doors = self.doors.failure if self.doors is not None else None
        return self._recogniser.failure or self._committer.failure or of_serving or of_doors

    def configure(self, settings: Settings) -> None:
        """Take over changed settings between two frames."""
        self._settings = settings
        if self._groups is not None:
            self._groups.configure(settings)
        if self._serving is not None:
            self._serving.configure(settings)
        if self.cleaning is not None:
            self.cleaning.configure(settings)
        self._recogniser.configure(settings)

    def is_done(self) -> bool:
        """Whether every feed has ended and every sink has what it can take."""
        if not self._recogniser.all_ended.is_set() or not self._committer.is_idle:
            return False
        if self._groups is not None and not self._groups.keeper.is_idle:
            return False
        if self._serving is not None and not self._serving.is_idle:
            return False
        return self._publishing.is_idle()

    def report(self, now: Moment) -> None:
        """Tell the sinks that want it how the feeds are: at once what changed, the counts now and then."""
        for state in self.states(now):
            told, told_ms = self._states_told.get(state.feed_id, (None, 0))
            is_news = told is None or _news_of(state) != _news_of(told)
            if is_news or now.steady_ms - told_ms >= STATE_EVERY_MS:
                self._states_told[state.feed_id] = state, now.steady_ms
                self._publishing.report_feed(state)

    def go_round(self, now: Moment) -> None:
        """What is due once a second: schedules, the governor, the machine's own health."""
        for due in self._rounds:
            due(now)

    def status_line(self, now: Moment) -> str:
        """One line for `systemctl status`."""
        states = self.states(now)
        well = sum(state.capturing for state in states)
        words = [f"{well} of {len(states)} feeds capturing"]
        words += [f"{state.feed_id}: {state.state}" for state in states if not state.capturing]
        if slowed := self._slowed():
            words.append(slowed)
        return "; ".join([*words, *self._complaints(), *self._remarks])

    def trouble(self) -> str:
        """What a person should look at, the feeds apart, which tell it themselves; else empty."""
        failing = [f"sink {one.sink}: {one.trouble}" for one in self._publishing.status if one.trouble]
        return "; ".join([*self._complaints(), *failing])

    def _complaints(self) -> list[str]:
        words = [f"{name} has stopped turning" for name in self.heartbeats.wedged]
        if self._committer.is_stuck:
            words.append("the outbox cannot be written")
        if self._groups is not None and self._groups.keeper.given_up:
            words.append(f"{self._groups.keeper.given_up} news of unknown people were lost")
        if self._serving is not None:
            words += self._serving.remarks()
        if self._syncing is not None and self._syncing.trouble:
            words.append(self._syncing.trouble)
        return words + self._watch.remarks() + self._sync_remarks()

    def troubles(self) -> tuple[str, ...]:
        """What keeps requests from being served; any thread may ask."""
        words = []
        if not self._watch.wait_until_read(0):
            words.append("the enrolled people are still being read")
        if self._committer.is_stuck:
            words.append("the outbox cannot be written")
        return tuple(words)

    def upkeep(self, now: Moment) -> None:
        """Let the outbox, and the API's own file, forget what their limits do not allow; each by itself."""
        limits = self._settings.outbox
        try:
            self._outbox.give_up(now, limits.max_age, limits.max_bytes)
        except StoreError as error:
            _LOG.error("The outbox could not be looked after: %s", error)
        if self._serving is not None:
            self._serving.upkeep(now)

    def makes_progress(self, now: Moment) -> bool:
        """Whether the recogniser turns, the committer commits or is idle, and every feed captures or waits.

        A dead camera, broker or disk is no reason to start anew; a thread that hangs for good is. One that
        only tells others, or writes down what was seen, is not: it is told as trouble.
        """
        before = self.heartbeats.wedged
        self.heartbeats.look(now)
        for name in set(self.heartbeats.wedged) - set(before):
            _LOG.error("%s has stopped turning: it hangs in a call that does not return", name)
        is_lost = any(capture.stuck_s(now) > LOST_AFTER_S for capture in self._captures)
        self.is_alive = not self.heartbeats.is_lost and not is_lost
        return self.is_alive

    def _hearts(self) -> Iterator[Heart]:
        """All threads that somebody would miss, as they are now."""
        committer = self._committer
        # The recogniser waits where the committer takes nothing, which is looked at for itself.
        waits = committer.is_stuck or committer.is_full
        yield Heart("recogniser", self._recogniser.beats, waits, WEDGED_AFTER_S, is_vital=True)
        yield Heart("committer", committer.beats, committer.is_idle, COMMIT_HANGS_AFTER_S, is_vital=True)
        yield Heart("gallery-watch", self._watch.beats, is_idle=False, patience_s=SILENT_AFTER_S)
        for status in self._publishing.status:
            yield Heart(f"sink {status.sink}", status.beats, is_idle=False, patience_s=SILENT_AFTER_S)
        if self._groups is not None:
            keeper = self._groups.keeper
            yield Heart("group-keeper", keeper.beats, not keeper.backlog.news, SILENT_AFTER_S)
        if self._serving is not None:
            clerk, historian = self._serving.clerk, self._serving.historian
            yield Heart("request-clerk", clerk.beats, clerk.is_idle, SILENT_AFTER_S)
            if historian is not None:
                yield Heart("historian", historian.beats, not historian.backlog.news, SILENT_AFTER_S)
        if self._syncing is not None:
            yield from self._syncing.hearts()
        if self.doors is not None:
            yield Heart("http", self.doors.beats, not self.doors.is_open, SILENT_AFTER_S)

    def _end_requests(self) -> None:
        if self.doors is not None and not self.doors.close(STOP_DOORS_S):
            _LOG.warning("Requests over HTTP were cut off by the stop")
        if self._serving is not None:
            self._serving.close_doors(STOP_DOORS_S)
            self._serving.stop_clerk(STOP_CLERK_S)

    def _end_replay(self) -> None:
        try:
            self._outbox.end_replay()
        except StoreError as error:
            _LOG.error("The next replay will have other ids: %s", error)

    def _let_sinks_finish(self, patience_s: float) -> None:
        """Give the last words (final jobs, nobody is there) time to go out now, not at the next start."""
        never = threading.Event()
        for _ in range(round(patience_s / LOOK_S)):
            if self._publishing.is_idle():
                return
            never.wait(LOOK_S)

    def states(self, now: Moment) -> list[FeedState]:
        """How the feeds are; any thread may ask."""
        return [
            self._pipelines[state.feed_id].added_to(state)
            for state in (capture.state(now) for capture in self._captures)
        ]


def _news_of(state: FeedState) -> tuple[object, ...]:
    """What of a state a reader would want to know at once."""
    return state.state, state.decoder, state.width_px, state.height_px, state.faults
