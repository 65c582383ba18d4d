"""A clip through the daemon's own pipeline, without threads: the same frames, the same decisions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from edged.domain.errors import CameraError, CameraFault, EndOfMediaError, InputError
from edged.domain.frame import Frame
from edged.domain.job import Job, Verdict
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.ports import Models, Source
from edged.pipeline.sampling import Sampler
from edged.recognition.gallery import Gallery
from edged.recognition.wire import Origin
from edged.settings.root import Settings

FEED_ID: Final = "evaluation"
_START_UTC_MS: Final = 946_684_800_000
"""2000-01-01, as clips that are replayed begin."""


@dataclass(slots=True)
class TrackTold:
    """What the jobs told of one track.

    Attributes:
        verdict: in the end.
        name: in the end, if known.
        names: every name that was told at any time.
        similarity: in the end.
        decided_ms: from the clip's first frame to the first telling of a decision.
    """

    verdict: Verdict = Verdict.UNDECIDED
    name: str | None = None
    names: list[str] = field(default_factory=list)
    similarity: float | None = None
    decided_ms: int | None = None


def frames_of(source: Source, path: Path, fps: float) -> Iterator[Frame]:
    """The frames of a clip that the daemon would look at, with the clip's own time; raises InputError.

    A frame that cannot be decoded is passed over; a clip that was cut off ends where it ends.
    """
    sampler, number = Sampler(fps), 0
    try:
        source.open()
        while True:
            at_s = source.grab() or 0.0
            if not sampler.is_due(at_s):
                continue
            try:
                pixels = source.retrieve()
            except CameraError as error:
                if error.fault is not CameraFault.NOT_VIDEO:
                    raise
                continue
            number += 1
            at_ms = round(at_s * 1000)
            yield Frame(FEED_ID, number, Moment(at_ms, _START_UTC_MS + at_ms), pixels)
    except EndOfMediaError:
        return
    except CameraError as error:
        raise InputError(f"{path} is no clip that can be read: {error.what}") from error
    finally:
        source.close()


def replay(settings: Settings, models: Models, frames: Iterable[Frame], gallery: Gallery) -> list[TrackTold]:
    """Every track that was told of, in the order of their first telling."""
    pipeline = FeedPipeline(Origin("evaluation", "evaluation", FEED_ID, 1, is_replay=True), settings, models)
    tracks: dict[str, TrackTold] = {}
    for frame in frames:
        _hear(tracks, pipeline.process(frame, gallery))
    _hear(tracks, pipeline.end(Moment(0, _START_UTC_MS)))
    return list(tracks.values())


def _hear(tracks: dict[str, TrackTold], messages: list[Message]) -> None:
    for message in messages:
        if message.kind is not MessageKind.JOB:
            continue
        job = msgspec.json.decode(message.body, type=Job)
        for image in job.images:
            for seen in image.objects:
                track = tracks.setdefault(seen.edge.track_id, TrackTold())
                track.verdict, track.name = seen.edge.decision, seen.edge.name
                track.similarity = seen.edge.similarity
                if track.verdict is not Verdict.UNDECIDED and track.decided_ms is None:
                    track.decided_ms = job.edge.updated_at - _START_UTC_MS
                if track.name is not None and track.name not in track.names:
                    track.names.append(track.name)
