"""Candidates of a detector, and how those of one face become one."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edged.domain.box import Box

MOST_CANDIDATES: Final = 400
"""Looked at in one frame, the best first: each is compared with every face found before it, and a detector
whose card is wrong may call everything a face."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face in pixels of the model's input.

    Attributes:
        score: 0 to 1.
        box: may reach outside the input.
        keypoints: six pairs x, y, one after the other, in the order of `edged.vision.keypoints`.
    """

    score: float
    box: Box
    keypoints: tuple[float, ...]


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The finite ones by score, at most MOST_CANDIDATES; equal scores keep their order."""
    sound = [candidate for candidate in candidates if _is_finite(candidate)]
    sound.sort(key=lambda candidate: -candidate.score)
    return sound[:MOST_CANDIDATES]


def merged(candidates: Sequence[Candidate], max_iou: float) -> Iterator[Candidate]:
    """One face for each cluster of overlapping candidates, which must come best first.

    Weighted suppression, as BlazeFace wants it: the best candidate takes all that overlap it by more than
    `max_iou` with it; box and keypoints become the means of the cluster, weighted by score; its own score
    stays. Then the best of those left does the same.
    """
    rest = list(candidates)
    while rest:
        best = rest[0]
        cluster = [best]
        others: list[Candidate] = []
        for candidate in rest[1:]:
            joins = best.box.iou(candidate.box) > max_iou
            (cluster if joins else others).append(candidate)
        yield _mean(cluster)
        rest = others


def suppressed(candidates: Sequence[Candidate], max_iou: float) -> Iterator[Candidate]:
    """The candidates, which must come best first, without those that overlap a better one by more.

    Plain greedy suppression, as SSD, YuNet and SCRFD are published with.
    """
    kept: list[Candidate] = []
    for candidate in candidates:
        if all(better.box.iou(candidate.box) <= max_iou for better in kept):
            kept.append(candidate)
            yield candidate


def _is_finite(candidate: Candidate) -> bool:
    box = candidate.box
    numbers = (candidate.score, box.x_min, box.y_min, box.x_max, box.y_max, *candidate.keypoints)
    return all(map(math.isfinite, numbers))


def _mean(cluster: list[Candidate]) -> Candidate:
    if len(cluster) == 1:
        return cluster[0]
    total = sum(candidate.score for candidate in cluster)
    weights = [candidate.score / total for candidate in cluster]

    def mean(numbers: Iterable[float]) -> float:
        return sum(map(float.__mul__, weights, numbers))

    boxes = [candidate.box for candidate in cluster]
    return Candidate(
        cluster[0].score,
        Box(
            mean(box.x_min for box in boxes),
            mean(box.y_min for box in boxes),
            mean(box.x_max for box in boxes),
            mean(box.y_max for box in boxes),
        ),
        tuple(map(mean, zip(*(candidate.keypoints for candidate in cluster), strict=True))),
    )
