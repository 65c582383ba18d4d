"""What a similarity is worth: thresholds for a chosen false-accept rate, and calibrated confidence.

Cosines of face embedders crowd together, and the same cosine means different things: it depends on how many
pictures are behind a template and how many faces in a probe (noise averages out), on how many people are
enrolled (each is one more chance to be mistaken), and on how many other people look like the two that are
compared. An embedder's card holds what was measured of all that; here it becomes decisions. See
docs/recognition.md for the data, and for what else was tried.
"""

import math
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from edged.domain.face import Floats

LEAST_GALLERY: Final = 20
"""A smaller gallery counts as so large. People at one camera share its light and its angle and are more
alike than the strangers that were measured."""

MOST_CONFIDENCE: Final = 0.999
"""A fit to some thousand people knows no more than this."""

_DECADES: Final = (0.5, 14.0)
"""-log10 of the share of strangers accepted in one comparison: beyond these nothing is said."""
_MEASURED: Final = 7.0
"""Beyond this decade there is no measurement: the curve goes on as straight as it was there."""
_CERTAIN: Final = -9.0
"""log10 of a false-accept rate below which confidence grows no more."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a card. Refuses fields it does not know."""


class CohortFile(_Part, frozen=True, kw_only=True):
    """Prototypes of many people's faces, none of them a person: how crowded is it around a face?"""

    file: str
    """NumPy file beside the card: prototypes x size of an embedding, float16, unit length."""
    sha256: str
    weight: float
    """How much similarity one unit of crowding costs, on each side."""
    nearest: int
    """So many of the nearest prototypes are averaged."""
    usual: float
    """Crowding of a usual face: there, similarity is taken as it is."""


class Distribution(_Part, frozen=True, kw_only=True):
    """How similar templates and probes of one kind are, after the cohort's adjustment."""

    pictures: int
    """Photographs behind each template."""
    faces: int
    """Photographs in each probe."""
    pairs: int
    share_below: dict[str, float]
    """Similarity that the named share of the pairs stays below."""


class Statistics(_Part, frozen=True, kw_only=True):
    """What was measured of an embedder: part of its card."""

    data: str
    """Which photographs, embedded how."""
    photographs: int
    people: int
    made_by: str
    apart: float
    """Distance (1 - cosine) of two photographs of one person on average: two faces of a track that are much
    closer are hardly more than one."""
    tail: tuple[float, float, float, float, float]
    """Strangers: log(1 - similarity) = t0 + t1 d + t2 d² + u (t3 + t4 d), where one comparison in 10^d is as
    similar or more, and u = 1 / pictures + 1 / faces."""
    belief: tuple[float, float, float]
    """Log odds that a match is right = b0 + b1 log10(false-accept rate) + b2 u."""
    """Of decades up to seven; beyond, the curve goes on straight."""
    cohort: CohortFile | None = None
    strangers: tuple[Distribution, ...] = ()
    same_person: tuple[Distribution, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a tail by which rarer mistakes would ask for less similarity."""
        _, t1, t2, _, t4 = self.tail
        if any(t1 + t4 * noise + 2 * t2 * _MEASURED >= 0 for noise in (0.0, 2.0)):
            raise ValueError("`tail` does not fall: measure the model on more people")
        if not 0 < self.apart < 2:  # noqa: PLR2004 - the most that a cosine distance can be
            raise ValueError("`apart` is no distance of photographs")


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """An embedder's statistics, ready to decide by.

    Attributes:
        statistics: from the card.
        prototypes: P x embedding size float32, unit length; P is 0 without a cohort.
    """

    statistics: Statistics
    prototypes: Floats

    # --- how crowded it is around a face

    def crowding(self, vectors: Floats) -> Floats:
        """What the crowd around each of N x size unit vectors costs, N float32: 0 for a usual face.

        A face that many others resemble (the mean similarity to its nearest prototypes is high) is taken for
        somebody else more easily, so more similarity is asked of it: adaptive cohort normalisation, with
        prototypes in the cohort's place. It evens out the false-accept rate among faces, and with it 1.5
        times as many mistakes per threshold are avoided as without (docs/recognition.md).
        """
        cohort = self.statistics.cohort
        if cohort is None or not len(self.prototypes):
            return np.zeros(len(vectors), np.float32)
        similarities = vectors @ self.prototypes.T
        nearest = np.partition(similarities, -cohort.nearest, axis=1)[:, -cohort.nearest :]
        cost: Floats = np.float32(cohort.weight) * (nearest.mean(axis=1) - np.float32(cohort.usual))
        return cost

    # --- how much the evidence counts

    def effective(self, count: int, spread: float) -> float:
        """How many independent faces `count` correlated ones are worth, 1 to `count`.

        `spread` is their mean pairwise distance (1 - cosine). Faces as different as photographs of one person
        usually are count in full; repetitions of one count as one.
        """
        if count <= 1:
            return 1.0
        return 1.0 + (count - 1) * min(1.0, max(0.0, spread) / self.statistics.apart)

    # --- from a rate to a similarity, and back

    def required_similarity(
        self, false_accept: float, *, enrolled: int, pictures: float, faces: float
    ) -> float:
        """Least similarity, adjusted for crowding, at which a probe is taken for an enrolled person.

        Args:
            false_accept: share of strangers' tracks that may be taken for somebody, above 0, below 1.
            enrolled: people in the gallery, at least 1.
            pictures: effective pictures behind the template, at least 1.
            faces: effective faces in the probe, at least 1.
        """
        # Each of the enrolled is one chance to be mistaken.
        one = -math.expm1(math.log1p(-false_accept) / max(enrolled, LEAST_GALLERY))
        decade = min(max(-math.log10(one), _DECADES[0]), _DECADES[1])
        return 1 - math.exp(self._tail(pictures, faces).at(decade))

    def false_accept_at(self, similarity: float, *, enrolled: int, pictures: float, faces: float) -> float:
        """Share of strangers' tracks that would be taken for somebody if this adjusted similarity sufficed.

        The inverse of `required_similarity`, 0 to 1.
        """
        decade = self._tail(pictures, faces).decade_of(math.log(max(1 - similarity, 1e-12)))
        one = 10.0 ** -min(max(decade, _DECADES[0]), _DECADES[1])
        return -math.expm1(max(enrolled, LEAST_GALLERY) * math.log1p(-one))

    def confidence(self, similarity: float, *, enrolled: int, pictures: float, faces: float) -> float:
        """How likely a match is right, 0 to .999, where friends and strangers come equally often."""
        rate = self.false_accept_at(similarity, enrolled=enrolled, pictures=pictures, faces=faces)
        rarity = max(math.log10(max(rate, 1e-300)), _CERTAIN)
        offset, slope, less = self.statistics.belief
        odds = offset + slope * rarity + less * (1 / pictures + 1 / faces)
        return min(MOST_CONFIDENCE, 1 / (1 + math.exp(min(-odds, 500.0))))

    def _tail(self, pictures: float, faces: float) -> "_Tail":
        t0, t1, t2, t3, t4 = self.statistics.tail
        noise = 1 / pictures + 1 / faces
        return _Tail(t0 + t3 * noise, t1 + t4 * noise, t2)


@dataclass(frozen=True, slots=True)
class _Tail:
    """Log distance over the decade: a parabola as far as was measured, and its tangent beyond."""

    constant: float
    linear: float
    square: float

    def at(self, decade: float) -> float:
        inside = min(decade, _MEASURED)
        return self.constant + inside * (self.linear + inside * self.square) + (decade - inside) * self._slope

    def decade_of(self, log_distance: float) -> float:
        end = self.at(_MEASURED)
        if log_distance <= end:
            return _MEASURED + (log_distance - end) / self._slope
        rest = self.constant - log_distance
        if abs(self.square) < 1e-9:  # noqa: PLR2004
            return -rest / self.linear
        # The falling branch; its tangent at the end falls too, so the root is real.
        inside = self.linear * self.linear - 4 * self.square * rest
        return (-self.linear - math.sqrt(max(inside, 0.0))) / (2 * self.square)

    @property
    def _slope(self) -> float:
        return self.linear + 2 * self.square * _MEASURED


def spread_of(embeddings: Floats) -> float:
    """Mean pairwise distance (1 - cosine) of N x size unit vectors; 0 for a single one."""
    count = len(embeddings)
    if count < 2:  # noqa: PLR2004
        return 0.0
    total = embeddings.sum(axis=0, dtype=np.float64)
    return float(max(0.0, 1 - (total @ total - count) / (count * (count - 1))))
