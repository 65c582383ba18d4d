"""Which of several ways to decode is kept, once each was tried. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_KEEPS_RATE: Final = 0.9
"""Share of the best rate that a way must reach: one that cannot follow the camera is no choice."""

_AS_CHEAP: Final = 1.1
"""What costs up to so many times the least counts as equal: another measurement could turn them round."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one way.

    Attributes:
        cpu_ms: processor time a frame, of the thread that takes the frames and of whatever decodes for it.
        fps: frames that came in a second; 0 where they do not come at a pace of their own.
    """

    cpu_ms: float
    fps: float


@dataclass(frozen=True, slots=True)
class Trial:
    """How one way did.

    Attributes:
        way: which one.
        words: who really decoded, or why nobody did.
        figures: None of a way that failed.
    """

    way: str
    words: str
    figures: Figures | None = None


def best(trials: Sequence[Trial]) -> Trial | None:
    """The cheapest that keeps the rate; of those as cheap the first. None where all failed."""
    good = [(trial, trial.figures) for trial in trials if trial.figures is not None]
    if not good:
        return None
    least_fps = _KEEPS_RATE * max(figures.fps for _, figures in good)
    keeping = [(trial, figures) for trial, figures in good if figures.fps >= least_fps]
    dearest_ms = _AS_CHEAP * min(figures.cpu_ms for _, figures in keeping)
    return next(trial for trial, figures in keeping if figures.cpu_ms <= dearest_ms)


def reasons(trials: Sequence[Trial], chosen: Trial) -> str:
    """All figures in a line, the chosen way's first, for the log."""
    others = [trial for trial in trials if trial != chosen]
    return "; ".join(_told(trial) for trial in (chosen, *others))


def _told(trial: Trial) -> str:
    if trial.figures is None:
        return f"{trial.way} fails: {trial.words}"
    rate = f" at {trial.figures.fps:.1f} fps" if trial.figures.fps else ""
    return f"{trial.words} takes {trial.figures.cpu_ms:.1f} ms of CPU a frame{rate}"
