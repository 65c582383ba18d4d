"""A house's own people and strangers, as `edged calibrate` judges by them, and what the daemon would say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from edged.domain.face import Embedding, Floats
from edged.domain.group import KeptGroup
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.recognition.calibration import Calibration
from edged.recognition.decision import Rule
from edged.recognition.gallery import Gallery, Match
from edged.settings.quantities import FalseAccept
from edged.settings.recognition import Recognition

LEVELS: Final = tuple(FalseAccept.parse(name) for name in FalseAccept.LEVELS)
"""The named levels, which are told whatever is configured."""


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledPerson:
    """Somebody enrolled, with the faces that stand for them.

    Attributes:
        identity: who.
        embeddings: K x EMBEDDING_SIZE float32, unit length, K >= 1, all of the model in use.
        occasions: K names of the pictures or clips that they are from.
    """

    identity: Identity
    embeddings: Floats
    occasions: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """What is kept of one namespace, by one model. The order of neither matters.

    Attributes:
        people: everybody enrolled with a face of the model, at least one.
        groups: unknown people; tracks without a mean are passed over.
    """

    people: tuple[EnrolledPerson, ...]
    groups: tuple[KeptGroup, ...]

    def in_order(self) -> "Site":
        """The same, ordered by what does not depend on how it was read: sums then come out to the bit."""
        return Site(
            tuple(_in_order(person) for person in sorted(self.people, key=lambda one: one.identity.id)),
            tuple(sorted(self.groups, key=lambda one: one.id)),
        )

    def gallery(self, calibration: Calibration) -> Gallery:
        """Everybody, as the daemon compares with them."""
        everybody = tuple(IdentityFaces(one.identity, one.embeddings) for one in self.people)
        return Gallery.empty(calibration).with_change(GalleryChange(1, everybody, ()))


@dataclass(frozen=True, slots=True)
class Look:
    """A probe, and who of the gallery is most alike.

    Attributes:
        match: the best one.
        enrolled: people in the gallery.
        faces: effective faces in the probe, at least 1.
    """

    match: Match
    enrolled: int
    faces: float

    @classmethod
    def at(cls, probe: Embedding, gallery: Gallery, faces: float) -> "Look":
        """Compare; the gallery must not be empty."""
        match = gallery.best_match(probe)
        if match is None:
            raise ValueError("there is nobody to compare with")
        return cls(match, len(gallery), max(faces, 1.0))

    def reaches(self, rule: Rule) -> bool:
        """Whether it is similar enough, however near the second best is."""
        return self.match.adjusted >= rule.required(self.match, enrolled=self.enrolled, faces=self.faces)

    def is_named(self, rule: Rule) -> bool:
        """Whether the daemon would say the best one's name, of a track with no more faces to come."""
        return self.reaches(rule) and self.match.margin >= rule.settings.margin


def rule_at(recognition: Recognition, calibration: Calibration, level: float, offset: float) -> Rule:
    """The daemon's rule with another level and offset."""
    changed = msgspec.structs.replace(
        recognition, false_accept=FalseAccept(level), similarity_offset=round(offset, 6)
    )
    return Rule(changed, calibration)


def mean_of(vectors: Sequence[Embedding] | Floats) -> Embedding:
    """The mean of some unit vectors, of unit length again."""
    mean = np.asarray(vectors, np.float32).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def _in_order(person: EnrolledPerson) -> EnrolledPerson:
    rows = sorted(range(len(person.embeddings)), key=lambda row: person.embeddings[row].tobytes())
    occasions = tuple(person.occasions[row] for row in rows)
    return EnrolledPerson(person.identity, person.embeddings[rows], occasions)
