"""The runtime and the models: whether they are themselves, what they give, and how fast."""

import statistics
from collections.abc import Iterator
from typing import Final

import cv2

from edged.app.checkup.finding import Check, Finding, doubtful, ill, well
from edged.domain.errors import EdgedError
from edged.inference.bench import Bench, Timing
from edged.inference.card import ModelCard
from edged.inference.catalogue import Catalogue, shipped_directory
from edged.inference.runtime import Runtime, find_runtime
from edged.inference.verify import verify
from edged.settings.feeds import Feed
from edged.settings.recognition import Models
from edged.system.clock import SystemStopwatch
from edged.system.memory import resident_bytes

_SECONDS: Final = 0.6
"""For timing all models of a configuration: enough to tell twice as slow from half as slow."""
_FAR_BEYOND: Final = 4.0
"""Times the others' ratio to their cards: the runtime has no good code for this one model here."""
_SLOW_MACHINE: Final = 40.0
"""Times the cards: slower than any machine that edged was made for."""
_WHOLE: Final = 0.9
"""Share of a core's time that the detector may take for the configured frames."""


def checks(models: Models, feeds: tuple[Feed, ...]) -> Iterator[tuple[str, Check]]:
    """The checks by name."""
    try:
        runtime = find_runtime()
        catalogue = Catalogue(models.directory)
        names = (
            catalogue.detector_for(models.detector, runtime.name).name,
            models.landmarks,
            catalogue.embedder_for(models.embedder, runtime.name).name,
        )
    except EdgedError as error:
        finding = ill("runtime", error.what, error.remedy)
        yield "runtime", lambda: [finding]
        return
    yield "runtime", lambda: [well("runtime", f"{runtime.name} {runtime.version}")]
    for name in names:
        yield f"model {name}", lambda name=name: _model(catalogue, name, runtime, models)  # type: ignore[misc]
    yield "speed", lambda: [_speed(catalogue, names, runtime, models, feeds)]


def _model(catalogue: Catalogue, name: str, runtime: Runtime, models: Models) -> Iterator[Finding]:
    """Whether it is itself (its hash is its card's) and gives what its card says."""
    what = f"model {name}"
    verdict = verify(catalogue, name, runtime, models)
    if verdict.works:
        seen = "; ".join(verdict.deviations) or "as its card says"
        by = verdict.delegate or f"the CPU with {models.threads} threads"
        yield well(what, f"{seen}; SHA-256 {catalogue.card(name).sha256[:12]}; computed by {by}")
    for remark in verdict.remarks:
        yield doubtful(what, remark, "see `models.delegate` in docs/models.md")
    for problem in verdict.problems:
        words, _, remedy = problem.partition("\n")
        yield ill(what, words, remedy.strip())


def _speed(
    catalogue: Catalogue, names: tuple[str, ...], runtime: Runtime, models: Models, feeds: tuple[Feed, ...]
) -> Finding:
    """Each model's time beside its card's, and whether the detector can keep up with the feeds.

    Cards know times of one machine. Another is so many times slower, much the same for all models: one
    that is far slower than the others runs without code made for this processor.
    """
    picture = cv2.imread(str(shipped_directory() / "reference" / "astronaut.jpg"))
    if picture is None:
        return ill("speed", "the reference picture cannot be read", "install edged again")
    measured = Bench(runtime, SystemStopwatch(), resident_bytes).measure(
        catalogue,
        picture,  # type: ignore[arg-type]
        threads=[models.threads],
        seconds=_SECONDS,
        chosen=models,
        names=names,
    )
    if measured.failures:
        return ill("speed", "; ".join(measured.failures.values()), "see `edged models verify`")
    # With a delegate both ways were timed; what is timed last is what runs.
    used = {timing.name: timing for timing in measured.timings}
    ratios = {
        name: timing.median_ms / known
        for name, timing in used.items()
        if (known := _known_ms(catalogue.card(name), runtime, timing))
    }
    seen = ", ".join(_in_words(timing, ratios.get(name)) for name, timing in used.items())
    return _judged(seen, ratios, used[names[0]], feeds)


def _judged(seen: str, ratios: dict[str, float], detector: Timing, feeds: tuple[Feed, ...]) -> Finding:
    possible = 1000 / detector.median_ms if detector.median_ms else 0.0
    wanted = sum(feed.fps for feed in feeds)
    seen += f"; the detector alone could look at {possible:.0f} frames/s, {wanted:g} are configured"
    if possible and wanted > possible * _WHOLE:
        return doubtful("speed", seen, "lower `fps` of the feeds, or see `edged models bench`")
    lowest = min(ratios.values(), default=0.0)
    far = [name for name, ratio in ratios.items() if ratio > _FAR_BEYOND * max(lowest, 0.5)]
    if far:
        return doubtful(
            "speed",
            f"{seen}; far beyond what its card says: {', '.join(far)}",
            "see `edged models bench`: another model or runtime may fit this processor better",
        )
    if ratios and statistics.median(ratios.values()) > _SLOW_MACHINE:
        return doubtful("speed", seen, "this machine is slow, hot or busy: see `heat`")
    return well("speed", seen)


def _in_words(timing: Timing, ratio: float | None) -> str:
    by = timing.delegate or f"{timing.threads} threads"
    beside = "" if ratio is None else f", {ratio:.1f} times its card's"
    return f"{timing.name} {timing.median_ms:.2f} ms ({by}{beside})"


def _known_ms(card: ModelCard, runtime: Runtime, timing: Timing) -> float | None:
    if timing.delegate:
        return None
    for known in card.timings:
        if known.runtime.split()[0] == runtime.name and known.threads == timing.threads:
            return known.median_ms
    return None
