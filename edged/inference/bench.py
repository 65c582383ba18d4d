"""Times models on this machine: all of them in turns, so that what else the machine does meets all alike."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from edged.domain.errors import ModelError
from edged.domain.frame import Pixels
from edged.inference.card import ModelCard, Role
from edged.inference.catalogue import Catalogue
from edged.inference.delegate import NetworkLoader
from edged.inference.pixel_scale import PixelScale
from edged.inference.runtime import Network, Runtime
from edged.settings import recognition as settings

ROUNDS = 6
_LEAST_RUNS, _MOST_RUNS = 3, 60
"""Of one candidate in one round."""
_NS_PER_MS = 1e6


class Stopwatch(Protocol):
    """Whoever knows how long something took."""

    def wall_ns(self) -> int:
        """Nanoseconds since some fixed start."""
        ...

    def cpu_ns(self) -> int:
        """Nanoseconds that this process, all its threads together, has had a processor."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """What runs of one model with so many threads took, without the picture's way into its input.

    Attributes:
        name: of the model.
        role: of the model.
        threads: that it might use.
        runs: that were timed.
        median_ms: of a run.
        p95_ms: of a run: one in twenty took longer.
        cpu_ms: processor time of a run, all threads together, mean.
        spread: how far the rounds' medians lie apart, as a share of their median. A round is a moment: in a
            quiet machine they are alike.
        memory_bytes: what the process grew by when it was loaded and ran once.
        delegate: who computed it, by the name of its library; empty where the CPU did.
    """

    name: str
    role: Role
    threads: int
    runs: int
    median_ms: float
    p95_ms: float
    cpu_ms: float
    spread: float
    memory_bytes: int
    delegate: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """All timings; for each model that does not run here why, by its name; what was said of the delegate."""

    timings: tuple[Timing, ...]
    failures: dict[str, str]
    remarks: tuple[str, ...] = ()


class Bench:
    """Measures for about as long as it is told.

    Args:
        runtime: that runs the models.
        stopwatch: the machine's, or one that is moved by hand.
        resident_bytes: how much memory the process has now.
    """

    def __init__(self, runtime: Runtime, stopwatch: Stopwatch, resident_bytes: Callable[[], int]) -> None:
        self._runtime = runtime
        self._stopwatch = stopwatch
        self._resident_bytes = resident_bytes

    def measure(
        self,
        catalogue: Catalogue,
        picture: Pixels,
        *,
        threads: Sequence[int],
        seconds: float,
        chosen: settings.Models | None = None,
        names: Sequence[str] | None = None,
    ) -> Measured:
        """Time every model of the catalogue with each number of threads, and with the delegate where one is.

        Args:
            catalogue: the models.
            picture: any, blue-green-red; what is in it hardly matters for the time.
            threads: numbers to try.
            seconds: for all of it, without loading. Slow models are run a few times all the same.
            chosen: names the delegate, and says which models it is for.
            names: of the models, instead of all.
        """
        delegating = NetworkLoader(catalogue, self._runtime, chosen or settings.Models())
        failures: dict[str, str] = {}
        subjects: list[_Subject] = []
        for name in catalogue.names() if names is None else names:
            try:
                card = catalogue.card(name)
                for count in threads:
                    on_cpu = NetworkLoader(catalogue, self._runtime, settings.Models(threads=count))
                    subjects.append(self._subject(on_cpu, card, count, picture))
                if chosen is not None and chosen.delegate is not None:
                    delegated = self._subject(delegating, card, chosen.threads, picture)
                    subjects.extend([delegated] if delegated.network.delegate else [])
            except ModelError as error:
                failures[name] = error.what
        slice_ns = seconds * 1e9 / (ROUNDS * max(1, len(subjects)))
        for _ in range(ROUNDS):
            for subject in subjects:
                subject.rounds.append(tuple(self._round(subject, slice_ns)))
        return Measured(tuple(map(_timing, subjects)), failures, tuple(delegating.remarks))

    def _subject(self, loader: NetworkLoader, card: ModelCard, threads: int, picture: Pixels) -> "_Subject":
        before = self._resident_bytes()
        network = loader.load(card)
        network.expect_square(card.head.input_px)
        scale = PixelScale(card.head.input_scale, network.input_type())
        square = cv2.resize(picture, (card.head.input_px, card.head.input_px), interpolation=cv2.INTER_AREA)
        subject = _Subject(card, threads, network, scale, cv2.cvtColor(square, cv2.COLOR_BGR2RGB))  # type: ignore[arg-type]
        subject.run()
        subject.memory_bytes = max(0, self._resident_bytes() - before)
        return subject

    def _round(self, subject: "_Subject", slice_ns: float) -> Iterator[tuple[int, int]]:
        """Wall and processor time of each run, in nanoseconds; the first run only warms up the caches."""
        end = self._stopwatch.wall_ns() + slice_ns
        subject.run()
        for number in range(_MOST_RUNS):
            if number >= _LEAST_RUNS and self._stopwatch.wall_ns() >= end:
                return
            subject.show()
            cpu, wall = self._stopwatch.cpu_ns(), self._stopwatch.wall_ns()
            subject.network.run()
            yield self._stopwatch.wall_ns() - wall, self._stopwatch.cpu_ns() - cpu


class _Subject:
    """One model with one number of threads, loaded, and what was measured of it."""

    def __init__(
        self, card: ModelCard, threads: int, network: Network, scale: PixelScale, square: Pixels
    ) -> None:
        self.card = card
        self.threads = threads
        self.network = network
        self.rounds: list[tuple[tuple[int, int], ...]] = []
        self.memory_bytes = 0
        self._scale = scale
        self._square = square

    def show(self) -> None:
        """Write the picture into the input, whose memory a run may have used for something else."""
        self._scale.write(self._square, self.network.input())

    def run(self) -> None:
        """Once, with the picture."""
        self.show()
        self.network.run()


def _timing(subject: _Subject) -> Timing:
    rounds = [np.array([wall for wall, _ in taken]) / _NS_PER_MS for taken in subject.rounds]
    walls = np.concatenate(rounds)
    medians = np.array([np.median(taken) for taken in rounds])
    cpu = np.mean([cpu for taken in subject.rounds for _, cpu in taken]) / _NS_PER_MS
    median = float(np.median(walls))
    return Timing(
        subject.card.name,
        subject.card.role,
        subject.threads,
        runs=len(walls),
        median_ms=median,
        p95_ms=float(np.percentile(walls, 95)),
        cpu_ms=float(cpu),
        spread=float(medians.max() - medians.min()) / median if median else 0.0,
        memory_bytes=subject.memory_bytes,
        delegate=subject.network.delegate,
    )
