"""What a group of unknown people is known by, and which of several a track is most alike."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from edged.domain.face import Embedding, Floats
from edged.recognition.calibration import Calibration


@dataclass(frozen=True, slots=True, eq=False)
class GroupTemplate:
    """The normalised mean of a group's means.

    Attributes:
        vector: unit length.
        effective: how many independent faces are behind it.
        crowding: what the crowd around it costs, see `Calibration.crowding`.
    """

    vector: Embedding
    effective: float
    crowding: float


class Templated(Protocol):
    """Something with a template, or none yet."""

    @property
    def template(self) -> GroupTemplate | None:
        """What it is known by."""
        ...


_Templated = TypeVar("_Templated", bound=Templated)


def mean_of(means: Sequence[tuple[Embedding, float]]) -> tuple[Embedding, float]:
    """One mean of K >= 1 (unit vector, effective faces), each of which counts the same.

    The effective number of faces behind a mean of k means, of e faces each, is k^2 / sum(1/e): that is how
    the variance of such a mean falls.
    """
    total = np.sum([mean for mean, _ in means], axis=0, dtype=np.float64)
    vector = np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)
    return vector, len(means) ** 2 / sum(1 / max(effective, 1.0) for _, effective in means)


def template_of(means: Sequence[tuple[Embedding, float]], calibration: Calibration) -> GroupTemplate | None:
    """The template of what a group has; None where it has no mean."""
    if not means:
        return None
    vector, effective = mean_of(means)
    return GroupTemplate(vector, effective, float(calibration.crowding(vector[None, :])[0]))


def most_alike(
    probe: Embedding,
    among: Iterable[_Templated],
    required: Callable[[float], float],
    calibration: Calibration,
) -> _Templated | None:
    """The most alike of those that are alike enough.

    Args:
        probe: unit length.
        among: who is looked at; without a template they are nobody.
        required: the similarity that is asked for, from the effective faces behind a template; least for 1.
        calibration: of the embedder.
    """
    found = [(one, one.template) for one in among]
    known = [(one, template) for one, template in found if template is not None]
    if not known:
        return None
    vectors = np.stack([template.vector for _, template in known])
    crowding = np.array([template.crowding for _, template in known], np.float32)
    own = float(calibration.crowding(probe[None, :])[0])
    similarities: Floats = vectors @ probe - crowding - own
    least = required(1.0)
    for row in np.argsort(-similarities, kind="stable"):
        if similarities[row] < least:
            break
        one, template = known[int(row)]
        if similarities[row] >= required(template.effective):
            return one
    return None
