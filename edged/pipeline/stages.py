"""How long each stage of a frame takes: histograms that cost next to nothing to write."""

import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BOUNDS_NS: Final = tuple(
    round(seconds * 1e9)
    for seconds in (
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0
    )
)  # fmt: skip
"""Upper ends of the buckets: from a motion gate on a small frame to a commit on a worn-out card."""


class Stage(StrEnum):
    """What is timed; the words of the metric's label."""

    DECODE = "decode"
    """A captured picture is decoded. Where a program of its own decodes, it is copied from its pipe."""
    WAIT = "wait"
    """From the capture of a live feed's frame to its turn at the models: decoding, waiting in the slot."""
    GATE = "gate"
    """Does anything move?"""
    DETECT = "detect"
    LANDMARKS = "landmarks"
    EMBED = "embed"
    """The three models, those runs included that requests have."""
    DECIDE = "decide"
    """A good face is compared with those enrolled, and its track decided."""
    FRAME = "frame"
    """All of a frame, from its turn to what is told of it."""
    TELL = "capture_to_told"
    """From the capture of a live feed's frame to the messages that came of it."""
    COMMIT = "commit"
    """Messages go into the outbox, and to the disk."""


@dataclass(frozen=True, slots=True)
class Durations:
    """What a histogram held at one moment.

    Attributes:
        counts: durations by bucket, of `BOUNDS_NS` and one for what is longer.
        sum_s: of all of them.
    """

    counts: tuple[int, ...]
    sum_s: float


class Histogram:
    """Durations, counted in fixed buckets. One thread writes, any reads."""

    __slots__ = ("_counts", "_sum_ns")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_NS) + 1)
        self._sum_ns = 0

    def observe(self, ns: int) -> None:
        """Count a duration."""
        self._counts[bisect_left(BOUNDS_NS, ns)] += 1
        self._sum_ns += ns

    @property
    def durations(self) -> Durations:
        """What it holds now."""
        return Durations(tuple(self._counts), self._sum_ns / 1e9)


class Watch:
    """Times what is done within `with`. Belongs to one thread, and is not entered twice."""

    __slots__ = ("_begun_ns", "_histogram", "_now_ns")

    def __init__(self, histogram: Histogram, now_ns: Callable[[], int]) -> None:
        self._histogram = histogram
        self._now_ns = now_ns
        self._begun_ns = 0

    def __enter__(self) -> None:
        self._begun_ns = self._now_ns()

    def __exit__(self, *_: object) -> None:
        self._histogram.observe(self._now_ns() - self._begun_ns)


class StageTimes:
    """The histograms of all stages; each writing thread has its own.

    Args:
        now_ns: nanoseconds of a steady clock.
    """

    def __init__(self, now_ns: Callable[[], int] = lambda: 0) -> None:
        self.now_ns = now_ns
        self._lock = threading.Lock()
        self._histograms: list[tuple[Stage, Histogram]] = []

    def histogram(self, stage: Stage) -> Histogram:
        """A new histogram of a stage, for one thread to write."""
        made = Histogram()
        with self._lock:
            self._histograms.append((stage, made))
        return made

    def watch(self, stage: Stage) -> Watch:
        """A watch that writes such a histogram."""
        return Watch(self.histogram(stage), self.now_ns)

    def durations(self) -> dict[Stage, Durations]:
        """Of all stages, those of all threads together; any thread may ask."""
        with self._lock:
            histograms = tuple(self._histograms)
        found: dict[Stage, Durations] = {}
        for stage, histogram in histograms:
            held, one = found.get(stage), histogram.durations
            if held is not None:
                counts = tuple(map(sum, zip(held.counts, one.counts, strict=True)))
                one = Durations(counts, held.sum_s + one.sum_s)
            found[stage] = one
        return found
