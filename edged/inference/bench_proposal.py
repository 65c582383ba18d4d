"""What the timings of a machine speak for: which detector, which embedder, how many threads, and why.

A model is only proposed where it was made for the installed runtime, and a detector only where it finds what
the present one finds: faces near and far. How fast a model is says nothing about what it finds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edged.inference.bench import Timing
from edged.inference.card import DetectorHead, ModelCard
from edged.inference.catalogue import AUTO

NOISY = 0.25
"""Spread from which on a timing says more about the machine's other work than about the model."""
CLEAR_GAIN = 0.1
"""Share of the time that a change must save to be worth it."""
THREAD_GAIN = 0.2
"""The same for one more thread, which takes a processor from everybody else."""
DEFAULT_THREADS = 2
EMBEDDINGS = 2
"""Runs of the embedder for a face: the chip and its mirror image."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting, its value, and why in a sentence."""

    key: str
    value: str | int
    reason: str


@dataclass(frozen=True, slots=True)
class Present:
    """What `auto` takes now: the names of detector, landmark model and embedder."""

    detector: str
    landmarks: str
    embedder: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Settings of `models`, and what else a person should know before they follow it."""

    choices: tuple[Choice, ...]
    remarks: tuple[str, ...]


def proposed(
    cards: Mapping[str, ModelCard], timings: Sequence[Timing], runtime: str, present: Present
) -> Proposal:
    """What to set.

    Args:
        cards: by name, of the models that may be proposed; timings of others are passed over.
        timings: of `Bench`.
        runtime: name of the package that ran them.
        present: what is taken without any proposal; it need not be among the timings.
    """
    delegated = [timing for timing in timings if timing.delegate]
    timings = [timing for timing in timings if timing.name in cards and not timing.delegate]
    threads = _threads(timings, present)
    here = [timing for timing in timings if timing.threads == threads.value]
    fitting = [timing for timing in here if _is_made_for(cards[timing.name], runtime)]
    far = [timing for timing in fitting if _reach(cards[timing.name]) == "far"]
    embedders = [timing for timing in fitting if timing.role == "embedder"]
    embedder = _choice("embedder", embedders, present.embedder, "with these weights")
    return Proposal(
        (_choice("detector", far, present.detector, "that find faces near and far"), embedder, threads),
        (
            *_noise(here),
            *_nearer(cards, fitting, far),
            *_another_embedder(embedder, present.embedder),
            *_delegated(delegated, here),
        ),
    )


def _choice(key: str, fitting: Sequence[Timing], present: str, which: str) -> Choice:
    now = next((timing for timing in fitting if timing.name == present), None)
    if now is None:
        return Choice(key, AUTO, f"{present} could not be timed")
    best = min(fitting, key=lambda timing: timing.median_ms)
    if best.name == present:
        return Choice(key, AUTO, f"{present}, {now.median_ms:.2f} ms: the fastest of those {which}")
    if 1 - best.median_ms / now.median_ms < max(CLEAR_GAIN, best.spread, now.spread):
        told = (
            f"{present}, {now.median_ms:.2f} ms; {best.name} is not clearly faster: {best.median_ms:.2f} ms"
        )
        return Choice(key, AUTO, told)
    told = f"{best.median_ms:.2f} ms instead of {now.median_ms:.2f} ms with {present}; one of those {which}"
    return Choice(key, best.name, told)


def _threads(timings: Sequence[Timing], present: Present) -> Choice:
    """As few as take hardly longer: of a frame with one face that is looked at closely and embedded."""
    frame: dict[int, float] = {}
    weights = {present.detector: 1, present.landmarks: 1, present.embedder: EMBEDDINGS}
    for timing in timings:
        share = weights.get(timing.name, 0) * timing.median_ms
        frame[timing.threads] = frame.get(timing.threads, 0.0) + share
    if not frame:
        return Choice("threads", DEFAULT_THREADS, "nothing could be timed")
    counts = sorted(frame)
    best = counts[0]
    for count in counts[1:]:
        if frame[count] < frame[best] * (1 - THREAD_GAIN):
            best = count
    told = ", ".join(f"{frame[count]:.2f} ms with {count}" for count in counts)
    return Choice("threads", best, f"a frame with one face takes {told}")


def _noise(timings: Sequence[Timing]) -> Iterator[str]:
    noisy = [timing for timing in timings if timing.spread > NOISY]
    if noisy:
        worst = max(noisy, key=lambda timing: timing.spread)
        yield (
            f"the machine is too busy to tell: {len(noisy)} of {len(timings)} models took other times in"
            f" other rounds ({worst.name} by {worst.spread:.0%}); stop what else runs, or measure longer"
        )


def _nearer(
    cards: Mapping[str, ModelCard], fitting: Sequence[Timing], far: Sequence[Timing]
) -> Iterator[str]:
    near = [timing for timing in fitting if _reach(cards[timing.name]) == "near"]
    if near and far:
        best = min(near, key=lambda timing: timing.median_ms)
        if best.median_ms < min(timing.median_ms for timing in far):
            yield (
                f"{best.name} takes {best.median_ms:.2f} ms, and is not proposed: it only finds faces within"
                " about two metres; name it yourself where nobody is farther away"
            )


def _another_embedder(choice: Choice, present: str) -> Iterator[str]:
    if choice.value != AUTO:
        yield (
            "embeddings of two models are never compared: with another embedder than"
            f" {present} the gallery is embedded again"
        )


def _delegated(delegated: Sequence[Timing], here: Sequence[Timing]) -> Iterator[str]:
    """What a delegate gives; one that leaves all to the CPU loads well and is seen by its time alone."""
    on_cpu = {timing.name: timing.median_ms for timing in here}
    for timing in delegated:
        told = f"{timing.name} takes {timing.median_ms:.2f} ms with {timing.delegate}"
        if timing.name in on_cpu:
            told += f", and {on_cpu[timing.name]:.2f} ms on the CPU"
        yield told


def _is_made_for(card: ModelCard, runtime: str) -> bool:
    return not card.runtimes or runtime in card.runtimes


def _reach(card: ModelCard) -> str | None:
    return card.head.reach if isinstance(card.head, DetectorHead) else None
