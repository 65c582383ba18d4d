"""Do this house's strangers resemble the enrolled people as often as the calibration says?"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from edged.domain.group import KeptGroup, KeptTrack
from edged.evaluation.site import Look, Site, mean_of
from edged.recognition.calibration import LEAST_GALLERY, Calibration
from edged.recognition.decision import Rule

MOST_TRACKS: Final = 8
"""The newest so many tracks of a group are looked at: they are of one person, and more say little more."""

SHARES: Final = (0.1, 0.01, 0.001)
"""Where the distribution of strangers is told. Larger shares are not: the calibration is of the tail."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """An unknown person.

    Attributes:
        group_id: whose tracks these are.
        looks: each of the newest tracks against the enrolled people, the newest last; at least one.
        whole: all of them together: who the group is most like.
    """

    group_id: str
    looks: tuple[Look, ...]
    whole: Look

    @property
    def newest(self) -> Look:
        """The newest track: one value a person."""
        return self.looks[-1]


def strangers_of(site: Site, calibration: Calibration) -> list[Stranger]:
    """Every group that has a track by the model, in the site's order; people must be enrolled."""
    gallery = site.gallery(calibration)
    found = []
    for group in site.groups:
        seen = _newest(group)
        if not seen:
            continue
        looks = tuple(Look.at(mean, gallery, track.effective) for track, mean in seen)
        # The variance of a mean of means, as groups reckon it.
        effective = len(seen) ** 2 / sum(1 / max(track.effective, 1.0) for track, _ in seen)
        whole = Look.at(mean_of([mean for _, mean in seen]), gallery, effective)
        found.append(Stranger(group.id, looks, whole))
    return found


def real_rate(look: Look, calibration: Calibration, offset: float) -> float:
    """Share of strangers' tracks as much like somebody of this very gallery, 0 to 1.

    `false_accept_at` counts a small gallery as one of LEAST_GALLERY, to be careful; strangers come by the
    gallery that there is. Under a right calibration and offset this is uniform among strangers, up to the
    share where the calibration ends.
    """
    of_least = calibration.false_accept_at(
        look.match.adjusted - offset,
        enrolled=LEAST_GALLERY,
        pictures=look.match.pictures,
        faces=look.faces,
    )
    if of_least >= 1:
        return 1.0
    return -math.expm1(look.enrolled * math.log1p(-of_least) / LEAST_GALLERY)


def is_somebody(stranger: Stranger, strictest: Rule) -> bool:
    """Whether it is very probably somebody enrolled: even the strictest level would say so."""
    return stranger.whole.is_named(strictest)


def resembles_somebody(stranger: Stranger, balanced: Rule) -> bool:
    """Whether it could be somebody enrolled who was missed: a name for those who risk a little."""
    return stranger.whole.reaches(balanced)


def _newest(group: KeptGroup) -> list[tuple[KeptTrack, np.ndarray[tuple[int], np.dtype[np.float32]]]]:
    tracks = sorted(group.tracks, key=lambda track: (track.last_seen_ms, track.id))
    return [(track, track.mean) for track in tracks if track.mean is not None][-MOST_TRACKS:]
