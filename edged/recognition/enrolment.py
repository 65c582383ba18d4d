"""Which faces stand for a person: the best and most varied of what was handed over, if it is one person.

Similarities here compare material whose number of faces varies from one to dozens, so the limits are those
of single pictures, the most lenient. Source: 4,602 photographs of 2,548 people (LFW, people A to L), embedded
by the shipped recipe: of 4,951 pairs of one person 0.4 % are below .90 and 2.8 % below .92; of pairs of two
people 97.2 % and 99.7 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edged.domain.face import Chip, Embedding, Floats, Quality
from edged.domain.identity import GalleryChange
from edged.recognition.calibration import Calibration, spread_of
from edged.recognition.gallery import Gallery, Match

MOST_FACES: Final = 8
"""Enrolled from one request: more of one day add nothing to the mean that stands for a person."""

DIFFERENT_BELOW: Final = 0.90
"""Material so unalike is not of one person."""

DOUBTFUL_BELOW: Final = 0.92
"""Material so unalike is said aloud."""

_NOVEL_FROM: Final = 0.05
"""A face that differs less from one already chosen adds nothing."""

_FULL_DISTANCE: Final = 0.05
"""Distance (1 - cosine) of two faces of one person that counts as wholly different: the median of LFW's
pairs of one person is .043."""
_FULL_TURN_DEG: Final = 30.0
_FULL_TIME_S: Final = 5.0

_THE_SAME_FROM: Final = 0.9999
"""The same chip embedded twice; the next frame of a clip is less alike."""

_LIKENESS: Final = 1e-3
"""Share of strangers who would be taken for somebody: more alike is said aloud."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A face that could be enrolled.

    Attributes:
        file: which of the files handed over it is from, counted from 0.
        at_s: its time in a clip; None in a picture.
        quality: how good it is.
        chip: its aligned crop; None where it is not at hand.
        embedding: unit length.
    """

    file: int
    at_s: float | None
    quality: Quality
    chip: Chip | None
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Odd:
    """A file whose faces are not like those of the others.

    Attributes:
        file: which, counted from 0.
        similarity: of its faces' mean to the mean of all others.
    """

    file: int
    similarity: float

    @property
    def is_different(self) -> bool:
        """Whether it is somebody else, and not only doubtful."""
        return self.similarity < DIFFERENT_BELOW


def best_and_varied(candidates: Sequence[Candidate], most: int = MOST_FACES) -> list[Candidate]:
    """At most `most` faces, the best first, then always the one that is good and adds most to the chosen.

    Farthest-point sampling weighed with quality: a face's worth is its quality times its difference from
    the nearest one chosen, in embedding, pose and time alike. Near repetitions are left out.
    """
    if not candidates:
        return []
    rest = sorted(candidates, key=lambda one: -one.quality.score)
    chosen = [rest.pop(0)]
    novelty = [difference(one, chosen[0]) for one in rest]
    while rest and len(chosen) < most:
        worth = [one.quality.score * new for one, new in zip(rest, novelty, strict=True)]
        best = max(range(len(rest)), key=worth.__getitem__)
        if novelty[best] < _NOVEL_FROM:
            # The most worthy is a repetition; a worse but newer face may still be there.
            rest.pop(best)
            novelty.pop(best)
            continue
        chosen.append(rest.pop(best))
        novelty.pop(best)
        novelty = [min(new, difference(one, chosen[-1])) for one, new in zip(rest, novelty, strict=True)]
    return chosen


def difference(one: Candidate, other: Candidate) -> float:
    """How different two faces are, 0 to 1: the mean of embedding, pose and time, each 0 to 1."""
    distance = (1 - float(one.embedding @ other.embedding)) / _FULL_DISTANCE
    turn_deg = abs(one.quality.yaw_deg - other.quality.yaw_deg) + abs(
        one.quality.pitch_deg - other.quality.pitch_deg
    )
    return (min(1.0, max(0.0, distance)) + min(1.0, turn_deg / _FULL_TURN_DEG) + _apart(one, other)) / 3


def _apart(one: Candidate, other: Candidate) -> float:
    if one.file != other.file or one.at_s is None or other.at_s is None:
        return 1.0
    return min(1.0, abs(one.at_s - other.at_s) / _FULL_TIME_S)


def mean_of(candidates: Sequence[Candidate]) -> Embedding:
    """The normalised mean of at least one embedding: what would stand for them in a gallery."""
    total: Floats = np.sum([one.embedding for one in candidates], axis=0, dtype=np.float32)
    return total / np.float32(max(float(np.linalg.norm(total)), 1e-9))


def odd_files(candidates: Sequence[Candidate]) -> list[Odd]:
    """Files whose faces are doubtfully or certainly not of the person in all the others, the oddest first.

    Each file's mean is compared with the mean of the others' means, so that a long clip does not outvote
    three pictures. Of two files that differ, nobody can say which is wrong: the second one is told.
    """
    files = sorted({one.file for one in candidates})
    if len(files) < 2:  # noqa: PLR2004 (one file has nothing to differ from)
        return []
    means = np.array([mean_of([one for one in candidates if one.file == file]) for file in files])
    odd = []
    for row, file in enumerate(files):
        others = np.delete(means, row, axis=0).sum(axis=0)
        similarity = float(means[row] @ others) / max(float(np.linalg.norm(others)), 1e-9)
        if similarity < DOUBTFUL_BELOW:
            odd.append(Odd(file, similarity))
    if len(files) == 2:  # noqa: PLR2004
        odd = odd[-1:]
    return sorted(odd, key=lambda one: one.similarity)


def likeness(
    everybody: GalleryChange,
    candidates: Sequence[Candidate],
    calibration: Calibration,
    *,
    besides: str = "",
) -> Match | None:
    """Who enrolled already looks so much like these faces that they would be taken for one another.

    `everybody` is the namespace's whole gallery; `besides` is the id of the person they are enrolled for.
    None where nobody does. The limit is the recogniser's for strangers taken for somebody 1 in 1000.
    """
    others = tuple(one for one in everybody.changed if one.identity.id != besides)
    gallery = Gallery.empty(calibration).with_change(GalleryChange(everybody.revision, others, ()))
    if not candidates or not others:
        return None
    match = gallery.best_match(mean_of(candidates))
    if match is None:
        return None
    spread = spread_of(np.array([one.embedding for one in candidates]))
    required = calibration.required_similarity(
        _LIKENESS,
        enrolled=len(others),
        pictures=match.pictures,
        faces=calibration.effective(len(candidates), spread),
    )
    return match if match.adjusted >= required else None


def not_among(faces: Floats, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that are not, to the last digits, among K x EMBEDDING_SIZE enrolled embeddings."""
    return [one for one in candidates if float((faces @ one.embedding).max()) < _THE_SAME_FROM]


def similarity_to(faces: Floats, candidates: Sequence[Candidate]) -> float:
    """Cosine of the candidates' mean and the mean of K x EMBEDDING_SIZE enrolled embeddings."""
    enrolled = faces.sum(axis=0)
    return float(mean_of(candidates) @ enrolled) / max(float(np.linalg.norm(enrolled)), 1e-9)


def least_similarity(candidates: Sequence[Candidate]) -> float:
    """Cosine of the two faces that are least alike; 1 for a single face."""
    matrix = np.array([one.embedding for one in candidates])
    return float((matrix @ matrix.T).min()) if len(candidates) > 1 else 1.0
