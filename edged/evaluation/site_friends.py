"""Would the enrolled people be recognised? Each picture is tried against a template of the others."""

from dataclasses import dataclass

import numpy as np

from edged.domain.face import Floats
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.evaluation.site import EnrolledPerson, Look, Site, mean_of
from edged.recognition.calibration import Calibration, spread_of
from edged.recognition.decision import Rule
from edged.recognition.gallery import Gallery


@dataclass(frozen=True, slots=True)
class Picture:
    """One enrolled face, tried as if it came by.

    Attributes:
        owner: whose it is.
        look: who is most alike of a gallery in which the owner has only other faces.
        is_of_one_moment: whether these were of the same picture or clip, so that it was all too easy.
    """

    owner: Identity
    look: Look
    is_of_one_moment: bool

    def is_right(self, rule: Rule) -> bool:
        """Whether the owner's name is said."""
        return self.look.match.identity.id == self.owner.id and self.look.is_named(rule)

    def is_wrong(self, rule: Rule) -> bool:
        """Whether somebody else's name is said."""
        return self.look.match.identity.id != self.owner.id and self.look.is_named(rule)

    def is_missed(self, rule: Rule) -> bool:
        """Whether no name is said."""
        return not self.look.is_named(rule)


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """Two people enrolled who would be taken for one another.

    Attributes:
        one, other: who.
        similarity: cosine of their templates.
    """

    one: Identity
    other: Identity
    similarity: float


def pictures_tried(site: Site, calibration: Calibration) -> list[Picture]:
    """Every face of everybody who has others, in the site's order.

    A face is compared with the owner's faces of other pictures or clips, where there are any: two frames of
    one clip resemble each other more than a face ever resembles another day's. A face that is there twice, to
    the bit, is never its own template.
    """
    everybody = site.gallery(calibration)
    tried = []
    for person in site.people:
        for row in range(len(person.embeddings)):
            others, is_of_one_moment = _others(person, row)
            if not len(others):
                continue
            change = GalleryChange(2, (IdentityFaces(person.identity, others),), ())
            look = Look.at(person.embeddings[row], everybody.with_change(change), faces=1.0)
            tried.append(Picture(person.identity, look, is_of_one_moment))
    return tried


def look_alikes(site: Site, calibration: Calibration, rule: Rule) -> list[LookAlikes]:
    """Pairs of people whose templates reach the level with one another, the most alike first."""
    everybody = site.gallery(calibration)
    found: dict[tuple[str, str], LookAlikes] = {}
    for person in site.people:
        rest = everybody.with_change(GalleryChange(2, (), (person.identity.id,)))
        look = _template_among(person, rest, calibration)
        if look is None or not look.reaches(rule):
            continue
        one, other = sorted((person.identity, look.match.identity), key=lambda identity: identity.id)
        found.setdefault((one.id, other.id), LookAlikes(one, other, look.match.similarity))
    return sorted(found.values(), key=lambda pair: (-pair.similarity, pair.one.id, pair.other.id))


def _template_among(person: EnrolledPerson, rest: Gallery, calibration: Calibration) -> Look | None:
    if not len(rest):
        return None
    faces = calibration.effective(len(person.embeddings), spread_of(person.embeddings))
    return Look.at(mean_of(person.embeddings), rest, faces)


def _others(person: EnrolledPerson, row: int) -> tuple[Floats, bool]:
    """The owner's faces to compare one with, and whether they are of the same moment."""
    is_another = (person.embeddings != person.embeddings[row]).any(axis=1)
    elsewhere = np.array([occasion != person.occasions[row] for occasion in person.occasions])
    if (is_another & elsewhere).any():
        return person.embeddings[is_another & elsewhere], False
    return person.embeddings[is_another], True
