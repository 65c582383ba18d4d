"""Faces, people and frames for tests of decisions."""

from typing import Any

import numpy as np

from edged.domain.box import Box
from edged.domain.face import EMBEDDING_SIZE, Detection, Embedding, Face, Floats, Quality
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.domain.job import Verdict
from edged.domain.moment import Moment
from edged.recognition.calibration import Calibration, CohortFile, Statistics
from edged.recognition.decision import Decision, Rule
from edged.recognition.gallery import Gallery
from edged.recognition.sighting import Observation
from edged.settings.recognition import Recognition


def at(ms: int) -> Moment:
    """The instant `ms` after a fixed one."""
    return Moment(steady_ms=ms, utc_ms=1_487_648_348_000 + ms)


def an_embedding(*leaning: tuple[int, float]) -> Embedding:
    """A unit vector: the first axis, leaning by the given amounts to other axes."""
    vector = np.zeros(EMBEDDING_SIZE, np.float32)
    vector[0] = 1.0
    for axis, amount in leaning:
        vector[axis] = amount
    vector /= np.linalg.norm(vector)
    return vector


def at_cosine(axis: int, cosine: float) -> Embedding:
    """A unit vector with that cosine to the first axis, leaning to `axis`."""
    vector = np.zeros(EMBEDDING_SIZE, np.float32)
    vector[0] = cosine
    vector[axis] = np.sqrt(1 - cosine**2)
    return vector


def an_identity(name: str = "Ada", *, number: int = 1) -> Identity:
    """A person; the number makes the id."""
    return Identity(f"00000000-0000-4000-8000-{number:012d}", name, None, created_ms=0, updated_ms=0, faces=1)


def a_calibration(prototypes: Floats | None = None) -> Calibration:
    """A calibration like the shipped one's, of vectors that are nobody's; by default without a cohort."""
    cohort = None if prototypes is None else CohortFile(file="", sha256="", weight=0.3, nearest=1, usual=0.5)
    statistics = Statistics(
        data="",
        photographs=0,
        people=0,
        made_by="",
        apart=0.043,
        tail=(-2.24, -0.2187, 0.0107, 0.1514, -0.0133),
        belief=(-10.4, -3.08, 2.92),
        cohort=cohort,
    )
    none = np.empty((0, EMBEDDING_SIZE), np.float32)
    return Calibration(statistics, none if prototypes is None else prototypes)


def a_rule(calibration: Calibration | None = None, **settings: Any) -> Rule:
    """The rule of these recognition settings."""
    return Rule(Recognition(**settings), calibration or a_calibration())


def a_gallery(*people: tuple[Identity, list[Embedding]], calibration: Calibration | None = None) -> Gallery:
    """A gallery of these people."""
    changed = tuple(IdentityFaces(identity, np.stack(faces)) for identity, faces in people)
    return Gallery.empty(calibration or a_calibration()).with_change(GalleryChange(1, changed, ()))


def a_quality(score: float = 0.8) -> Quality:
    """A good face's quality."""
    return Quality(
        score=score,
        rejections=(),
        size_px=30,
        sharpness=100,
        brightness=120,
        contrast=40,
        yaw_deg=0,
        pitch_deg=0,
        roll_deg=0,
    )


def a_face(
    *, x: float = 100, y: float = 100, side: float = 50, score: float = 0.9, quality: float = 0.8
) -> Face:
    """A face in a frame."""
    detection = Detection(Box(x, y, x + side, y + side), np.zeros((6, 2), np.float32), score)
    return Face(detection, a_quality(quality))


def known(identity: Identity, similarity: float = 0.98) -> Decision:
    """The decision that it is this person."""
    return Decision(Verdict.KNOWN, identity, similarity, margin=0.05, confidence=0.99)


UNKNOWN = Decision(Verdict.UNKNOWN, similarity=0.85, margin=0.02)
UNDECIDED = Decision(Verdict.UNDECIDED)


def an_observation(track: str = "t1", decision: Decision = UNDECIDED, **face: float) -> Observation:
    """A track seen in a frame."""
    return Observation(track, a_face(**face), decision)
