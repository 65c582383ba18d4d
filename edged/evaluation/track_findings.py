"""What came of the tracks and of the single images of labelled clips."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from edged.evaluation.rate import Finding, Rate, resampled_rate
from edged.evaluation.resampling import multiplicities


class Outcome(StrEnum):
    """What a track or an image came to. The set is closed."""

    RIGHT = "right name"
    WRONG = "wrong name"
    MISSED = "called unknown, though enrolled"
    UNDECIDED = "undecided, though enrolled"
    NOT_SEEN = "enrolled, and no track"
    REJECTED = "a stranger, not named"
    EMPTY = "nobody there, and no track"


class Seen(Finding, frozen=True, kw_only=True):
    """One track of one clip in one split, or one image of it."""

    split: int
    clip: str
    person: str
    enrolled: bool
    outcome: Outcome
    said: str = ""
    """The name, or unknown or undecided."""
    similarity: float | None = None
    at_ms: int | None = None
    """From the clip's first frame to the first decision, where there was one."""


class Tally(Finding, frozen=True, kw_only=True):
    """Tracks or images, counted."""

    counts: dict[str, int]
    """By outcome."""
    missed: Rate
    """Of those of enrolled people, the share without their name."""
    wrong: Rate
    """Of all, the share with a wrong name at any time."""
    strangers_named: Rate
    """Of those of strangers, the share with a name: FPIR at the configured level."""


class Clips(Finding, frozen=True, kw_only=True):
    """The clips of a list through the daemon's own pipeline."""

    clips: int
    people: int
    splits: int
    gallery: int
    """People enrolled in a split."""
    asked: float
    """The configured `recognition.false_accept`."""
    tracks: Tally
    images: Tally
    wrong: tuple[Seen, ...]
    """Every track with a wrong name."""
    missed: tuple[Seen, ...]
    """Every track without its name."""


def outcome_of(
    person: str, *, enrolled: bool, said: str | None, verdict: str, names: Sequence[str]
) -> Outcome:
    """The outcome of one track or image.

    Args:
        person: who it is.
        enrolled: whether they are.
        said: the name in the end, if any.
        verdict: known, unknown or undecided, in the end.
        names: every name that was ever told of it: a wrong one counts even when it was taken back.
    """
    if any(name != person or not enrolled for name in names):
        return Outcome.WRONG
    if not enrolled:
        return Outcome.REJECTED
    if said == person:
        return Outcome.RIGHT
    return Outcome.UNDECIDED if verdict == "undecided" else Outcome.MISSED


def tally(seen: Sequence[Seen], *, resamples: int, seed: int) -> Tally:
    """Count, with intervals that resample people."""
    counts = {str(outcome): 0 for outcome in Outcome}
    for one in seen:
        counts[str(one.outcome)] += 1
    friends = [one for one in seen if one.enrolled]
    strangers = [one for one in seen if not one.enrolled and one.outcome is not Outcome.EMPTY]
    return Tally(
        counts=counts,
        missed=_rate(friends, [one.outcome is not Outcome.RIGHT for one in friends], resamples, seed),
        wrong=_rate(seen, [one.outcome is Outcome.WRONG for one in seen], resamples, seed),
        strangers_named=_rate(
            strangers, [one.outcome is Outcome.WRONG for one in strangers], resamples, seed
        ),
    )


def _rate(seen: Sequence[Seen], events: Sequence[bool], resamples: int, seed: int) -> Rate:
    names = sorted({one.person for one in seen})
    person = np.array([names.index(one.person) for one in seen], np.int64)
    happened = np.array(events, np.float64)
    drawn = []
    for multiplicity in multiplicities(len(names), resamples, seed):
        weights = multiplicity[person]
        total = float(weights.sum())
        drawn.append(float(weights @ happened) / total if total else np.nan)
    # A clip that is shown to many galleries is still one clip.
    own = len({one.clip for one in seen})
    return resampled_rate(int(happened.sum()), len(seen), drawn, own)
