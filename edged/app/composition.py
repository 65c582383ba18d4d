"""The composition root: from settings to running parts, in the order in which they need each other."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from edged.app.machinery import Machinery
from edged.app.reembedding import Progress
from edged.app.serving import Serving
from edged.app.surroundings import Surroundings, make_surroundings, takes_requests
from edged.camera.factory import make_source
from edged.domain.message import Message
from edged.domain.moment import Clock
from edged.pipeline.capture import CaptureThread
from edged.pipeline.committer import Committer
from edged.pipeline.fair_turns import FairTurns
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.ports import Source
from edged.pipeline.recogniser import Recogniser
from edged.publish.assembly import Publishing, make_publishing
from edged.recognition.wire import Origin
from edged.settings.root import Settings
from edged.system.chance import jitter

_LOG = logging.getLogger(__name__)


def assemble(
    settings: Settings,
    data_dir: Path,
    clock: Clock,
    on_commit: Callable[[Sequence[Message]], None] | None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Machinery:
    """Make every part, start none. What the last run left open is closed; raises `EdgedError`.

    `tell` hears how far it is where faces have to be embedded anew, which may take minutes.
    """
    around = make_surroundings(settings, data_dir, clock, on_commit, tell)
    serving = Serving(around) if takes_requests(settings) else None
    if serving is not None:
        serving.prepare(clock.moment())
    publishing = around.bell.publishing = _publishing(around, serving)
    committer = Committer(around.outbox, clock, jitter, around.bell.committed)
    sources = {feed.id: make_source(feed.source, data_dir, clock) for feed in settings.feeds}
    pipelines = _pipelines(around, serving, sources)
    desk = serving.desk if serving else None
    turns = FairTurns(settings.requests.share)
    stop_capture = threading.Event()
    machinery = Machinery(
        settings=settings,
        device=around.device,
        outbox=around.outbox,
        publishing=publishing,
        committer=committer,
        groups=around.groups,
        serving=serving,
        watch=around.watch,
        recogniser=Recogniser(around.slots, pipelines, around.galleries, committer, clock, desk, turns),
        pipelines=pipelines,
        captures=[
            CaptureThread(
                feed, sources[feed.id], around.slots, clock, jitter, around.device, stop_capture, _LOG
            )
            for feed in settings.feeds
        ],
        stop_capture=stop_capture,
        remarks=around.models.remarks,
    )
    if serving is not None:
        serving.make_server(lambda: machinery.is_alive, machinery.troubles)
    return machinery


def _publishing(around: Surroundings, serving: Serving | None) -> Publishing:
    return make_publishing(
        around.settings.sinks,
        around.outbox,
        attempts=around.settings.outbox.attempts,
        device=around.device,
        clock=around.clock,
        jitter=jitter,
        requests=serving.request_taker if serving else None,
        hooks=serving.hook_pool if serving else None,
    )


def _pipelines(
    around: Surroundings, serving: Serving | None, sources: dict[str, Source]
) -> dict[str, FeedPipeline]:
    replay = 0 if all(source.is_live for source in sources.values()) else around.outbox.begin_replay()
    pipelines = {}
    for feed in around.settings.feeds:
        is_replay = not sources[feed.id].is_live
        run = replay if is_replay else around.run
        origin = Origin(around.device, feed.namespace, feed.id, run, is_replay)
        unknown = around.groups.people_of(feed) if around.groups else None
        history = serving.history_of(feed) if serving else None
        pipelines[feed.id] = FeedPipeline(origin, around.settings, around.models, unknown, history)
    return pipelines
