"""Figures of the feeds, and of what is recognised in them."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import Metric

from edged.app.measured import Measured
from edged.app.metric_family import counter, gauge, histogram
from edged.domain.errors import CameraFault
from edged.domain.feed_state import FeedState
from edged.domain.moment import Moment
from edged.pipeline.feed_control import Off
from edged.pipeline.feed_status import CAPTURING, ENDED, STARTING

_STATES: Final = (STARTING, CAPTURING, ENDED, *(fault.value for fault in CameraFault), *map(str, Off))
_FEED: Final = ("feed",)


def feeds(measured: Measured, now: Moment) -> Iterator[Metric]:
    """How each feed is, and what became of its frames."""
    states = measured.machinery.states(now)
    yield gauge(
        "feed_info",
        "1; who decodes the feed, and its namespace",
        ("feed", "namespace", "decoder"),
        (((one.feed_id, one.namespace, one.decoder), 1) for one in states),
    )
    yield gauge(
        "feed_state",
        "1 for the state that the feed is in, 0 for the others",
        ("feed", "state"),
        (
            ((one.feed_id, state), float(state == one.state))
            for one in states
            for state in dict.fromkeys((*_STATES, one.state))
        ),
    )
    yield gauge(
        "feed_frames_per_second",
        "Frames handed on in a second, over the last ten seconds",
        _FEED,
        (((one.feed_id,), one.fps) for one in states),
    )
    yield gauge(
        "feed_frames_per_second_configured",
        "Frames a second that the feed is to have",
        _FEED,
        (((feed.id,), feed.fps) for feed in measured.around.settings.feeds),
    )
    yield gauge(
        "feed_frames_per_second_allowed",
        "Frames a second that the feed may have now: fewer while the machine is hot or out of time",
        _FEED,
        (((feed_id,), fps) for feed_id, fps in measured.governing.fps.items()),
    )
    yield gauge(
        "feed_last_frame_age_seconds",
        "Age of the last frame; absent before the first",
        _FEED,
        (
            ((one.feed_id,), one.last_frame_age_ms / 1000)
            for one in states
            if one.last_frame_age_ms is not None
        ),
    )
    yield from _counts_of_frames(measured, states)
    yield from _counts_of_faults(measured, states, now)
    yield from _slots(measured, now)


def _counts_of_frames(measured: Measured, states: list[FeedState]) -> Iterator[Metric]:
    work = {one.feed_id: measured.workload.of_feed(one.feed_id, one.dropped) for one in states}
    yield counter(
        "feed_frames_captured", "Frames captured", _FEED, (((one.feed_id,), one.frames) for one in states)
    )
    yield counter(
        "feed_frames_looked_at",
        "Frames that the recogniser looked at",
        _FEED,
        (((feed,), one.looked) for feed, one in work.items()),
    )
    yield counter(
        "feed_frames_dropped",
        "Frames that a newer one replaced before their turn",
        _FEED,
        (((one.feed_id,), one.dropped) for one in states),
    )
    yield counter(
        "feed_busy_seconds",
        "Time of the recogniser's thread that the feed took",
        _FEED,
        (((feed,), one.busy_s) for feed, one in work.items()),
    )


def _counts_of_faults(measured: Measured, states: list[FeedState], now: Moment) -> Iterator[Metric]:
    stuck = {
        one.feed_id
        for one, capture in zip(states, measured.captures, strict=True)
        if capture.stuck_s(now) > 0
    }
    yield counter(
        "feed_faults",
        "Faults of the feed's source, by kind",
        ("feed", "fault"),
        (
            # A call that has not returned is among the state's faults already, and counted when it ends.
            ((one.feed_id, fault), count - (one.feed_id in stuck and fault == CameraFault.SILENT.value))
            for one in states
            for fault, count in one.faults.items()
        ),
    )
    yield counter(
        "feed_reconnections",
        "How often the source was opened again",
        _FEED,
        (((one.feed_id,), one.reconnections) for one in states),
    )
    yield counter(
        "feed_resolution_changes",
        "How often the picture's size changed while the source was open",
        _FEED,
        (((one.feed_id,), one.resolution_changes) for one in states),
    )


def _slots(measured: Measured, now: Moment) -> Iterator[Metric]:
    waiting = {feed: measured.around.slots.waiting(feed) for feed in measured.pipelines}
    yield gauge(
        "feed_frames_waiting",
        "1 while a frame waits in the feed's slot",
        _FEED,
        (((feed,), float(frame is not None)) for feed, frame in waiting.items()),
    )
    yield gauge(
        "feed_frame_waiting_age_seconds",
        "Age of the frame in a live feed's slot; 0 while there is none",
        _FEED,
        (
            ((feed,), 0.0 if frame is None else max(now.steady_ms - frame.at.steady_ms, 0) / 1000)
            for feed, frame in waiting.items()
            if measured.pipelines[feed].is_live
        ),
    )


def recognition(measured: Measured) -> Iterator[Metric]:
    """What was made of the faces, and how long each stage took."""
    pipelines = measured.pipelines
    yield counter(
        "faces_rejected",
        "Faces that were not good enough to be recognised, by reason; under each of several",
        ("feed", "reason"),
        (
            ((feed, str(reason)), count)
            for feed, pipeline in pipelines.items()
            for reason, count in dict(pipeline.rejected).items()
        ),
    )
    yield counter(
        "tracks_refused",
        "Tracks that were never believed to be faces, by reason",
        ("feed", "reason"),
        (
            ((feed, str(reason)), count)
            for feed, pipeline in pipelines.items()
            for reason, count in dict(pipeline.refused).items()
        ),
    )
    yield counter(
        "track_takeovers",
        "Tracks that were split because somebody else had them",
        _FEED,
        (((feed,), pipeline.takeovers) for feed, pipeline in pipelines.items()),
    )
    yield counter(
        "decisions",
        "Decisions of tracks; undecided: ended without one",
        ("feed", "verdict"),
        (
            ((feed, verdict), pipeline.decided[verdict])
            for feed, pipeline in pipelines.items()
            for verdict in ("known", "unknown", "undecided")
        ),
    )
    yield gauge(
        "people",
        "People who can be recognised",
        ("namespace",),
        (
            ((namespace,), len(measured.around.galleries.current(namespace)))
            for namespace in dict.fromkeys(pipeline.namespace for pipeline in pipelines.values())
        ),
    )
    yield histogram(
        "stage_seconds",
        "How long each stage of a frame takes",
        "stage",
        {stage.value: held for stage, held in measured.around.times.durations().items()},
    )
