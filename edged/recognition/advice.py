"""What would make a person easier to recognise: weak pictures, and what the pictures have too little of.

Advice is no warning: it refuses nothing, and says what to do.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edged.domain.face import Quality, Rejection
from edged.settings import recognition as settings

SAME_WAY_WITHIN_DEG: Final = 15.0
"""Heads whose yaws differ by less look the same way. In clips of two seconds, people span 3 to 19 degrees."""

SAME_LIGHT_WITHIN: Final = 15.0
"""Grey levels. Faces of one clip differ by 1 to 18, mostly by less than 11; portraits deviate by 15."""

_REMEDIES: Final[dict[Rejection, str]] = {
    Rejection.TOO_SMALL: "come closer, or cut nothing from a larger picture",
    Rejection.BLURRED: "hold still in more light, and let the camera focus",
    Rejection.TURNED: "look towards the camera",
    Rejection.TILTED: "hold the head upright",
    Rejection.TOO_DARK: "turn on a light, or turn towards the window",
    Rejection.TOO_BRIGHT: "leave the glaring light, or lower the camera's exposure",
    Rejection.FLAT: "clean the lens, and avoid light from behind",
    Rejection.CUT_OFF: "keep the whole face in the picture",
    Rejection.COVERED: "take off sunglasses, mask or scarf",
    Rejection.NO_FACE: "use a picture that shows the face clearly",
}

_ONE = (
    "only one picture stands for {who}: add two or more of other days"
    " (with one, somebody is missed in 20 % of single looks; with three, in 8 %)"
)
_MOMENT = "all faces of {who} are from one moment: add a picture of another day"
_SAME_WAY = "{who} looks the same way everywhere: add faces turned a little to the left and to the right"
_LIGHT = "all faces of {who} are in the same light: add one by day, or one by lamplight"
_GREY = "no face of {who} has colours: add one in colour, unless the camera itself sees none"
_COVERED = "a face of {who} seems covered: add one without sunglasses, mask or scarf"


@dataclass(frozen=True, slots=True)
class Shown:
    """What of an enrolled face counts for variety.

    Attributes:
        occasion: the picture or clip it is from.
        yaw_deg: how far the head is turned to a side; None where that is not known any more.
        brightness: mean grey value, 0 to 255; None where no chip was kept.
        is_grey, is_covered: as in `Quality`; False where no chip was kept.
    """

    occasion: str
    yaw_deg: float | None
    brightness: float | None
    is_grey: bool
    is_covered: bool

    @classmethod
    def by(cls, quality: Quality, source: str) -> "Shown":
        """Of a face just looked at; `source` as it is stored."""
        return cls(
            occasion_of(source), quality.yaw_deg, quality.brightness, quality.is_grey, quality.is_covered
        )


def occasion_of(source: str) -> str:
    """The file that a stored source names, without the time in a clip."""
    return re.sub(r" at \d+\.\d s$", "", source)


def weaknesses(quality: Quality, limits: settings.Quality) -> list[str]:
    """What is weak about a face, each with what was measured and what to do."""
    size = f"{quality.size_px:.0f} pixels between the eyes, and {limits.min_size_px:.0f} are asked for"
    measured = {
        Rejection.TOO_SMALL: f" ({size})",
        Rejection.TURNED: f" ({quality.yaw_deg:.0f} degrees to a side, {quality.pitch_deg:.0f} up)",
        Rejection.TILTED: f" ({quality.roll_deg:.0f} degrees)",
    }
    reasons = list(quality.rejections)
    if quality.is_covered and Rejection.COVERED not in reasons:
        reasons.append(Rejection.COVERED)
    return [f"{reason}{measured.get(reason, '')}: {_REMEDIES[reason]}" for reason in reasons]


def advice(who: str, faces: Sequence[Shown]) -> list[str]:
    """What the enrolled faces of `who` lack, the most useful first; empty where nothing is missing."""
    return [words.format(who=who) for words in _lacks(faces)]


def _lacks(faces: Sequence[Shown]) -> list[str]:
    if not faces:
        return []
    lacks = []
    occasions = {face.occasion for face in faces}
    yaws = [face.yaw_deg for face in faces if face.yaw_deg is not None]
    lights = [face.brightness for face in faces if face.brightness is not None]
    if len(faces) == 1:
        lacks.append(_ONE)
    elif len(occasions) == 1:
        lacks.append(_MOMENT)
    elif len(lights) == len(faces) and max(lights) - min(lights) < SAME_LIGHT_WITHIN:
        lacks.append(_LIGHT)
    if len(faces) > 1 and len(yaws) == len(faces) and max(yaws) - min(yaws) < SAME_WAY_WITHIN_DEG:
        lacks.append(_SAME_WAY)
    if all(face.is_grey for face in faces):
        lacks.append(_GREY)
    if any(face.is_covered for face in faces):
        lacks.append(_COVERED)
    return lacks
