"""The composition root: from settings to running parts, in the order in which they need each other."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edged.app.cleaning import Cleaning
from edged.app.device_report import DeviceReport
from edged.app.doors import Doors
from edged.app.governing import Governing
from edged.app.machinery import Machinery
from edged.app.measured import Measured
from edged.app.metrics import exposition
from edged.app.reembedding import Progress
from edged.app.serving import Serving
from edged.app.surroundings import Surroundings, make_surroundings, served_namespaces, takes_requests
from edged.app.switchboard import Switchboard
from edged.app.sync_starting import SyncStarter, is_wanted
from edged.app.sync_told import SyncTeller
from edged.app.sync_watch import SyncWatch
from edged.camera.factory import make_source
from edged.domain.embedder import EmbedderInUse
from edged.domain.message import Message
from edged.domain.moment import Clock
from edged.pipeline.attendance import Attendance
from edged.pipeline.capture import CaptureThread
from edged.pipeline.committer import Committer
from edged.pipeline.face_picture import FacePicture
from edged.pipeline.fair_turns import FairTurns
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.ports import Source
from edged.pipeline.recogniser import Recogniser
from edged.pipeline.timed import TimedSource
from edged.publish.assembly import Publishing, make_publishing
from edged.recognition.wire import Origin
from edged.settings.feeds import Feed
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.store.feed_switches import FeedSwitches
from edged.system.chance import jitter
from edged.system.clock import local_time
from edged.system.thermal import Heat, Thermometer

if TYPE_CHECKING:
    from edged.app.syncing import Syncing

_LOG = logging.getLogger(__name__)


def assemble(
    settings: Settings,
    data_dir: Path,
    clock: Clock,
    on_commit: Callable[[Sequence[Message]], None] | None,
    tell: Callable[[Progress], None] = lambda _: None,
    sensors: Callable[[], Heat] | None = None,
) -> Machinery:
    """Make every part, start none. What the last run left open is closed; raises `EdgedError`.

    `tell` hears how far it is where faces have to be embedded anew, which may take minutes. `sensors` reads
    the machine's heat; without it the kernel's are read.
    """
    around = make_surroundings(settings, data_dir, clock, on_commit, tell)
    serving = Serving(around) if takes_requests(settings) else None
    if serving is not None:
        serving.prepare(clock.moment())
    switches = _Switches()
    publishing = around.bell.publishing = _publishing(around, serving, switches.ask)
    committer = Committer(around.outbox, clock, jitter, around.bell.committed, around.times)
    sources: dict[str, Source] = {
        feed.id: TimedSource(make_source(feed.source, data_dir, clock), around.times)
        for feed in settings.feeds
    }
    board = switches.board = _switchboard(around, sources, publishing)
    pipelines = _pipelines(around, serving, sources, publishing)
    recogniser = _recogniser(around, serving, pipelines, committer, publishing)
    governing = _governing(around, sources, recogniser, sensors or Thermometer().read)
    sync_watch = SyncWatch(around.sync_board, SyncTeller(data_dir))
    syncing = SyncStarter(settings, data_dir, lambda: _syncing(around))
    stop_capture = threading.Event()
    captures = _captures(around, sources, stop_capture)
    machinery = Machinery(
        settings=settings,
        device=around.device,
        outbox=around.outbox,
        publishing=publishing,
        committer=committer,
        groups=around.groups,
        serving=serving,
        watch=around.watch,
        recogniser=recogniser,
        pipelines=pipelines,
        captures=captures,
        stop_capture=stop_capture,
        rounds=[board, governing, syncing, sync_watch, lambda now: device_report(now)],  # noqa: PLW0108 - it is made later
        cleaning=_cleaning(around, serving),
        slowed=lambda: governing.slowed,
        remarks=around.models.remarks,
        sync_remarks=sync_watch.remarks,
        syncing=syncing,
    )
    device_report = _device_report(around, governing, machinery, publishing)
    measured = Measured(
        around, serving, machinery, governing, publishing, committer, recogniser.workload, pipelines, captures
    )
    machinery.doors = _doors(around, serving, machinery, lambda: exposition(measured))
    return machinery


def _syncing(around: Surroundings) -> "Syncing":
    """What keeps namespaces in step with other nodes; raises ConfigurationError for an unclear broker."""
    # Only who syncs has it, and what it stands on, in memory.
    from edged.app.sync_reembedding import background_reembedding  # noqa: PLC0415
    from edged.app.syncing import SyncGround, Syncing  # noqa: PLC0415
    from edged.system.chance import new_id  # noqa: PLC0415

    ground = SyncGround(
        around.settings,
        around.data_dir,
        around.device,
        EmbedderInUse(around.models.embedder.model_hash, around.models.embedding_size),
        around.clock,
        around.key,
        around.outbox,
        around.watch.wake,
        background_reembedding(
            around.settings.models,
            around.data_dir,
            around.models.embedder.model_hash,
            around.clock,
            new_id,
            around.watch.wake,
            around.key,
        ),
    )
    return Syncing(ground, around.sync_board)


def _governing(
    around: Surroundings, sources: Mapping[str, Source], recogniser: Recogniser, sensors: Callable[[], Heat]
) -> Governing:
    return Governing(
        around.settings,
        around.control,
        around.slots,
        recogniser.workload,
        sensors,
        replays=[feed_id for feed_id, source in sources.items() if not source.is_live],
    )


def _device_report(
    around: Surroundings, governing: Governing, machinery: Machinery, publishing: Publishing
) -> DeviceReport:
    return DeviceReport(
        around.device,
        governing,
        around.outbox.messages,
        machinery.trouble,
        publishing.report_device,
        around.sync_board.standings,
    )


def _recogniser(
    around: Surroundings,
    serving: Serving | None,
    pipelines: Mapping[str, FeedPipeline],
    committer: Committer,
    publishing: Publishing,
) -> Recogniser:
    presence = around.settings.presence
    return Recogniser(
        around.slots,
        pipelines,
        around.galleries,
        committer,
        around.clock,
        serving.desk if serving else None,
        FairTurns(around.settings.requests.share),
        around.times,
        control=around.control,
        attendance=Attendance(around.device, presence, pipelines, publishing.report_namespace),
    )


def _captures(
    around: Surroundings, sources: Mapping[str, Source], stop: threading.Event
) -> list[CaptureThread]:
    return [
        CaptureThread(
            feed,
            sources[feed.id],
            around.slots,
            around.clock,
            jitter,
            around.device,
            stop,
            _LOG,
            control=around.control,
        )
        for feed in around.settings.feeds
    ]


def _doors(
    around: Surroundings, serving: Serving | None, machinery: Machinery, metrics: Callable[[], bytes]
) -> Doors | None:
    if around.settings.http is None:
        return None
    return Doors(
        around.settings.http,
        around.clock,
        alive=lambda: machinery.is_alive,
        troubles=machinery.troubles,
        metrics=metrics,
        api=serving.backend() if serving else None,
    )


def _cleaning(around: Surroundings, serving: Serving | None) -> Cleaning:
    return Cleaning(
        around.settings,
        around.data_dir,
        served_namespaces(around.settings),
        around.clock,
        around.tally,
        keeps_history=serving is not None and serving.historian is not None,
    )


class _Switches:
    """Takes what comes in over MQTT; made before the switchboard, which tells the sinks."""

    def __init__(self) -> None:
        self.board: Switchboard | None = None

    def ask(self, feed_id: str, is_on: bool) -> None:  # noqa: FBT001 - the sinks' callback
        if self.board is not None:
            self.board.ask(feed_id, is_on)


def _switchboard(around: Surroundings, sources: Mapping[str, Source], publishing: Publishing) -> Switchboard:
    """How the switches and the hours stand is in force when this returns."""
    board = Switchboard(
        [feed for feed in around.settings.feeds if sources[feed.id].is_live],
        around.control,
        FeedSwitches(around.data_dir),
        lambda feed_id, is_on: publishing.report_enabled(feed_id, is_on=is_on),
        local_time,
    )
    board.begin(around.clock.moment())
    return board


def _publishing(
    around: Surroundings, serving: Serving | None, switch: Callable[[str, bool], None]
) -> Publishing:
    return make_publishing(
        around.settings.sinks,
        around.outbox,
        attempts=around.settings.outbox.attempts,
        device=around.device,
        clock=around.clock,
        jitter=jitter,
        requests=serving.request_taker if serving else None,
        hooks=serving.hook_pool if serving else None,
        feeds=around.settings.feeds,
        ledger=around.outbox,
        switch=switch,
        synced=served_namespaces(around.settings) if is_wanted(around.settings, around.data_dir) else (),
    )


def _pipelines(
    around: Surroundings, serving: Serving | None, sources: dict[str, Source], publishing: Publishing
) -> dict[str, FeedPipeline]:
    replay = 0 if all(source.is_live for source in sources.values()) else around.outbox.begin_replay()
    pipelines = {}
    for feed in around.settings.feeds:
        is_replay = not sources[feed.id].is_live
        run = replay if is_replay else around.run
        origin = Origin(around.device, feed.namespace, feed.id, run, is_replay)
        unknown = around.groups.people_of(feed) if around.groups else None
        history = serving.history_of(feed) if serving else None
        picture = None if is_replay else _picture(around, feed, publishing)
        pipelines[feed.id] = FeedPipeline(
            origin, around.settings, around.models, unknown, history, around.times, picture
        )
    return pipelines


def _picture(around: Surroundings, feed: Feed, publishing: Publishing) -> FacePicture | None:
    """What shows the last decided face, where a sink is to show it."""
    sinks = [sink for sink in around.settings.sinks if isinstance(sink, MqttSink)]
    if all(sink.image == "none" for sink in sinks):
        return None
    return FacePicture(feed.namespace, feed.id, publishing.show_face, publishing.hide_face)
