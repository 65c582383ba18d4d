"""Who is in a clip that somebody enrols from: one person, or several."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from edged.domain.box import Box
from edged.recognition.enrolment import Candidate, mean_of

SAME_PERSON_FROM: Final = 0.95
"""Stretches of one clip that are so alike show one person. In one room and one light, means of one
person's clips were from .978 alike, those of two people up to .949."""

_SAME_FACE_IOU: Final = 0.3
_MISSED_S: Final = 1.0
_BRIEF_LOOKS: Final = 5
_BRIEF_SHARE: Final = 0.1
"""A stretch shorter than both is a false detection or a passer-by."""
_MOST_KEPT: Final = 256
"""Good faces kept of a stretch; a chip is 67 kB."""
_TOGETHER_LOOKS: Final = 3
"""Faces seen in so many looks at once are two people, however alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A face in one look at a clip; `candidate` only where it is good enough to be enrolled."""

    box: Box
    candidate: Candidate | None


@dataclass(slots=True, eq=False)
class Stretch:
    """One face followed through a clip.

    Attributes:
        looks: the times at which it was seen, seconds, in order.
        box: where it was last.
        candidates: its faces that are good enough.
    """

    looks: list[float]
    box: Box
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def begin_s(self) -> float:
        """When it was first seen."""
        return self.looks[0]

    @property
    def end_s(self) -> float:
        """When it was last seen."""
        return self.looks[-1]


class ClipPeople:
    """Takes the faces of a clip, look by look, and says who was in it."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []

    def look(self, at_s: float, faces: Sequence[Seen]) -> None:
        """Take the faces seen at one time; times only go on."""
        open_ones = [one for one in self._stretches if at_s - one.end_s <= _MISSED_S]
        pairs = sorted(
            (
                (stretch.box.iou(face.box), s, f)
                for s, stretch in enumerate(open_ones)
                for f, face in enumerate(faces)
            ),
            key=lambda pair: -pair[0],
        )
        taken: set[int] = set()
        for iou, s, f in pairs:
            stretch = open_ones[s]
            if iou >= _SAME_FACE_IOU and f not in taken and stretch.end_s < at_s:
                taken.add(f)
                _extend(stretch, at_s, faces[f])
        for f, face in enumerate(faces):
            if f not in taken:
                self._stretches.append(_extend(Stretch([], face.box), at_s, face))

    def people(self) -> list[list[Stretch]]:
        """The people of the clip, each as the stretches they were seen in, the longest seen first.

        Stretches are one person's when they are alike and were not seen together. Of one without a good face
        the looks are not known, and nothing of it would be enrolled: it is nobody new unless seen together.
        """
        longest = max((len(one.looks) for one in self._stretches), default=0)
        least = min(longest, max(_BRIEF_LOOKS, _BRIEF_SHARE * longest))
        lasting = sorted(
            (one for one in self._stretches if len(one.looks) >= least), key=lambda one: -len(one.looks)
        )
        people: list[list[Stretch]] = []
        for stretch in lasting:
            home = next((person for person in people if _is_one_of(person, stretch)), None)
            if home is None:
                people.append([stretch])
            else:
                home.append(stretch)
        return people


def _extend(stretch: Stretch, at_s: float, face: Seen) -> Stretch:
    stretch.looks.append(at_s)
    stretch.box = face.box
    if face.candidate is not None:
        stretch.candidates.append(face.candidate)
    if len(stretch.candidates) > _MOST_KEPT:
        stretch.candidates = _thinned(stretch.candidates)
    return stretch


def _thinned(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The better of every two neighbours, so that an hour of film does not fill the memory."""
    return [
        max(candidates[i : i + 2], key=lambda one: one.quality.score) for i in range(0, len(candidates), 2)
    ]


def _is_one_of(person: Sequence[Stretch], stretch: Stretch) -> bool:
    if any(len(set(one.looks) & set(stretch.looks)) >= _TOGETHER_LOOKS for one in person):
        return False
    known = [candidate for one in person for candidate in one.candidates]
    if not known or not stretch.candidates:
        # Nothing speaks for a second person but a gap, and nothing of it would be enrolled.
        return True
    return float(mean_of(known) @ mean_of(stretch.candidates)) >= SAME_PERSON_FROM
