"""The parts of a daemon whose counters are read for metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edged.app.governing import Governing
from edged.app.machinery import Machinery
from edged.app.serving import Serving
from edged.app.surroundings import Surroundings
from edged.pipeline.capture import CaptureThread
from edged.pipeline.committer import Committer
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.workload import Workload
from edged.publish.assembly import Publishing


@dataclass(frozen=True, slots=True)
class Measured:
    """The parts whose counters are read."""

    around: Surroundings
    serving: Serving | None
    machinery: Machinery
    governing: Governing
    publishing: Publishing
    committer: Committer
    workload: Workload
    pipelines: Mapping[str, FeedPipeline]
    captures: Sequence[CaptureThread]
