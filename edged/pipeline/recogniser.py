"""The one thread that runs the models: for all feeds and requests in turn; it owns the feeds' tracks."""

import logging
import threading
from collections.abc import Mapping
from typing import Final

from edged.domain.frame import Frame
from edged.domain.moment import Clock
from edged.pipeline.attendance import Attendance
from edged.pipeline.committer import Committer
from edged.pipeline.desk import PictureDesk
from edged.pipeline.fair_turns import FairTurns, Turn
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.feed_control import FeedControl
from edged.pipeline.galleries import Galleries
from edged.pipeline.slot import SlotRing
from edged.pipeline.stages import Stage, StageTimes
from edged.pipeline.workload import Workload
from edged.settings.requests import Requests
from edged.settings.root import Settings

TICK_S: Final = 0.2
"""How often time passes for feeds without frames."""

FAILURES_IN_A_ROW: Final = 25
"""So many frames that all failed are no accident: the daemon ends, and its service manager begins anew."""

_LOG = logging.getLogger(__name__)


class Recogniser(threading.Thread):
    """Takes frames from the slots, gives messages to the committer; between frames, works at the desk.

    A frame that fails is logged and passed over. When frames fail one after the other, `failure` is set and
    the thread ends.

    Args:
        desk: pictures of requests; it wakes this thread by nudging the slots. None where there are no
            requests.
        turns: shares the models' time between both.
        times: where it is noted how long frames take.
        control: which feeds are off; without it, none is.
        attendance: keeps who is in each namespace; without it, nobody does.
    """

    def __init__(
        self,
        slots: SlotRing,
        pipelines: Mapping[str, FeedPipeline],
        galleries: Galleries,
        committer: Committer,
        clock: Clock,
        desk: PictureDesk | None = None,
        turns: FairTurns | None = None,
        times: StageTimes | None = None,
        *,
        control: FeedControl | None = None,
        attendance: Attendance | None = None,
    ) -> None:
        super().__init__(name="recogniser", daemon=True)
        self._slots = slots
        self._pipelines = pipelines
        self._galleries = galleries
        self._committer = committer
        self._clock = clock
        self._desk = desk
        self._turns = turns or FairTurns(Requests().share)
        self._times = times or StageTimes()
        self._frame_times = self._times.histogram(Stage.FRAME)
        self._waits = self._times.histogram(Stage.WAIT)
        self._tellings = self._times.histogram(Stage.TELL)
        self.workload = Workload(pipelines)
        """What its time went to."""
        self._control = control or FeedControl(dict.fromkeys(pipelines, 1.0))
        self._attendance = attendance
        self._times_off = dict.fromkeys(pipelines, 0)
        self._stop_asked = threading.Event()
        self._failures = 0
        self.failure: BaseException | None = None
        self.all_ended = threading.Event()
        """Set when every feed has ended: only clips and folders do."""
        self.beats = 0
        """Counts the turns of the thread: whoever watches sees that it goes on."""

    def configure(self, settings: Settings) -> None:
        """Go on with other settings."""
        for pipeline in self._pipelines.values():
            pipeline.configure(settings)
        if self._attendance is not None:
            self._attendance.configure(settings.presence)

    def stop(self) -> None:
        """Ask the thread to close all sightings and end; `join` waits for it."""
        self._stop_asked.set()
        self._slots.close()

    def run(self) -> None:
        """The thread: until `stop`, or until frames fail one after the other."""
        try:
            for pipeline in self._pipelines.values():
                if pipeline.is_live:
                    self._committer.put(pipeline.begin(self._clock.moment()))
            if self._attendance is not None:
                self._attendance.begin(self._clock.moment())
            while not self._stop_asked.is_set():
                self._turn()
            for pipeline in self._pipelines.values():
                self._committer.put(pipeline.end(self._clock.moment()))
            if self._attendance is not None:
                self._attendance.end(self._clock.moment())
        except Exception as error:  # noqa: BLE001 - the thread's top: whatever it is, the main thread is told
            _LOG.exception("Recognition has stopped")
            self.failure = error

    def _turn(self) -> None:
        self.beats += 1
        self._heed_switches()
        if self._desk is None:
            self._serve_feeds()
        else:
            self._share(self._desk)
        now = self._clock.moment()
        for pipeline in self._pipelines.values():
            if pipeline.is_live and not pipeline.has_ended:
                gallery = self._galleries.current(pipeline.namespace)
                self._committer.put(pipeline.tick(now, gallery))
        if self._attendance is not None:
            self._attendance.look(now, self._galleries.current)

    def _heed_switches(self) -> None:
        """Let everybody go at the feeds that went off, were it for a moment only."""
        for feed_id, pipeline in self._pipelines.items():
            times_off = self._control.times_off(feed_id)
            if not pipeline.is_live or pipeline.has_ended or times_off == self._times_off[feed_id]:
                continue
            self._times_off[feed_id] = times_off
            now = self._clock.moment()
            self._committer.put(pipeline.switch_off(now))
            if self._attendance is not None:
                still_on = [one for one in self._pipelines if self._control.off(one) is None]
                self._attendance.switched_off(feed_id, now, still_on=still_on)

    def _share(self, desk: PictureDesk) -> None:
        turn = self._turns.next(frame_waits=self._slots.has_waiting, request_waits=desk.has_work)
        begun = self._clock.moment()
        if turn is Turn.REQUESTS:
            begun_ns = self._times.now_ns()
            desk.step()
            self.workload.worked_on_requests(self._times.now_ns() - begun_ns)
        else:
            self._serve_feeds()
        self._turns.took(self._clock.moment().steady_ms - begun.steady_ms)

    def _serve_feeds(self) -> None:
        taken = self._slots.take(TICK_S)
        if taken is None:
            return
        pipeline = self._pipelines[taken.feed_id]
        if taken.frame is None:
            self._committer.put(pipeline.end(self._clock.moment()))
            self._note_ended()
        elif not pipeline.is_live or self._control.is_for_use(taken.feed_id, taken.frame.times_off):
            self._guarded(pipeline, taken.frame)

    def _guarded(self, pipeline: FeedPipeline, frame: Frame) -> None:
        begun_ns = self._times.now_ns()
        if pipeline.is_live:
            self._waits.observe(self._ns_since(frame))
        try:
            messages = pipeline.process(frame, self._galleries.current(pipeline.namespace))
        except Exception:
            self._failures += 1
            if self._failures >= FAILURES_IN_A_ROW:
                raise
            if self._failures == 1:
                _LOG.exception("A frame of feed %s could not be looked at", frame.feed_id)
            return
        finally:
            took_ns = self._times.now_ns() - begun_ns
            self._frame_times.observe(took_ns)
            self.workload.looked_at(frame.feed_id, took_ns)
        self._failures = 0
        if messages and pipeline.is_live:
            self._tellings.observe(self._ns_since(frame))
        self._committer.put(messages)

    def _ns_since(self, frame: Frame) -> int:
        """How long ago a live feed's frame was captured."""
        return 1_000_000 * max(self._clock.moment().steady_ms - frame.at.steady_ms, 0)

    def _note_ended(self) -> None:
        if all(pipeline.has_ended for pipeline in self._pipelines.values()):
            self.all_ended.set()
