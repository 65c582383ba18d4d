"""Draws on a copy of a picture what was found in it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2

from edged.domain.face import Detection
from edged.domain.frame import Pixels

KNOWN_BGR: Final = (90, 200, 60)
UNKNOWN_BGR: Final = (50, 130, 240)
_DOT_BGR: Final = (255, 255, 255)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A face to draw: where it is, what is written at it, and whether the person is known."""

    detection: Detection
    label: str
    is_known: bool


def annotated(pixels: Pixels, marks: Sequence[Mark]) -> Pixels:
    """A copy of an upright BGR picture with boxes, landmarks and labels.

    OpenCV draws ASCII alone: letters lose their accents, and what has no Latin letter becomes `?`.
    """
    picture = pixels.copy()
    scale = max(0.45, min(picture.shape[:2]) / 1000)
    thickness = max(1, round(scale * 2))
    for mark in marks:
        colour = KNOWN_BGR if mark.is_known else UNKNOWN_BGR
        box = mark.detection.box
        corners = [round(edge) for edge in (box.x_min, box.y_min, box.x_max, box.y_max)]
        cv2.rectangle(picture, (corners[0], corners[1]), (corners[2], corners[3]), colour, thickness)
        for x, y in mark.detection.keypoints:
            cv2.circle(picture, (round(float(x)), round(float(y))), thickness, _DOT_BGR, -1)
        _write(picture, mark.label, (corners[0], corners[1]), colour, scale, thickness)
    return picture


def _write(
    picture: Pixels,
    text: str,
    corner: tuple[int, int],
    colour: tuple[int, int, int],
    scale: float,
    thickness: int,
) -> None:
    """The label above the box, or inside it where the picture ends."""
    label = unicodedata.normalize("NFKD", text)
    label = "".join(letter for letter in label if not unicodedata.combining(letter))
    label = label.encode("ascii", "replace").decode()
    (width, height), below = cv2.getTextSize(label, _FONT, scale, thickness)
    x = max(0, min(corner[0], picture.shape[1] - width))
    y = corner[1] - below if corner[1] > height + 2 * below else corner[1] + height + below
    cv2.rectangle(picture, (x, y - height - below), (x + width, y + below), colour, -1)
    cv2.putText(picture, label, (x, y), _FONT, scale, (0, 0, 0), thickness, cv2.LINE_AA)
