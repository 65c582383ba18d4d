"""Houses whose strangers come by a calibration, moved by a known amount."""

import math

import numpy as np

from builders.recognition import a_calibration, an_identity
from edged.domain.face import EMBEDDING_SIZE, Embedding
from edged.domain.group import KeptGroup, KeptTrack
from edged.domain.identity import Identity
from edged.evaluation.site import EnrolledPerson, Site
from edged.recognition.calibration import LEAST_GALLERY, Calibration

_LEANING = EMBEDDING_SIZE - 1
"""The axis that a person's two faces lean to, one each way."""


def along(axis: int) -> Embedding:
    """The unit vector of an axis."""
    vector = np.zeros(EMBEDDING_SIZE, np.float32)
    vector[axis] = 1.0
    return vector


def a_person(
    number: int, *, apart: float = 0.1, faces: int = 2, name: str = "", occasions: tuple[str, ...] = ()
) -> EnrolledPerson:
    """Somebody on an axis of their own; faces lean away from it by `apart`, one each way in turn."""
    rows = []
    for face in range(faces):
        vector = along(number) + (-1) ** face * apart * along(_LEANING - face // 2)
        rows.append(vector / np.linalg.norm(vector))
    return EnrolledPerson(
        an_identity(name or f"person {number}", number=number),
        np.array(rows, np.float32),
        occasions or tuple(f"{face}.jpg" for face in range(faces)),
    )


def a_group(number: int, *means: Embedding, effective: float = 1.0) -> KeptGroup:
    """A group with a track for each mean, the newest last."""
    tracks = tuple(
        KeptTrack(f"track {number}-{row}", row, row * 1000, row * 1000 + 500, mean, effective)
        for row, mean in enumerate(means)
    )
    return KeptGroup(f"{number:08d}-0000-4000-8000-000000000000", 0, len(means) * 1000, len(means), tracks)


def looking_like(number: int, similarity: float, *, seed: int = 0) -> Embedding:
    """Somebody of that cosine to a person's axis, and of none to anybody else's."""
    chance = np.random.default_rng((seed, number)).normal(size=EMBEDDING_SIZE)
    chance[:40] = 0.0
    chance[-8:] = 0.0
    chance /= np.linalg.norm(chance)
    vector = similarity * along(number) + math.sqrt(1 - similarity**2) * chance
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def a_house(
    strangers: int, *, offset: float = 0.0, people: int = LEAST_GALLERY, seed: int = 1, tracks: int = 1
) -> Site:
    """People, and strangers who are more alike to them than the calibration says, by the offset."""
    calibration = a_calibration()
    everybody = tuple(a_person(number) for number in range(people))
    pictures = calibration.effective(2, 2 * 0.1**2 / (1 + 0.1**2))
    random = np.random.default_rng(seed)
    groups = []
    for number in range(strangers):
        share = float(random.uniform())
        means = [
            looking_like(
                int(random.integers(people)),
                min(0.999, similarity_at(share, calibration, people, pictures) + offset),
                seed=seed * 10_000 + number * 10 + track,
            )
            for track in range(tracks)
        ]
        groups.append(a_group(number, *means))
    return Site(everybody, tuple(groups))


def similarity_at(share: float, calibration: Calibration, people: int, pictures: float) -> float:
    """What so large a share of strangers reaches with the most alike of so many people."""
    of_least = -math.expm1(LEAST_GALLERY * math.log1p(-share) / people)
    return calibration.required_similarity(
        min(of_least, 1 - 1e-9), enrolled=LEAST_GALLERY, pictures=pictures, faces=1.0
    )


def identities_of(site: Site) -> list[Identity]:
    """Everybody enrolled."""
    return [person.identity for person in site.people]
