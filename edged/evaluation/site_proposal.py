"""Whether a house's strangers ask for another `similarity_offset`, and for which."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edged.evaluation.offset import Offset, fitted_offset, groups_needed
from edged.evaluation.site_strangers import Stranger
from edged.recognition.calibration import Calibration

LEAST_CHANGE: Final = 0.002
"""A smaller change is not worth making: the calibration itself is known to no better than that."""

LOWEST: Final = -0.02
"""Never so much weaker is proposed, whatever the strangers were like so far."""

HIGHEST: Final = 0.05
"""The most that the setting takes."""


class Verdict(StrEnum):
    """What the strangers say. The set is closed."""

    NO_STRANGERS = "no groups of unknown people are kept"
    TOO_FEW = "there are too few strangers to tell"
    FITS = "the strangers resemble the enrolled people as often as the calibration says"
    LITTLE = "the difference is too small to act on"
    DOUBTFUL = "only groups that may be enrolled people themselves speak for it"
    STRICTER = "the strangers are more alike to the enrolled people than the calibration says"
    LAXER = "the strangers are less alike to the enrolled people than the calibration says"


@dataclass(frozen=True, slots=True)
class Advice:
    """What was found, and what to set; `value` is None where nothing is to be changed."""

    verdict: Verdict
    value: float | None = None
    found: Offset | None = None


def advice(
    strangers: Sequence[Stranger], doubtful: frozenset[str], calibration: Calibration, present: float
) -> Advice:
    """Say what offset the strangers ask for.

    Args:
        strangers: groups that nobody enrolled is in, as far as can be told.
        doubtful: ids of those of them that may be enrolled people whom the daemon missed.
        calibration: of the embedder.
        present: the offset as it is set.
    """
    if not strangers:
        return Advice(Verdict.NO_STRANGERS)
    if len(strangers) < groups_needed(strangers[0].newest.enrolled):
        return Advice(Verdict.TOO_FEW)
    found = fitted_offset(strangers, calibration)
    if found.low <= present <= found.high:
        return Advice(Verdict.FITS, found=found)
    if found.high < present:
        return _laxer(found, present)
    return _stricter(found, [one for one in strangers if one.group_id not in doubtful], calibration, present)


def _laxer(found: Offset, present: float) -> Advice:
    # The careful end of the interval: an even chance to be too lax is no good reason to open the door.
    value = max(round(found.high, 3), LOWEST)
    if present - value < LEAST_CHANGE:
        return Advice(Verdict.LITTLE, found=found)
    return Advice(Verdict.LAXER, value, found)


def _stricter(found: Offset, certain: Sequence[Stranger], calibration: Calibration, present: float) -> Advice:
    value = min(round(found.value, 3), HIGHEST)
    if value - present < LEAST_CHANGE:
        return Advice(Verdict.LITTLE, found=found)
    # People who were missed look like themselves. If that made it stricter, more of them would be missed.
    if not certain or fitted_offset(certain, calibration).low <= present:
        return Advice(Verdict.DOUBTFUL, found=found)
    return Advice(Verdict.STRICTER, value, found)
