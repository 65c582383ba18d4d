"""Are a face's eyes or mouth covered?

An uncovered eye and an uncovered mouth have edges: lids, iris, the line between the lips. Sunglasses take
them from the eyes and are darker than cheeks; a mask or a scarf takes them from the mouth, and may have
another colour. All measures are ratios within one face, so that light, blur and size count little.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
from cv2.typing import MatLike

from edged.domain.face import COVERED_FROM, Chip

_RIGHT_EYE: Final = (slice(38, 58), slice(36, 62))
_LEFT_EYE: Final = (slice(38, 58), slice(88, 114))
_MOUTH: Final = (slice(98, 118), slice(52, 96))
_RIGHT_CHEEK: Final = (slice(66, 92), slice(34, 56))
_LEFT_CHEEK: Final = (slice(66, 92), slice(94, 116))
_FOREHEAD: Final = (slice(14, 30), slice(48, 102))
_NOSE: Final = (slice(60, 84), slice(64, 86))
_CHIN: Final = (slice(124, 140), slice(58, 92))
"""Rows and columns of an aligned crop."""

_LEAST_MOUTH: Final = 0.28
"""Edges of the mouth, as a share of those of the eyes, below which the mouth is covered."""
_LEAST_EYES: Final = 0.22
"""Edges of the eyes, as a share of those of the mouth, below which the eyes are covered."""
_LEAST_EYE_LIGHT: Final = 0.42
"""Brightness of the eyes, as a share of the cheeks', below which they are behind dark glass."""
_MOST_COLOUR: Final = 13.0
"""Distance of the colours (a*, b*) of mouth and chin from those of forehead and nose."""
_FAINT: Final = 0.3
"""Grey levels added to each edge strength: in a face without any edges nothing is told."""


@dataclass(frozen=True, slots=True)
class Cover:
    """How likely parts of a face are covered, each 0 to 1; one half is the limit.

    Attributes:
        eyes: both, or the face above the nose.
        mouth: mouth and chin.
    """

    eyes: float
    mouth: float

    @property
    def occlusion(self) -> float:
        """Of the part that is covered most."""
        return max(self.eyes, self.mouth)

    @property
    def is_covered(self) -> bool:
        """Whether that is enough to call the face covered."""
        return self.occlusion >= COVERED_FROM


def cover_of(chip: Chip) -> Cover:
    """Judge an aligned crop, RGB."""
    grey = cv2.GaussianBlur(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), (9, 9), 1.5)
    eyes = max(_edges(grey[_RIGHT_EYE]), _edges(grey[_LEFT_EYE]))
    mouth = _edges(grey[_MOUTH])
    cheeks = max(1.0, (_mean(grey[_RIGHT_CHEEK]) + _mean(grey[_LEFT_CHEEK])) / 2)
    light = max(_mean(grey[_RIGHT_EYE]), _mean(grey[_LEFT_EYE])) / cheeks
    return Cover(
        eyes=max(_lack(eyes / mouth, _LEAST_EYES), _lack(light, _LEAST_EYE_LIGHT)),
        mouth=max(_lack(mouth / eyes, _LEAST_MOUTH), 1 - _lack(_colours_apart(chip), _MOST_COLOUR)),
    )


def _mean(part: MatLike) -> float:
    return float(cv2.mean(part)[0])


def _edges(part: MatLike) -> float:
    """Root mean square of the change from row to row: eyes and lips lie across the face."""
    rows = cv2.subtract(part[2:], part[:-2], dtype=cv2.CV_32F)
    return math.sqrt(cv2.norm(rows, cv2.NORM_L2SQR) / rows.size) + _FAINT


def _colours_apart(chip: Chip) -> float:
    forehead, nose, mouth, chin = (_colour(chip[part]) for part in (_FOREHEAD, _NOSE, _MOUTH, _CHIN))
    green_red = forehead[0] + nose[0] - mouth[0] - chin[0]
    blue_yellow = forehead[1] + nose[1] - mouth[1] - chin[1]
    return math.hypot(green_red, blue_yellow) / 2


def _colour(part: Chip) -> tuple[float, float]:
    """a* and b* of the mean colour of a part (CIE L*a*b* of sRGB, white D65).

    In plain numbers: OpenCV's own conversion makes tables of 5 MiB at its first use, for four colours a face.
    """
    red, green, blue = (_linear(value / 255) for value in cv2.mean(part)[:3])
    x = _root((0.412453 * red + 0.357580 * green + 0.180423 * blue) / 0.950456)
    y = _root(0.212671 * red + 0.715160 * green + 0.072169 * blue)
    z = _root((0.019334 * red + 0.119193 * green + 0.950227 * blue) / 1.088754)
    return 500 * (x - y), 200 * (y - z)


def _linear(value: float) -> float:
    """Light of an sRGB value, both 0 to 1."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004


def _root(light: float) -> float:
    return light ** (1 / 3) if light > 0.008856 else 7.787 * light + 16 / 116  # noqa: PLR2004


def _lack(value: float, least: float) -> float:
    """1 where there is nothing, one half at the limit, towards 0 with more."""
    return 1 / (1 + (value / least) ** 6)
