"""Everything that an evaluation found, as its JSON has it."""

from collections.abc import Mapping, Sequence

import numpy as np

from edged.evaluation.folds import Accuracy
from edged.evaluation.open_set import OpenSet
from edged.evaluation.rate import Finding
from edged.evaluation.track_findings import Clips
from edged.evaluation.verification import Verification


class Pictures(Finding, frozen=True, kw_only=True):
    """What the pictures of a data set gave."""

    pictures: int
    people: int
    embedded: int
    resumed: int
    """Taken from the work folder."""
    ways: dict[str, int]
    """How their faces were found."""
    with_several_faces: int
    rejections: dict[str, int]
    """Faces that the daemon would not embed, by reason; they are embedded here all the same."""
    rejected: int
    """How many faces those are."""
    left_out: int
    """Of those, not evaluated, because only good faces were asked for."""
    duplicates: int
    """Pictures whose file has the same content as another one's."""
    unreadable: tuple[str, ...]


class Stage(Finding, frozen=True, kw_only=True):
    """Time of one stage, of the pictures whose face the daemon's own detector finds."""

    stage: str
    median_ms: float
    p95_ms: float
    pictures: int


class PairProtocol(Finding, frozen=True, kw_only=True):
    """LFW's protocol."""

    pairs: int
    folds: int
    pictures: int
    accuracies: tuple[Accuracy, ...]
    """All pairs by the best crop to be had, first."""
    verifications: tuple[Verification, ...]
    """Strangers are all pairs of two people among the pictures; genuine pairs are all, or the protocol's."""


class Evaluation(Finding, frozen=True, kw_only=True):
    """One run of `edged evaluate`."""

    edged: str
    at_ms: int
    """UTC milliseconds."""
    dataset: str
    embedder: str
    """SHA-256 of the embedder's file."""
    false_accept: float
    """The configured `recognition.false_accept`."""
    seed: int
    resamples: int
    pictures: Pictures | None = None
    stages: tuple[Stage, ...] = ()
    protocol: PairProtocol | None = None
    verifications: tuple[Verification, ...] = ()
    """All pairs of a folder or file, as the daemon compares them, and by the plain cosine."""
    open_set: tuple[OpenSet, ...] = ()
    clips: Clips | None = None
    notes: tuple[str, ...] = ()
    """What was passed over, and what the data do not allow."""


def stages_of(times: Sequence[Mapping[str, float]]) -> tuple[Stage, ...]:
    """Median and 95th percentile of each stage and of all together, in the order of the stages."""
    named: dict[str, list[float]] = {}
    for one in times:
        for stage, ms in one.items():
            named.setdefault(stage, []).append(ms)
        if one:
            named.setdefault("all stages", []).append(sum(one.values()))
    if "all stages" in named:
        named["all stages"] = named.pop("all stages")
    return tuple(
        Stage(
            stage=stage,
            median_ms=float(np.median(values)),
            p95_ms=float(np.quantile(values, 0.95)),
            pictures=len(values),
        )
        for stage, values in named.items()
    )
