"""Is what a track follows a face at all?

Detectors fire on things, and at the same place again and again. Before a track is believed, each of its
detections is looked at closely, and over the last of these looks four things must hold: the landmark model
sees a face, its mesh fits the detection, the shape stays the same while it moves, and all that often enough.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from edged.domain.face import MeshFit
from edged.domain.moment import Moment

MOST_MISFIT: Final = 0.20
"""Mean over the looks. In the project's test footage, also made dark, blurred, grey, mirrored, half and twice
as large: faces at most .138; things .04 to .38, one in twenty above. Heads turned far away are not in it:
hence the distance."""

SIZES: Final = (0.18, 0.75)
"""Of the mesh in the box, each look. Faces .36 to .53 in the shipped detectors' boxes; others draw theirs
wider or narrower."""

MOST_CHANGE: Final = 0.14
"""Change of shape from look to look, sides of the box. In 33 to 500 ms: faces at most .112, things to .66."""
MOST_CHANGE_PER_S: Final = 0.5
"""What it may be more for each second between the looks: a head turns away within half of one."""


class Refusal(StrEnum):
    """Why a track was not believed. The set is closed; each track that is not is counted under one."""

    NO_FACE = "no face to the landmark model"
    SIZE = "its mesh does not fit"
    MOTION = "its shape jumps"
    BRIEF = "gone too soon"


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What a closer look at a track's detection gave.

    Attributes:
        presence: how sure the landmark model is that it is a face, 0 to 1.
        least_presence: what is asked for.
        fit: how its mesh lies in the detection.
    """

    presence: float
    least_presence: float
    fit: MeshFit

    @property
    def is_face(self) -> bool:
        """Whether the landmark model takes it for a face."""
        return self.presence >= self.least_presence


@dataclass(slots=True)
class Belief:
    """The closer looks at one track, until it is believed.

    Attributes:
        needed: so many looks are judged together.
        doubt: what spoke against the track after the last look.
    """

    needed: int
    doubt: Refusal | None = None
    _glances: list[tuple[Moment, Glance]] = field(default_factory=list)
    _doubts: Counter[Refusal] = field(default_factory=Counter)

    def take(self, at: Moment, glance: Glance) -> bool:
        """Take in one more look; whether the track is to be believed by now."""
        self._glances = [*self._glances, (at, glance)][-self.needed :]
        self.doubt = self._weighed()
        if self.doubt is not None:
            self._doubts[self.doubt] += 1
        return self.doubt is None and len(self._glances) == self.needed

    @property
    def refusal(self) -> Refusal:
        """What spoke against the track most often, in the order of `Refusal` where that is even."""
        said = [reason for reason in Refusal if self._doubts[reason]]
        return max(said, key=lambda reason: self._doubts[reason], default=Refusal.BRIEF)

    def _weighed(self) -> Refusal | None:
        """What speaks against the looks so far."""
        glances = [glance for _, glance in self._glances]
        latest = glances[-1]
        presence = sum(glance.presence for glance in glances) / len(glances)
        if not latest.is_face or presence < latest.least_presence:
            return Refusal.NO_FACE
        if sum(glance.fit.misfit for glance in glances) / len(glances) > MOST_MISFIT or not all(
            SIZES[0] <= glance.fit.size <= SIZES[1] for glance in glances
        ):
            return Refusal.SIZE
        if any(map(_jumps, self._glances[:-1], self._glances[1:])):
            return Refusal.MOTION
        return None


def _jumps(before: tuple[Moment, Glance], after: tuple[Moment, Glance]) -> bool:
    elapsed_s = max(0, after[0].steady_ms - before[0].steady_ms) / 1000
    change = float(np.linalg.norm(after[1].fit.shape - before[1].fit.shape, axis=1).mean())
    return change > MOST_CHANGE + MOST_CHANGE_PER_S * elapsed_s
