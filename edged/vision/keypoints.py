"""The six keypoints of a face where a detector gives fewer.

Their order is BlazeFace's: the person's right eye (on the picture's left), left eye, nose tip, mouth, right
ear, left ear. The landmark model's crop needs the eyes, for the angle at which it is cut; the rest is for
whoever draws or compares them.
"""

from collections.abc import Sequence
from typing import Final

from edged.domain.box import Box
from edged.vision.similarity import Point

_EAR_OUT: Final = 0.55
_EAR_DOWN: Final = 0.28
"""Of the distance between the eyes, beyond each eye and below it: where BlazeFace puts the ears of a face
that looks into the camera (the portrait in `models/reference`)."""

_UPRIGHT: Final[tuple[Point, ...]] = (
    (0.30, 0.35),
    (0.70, 0.35),
    (0.50, 0.60),
    (0.50, 0.77),
    (0.10, 0.42),
    (0.90, 0.42),
)
"""Shares of the box's width and height: the mean of both halves of the same portrait by the full range."""


def from_five(points: Sequence[Point]) -> tuple[float, ...]:
    """Six pairs x, y, one after the other, from five points.

    Args:
        points: right eye, left eye, nose tip, right and left corner of the mouth, of the person: the order
            of YuNet and SCRFD. The mouth becomes the middle of its corners; the ears are estimated.
    """
    (right_x, right_y), (left_x, left_y), nose, right_corner, left_corner = points
    across_x, across_y = left_x - right_x, left_y - right_y
    down_x, down_y = -across_y * _EAR_DOWN, across_x * _EAR_DOWN
    out_x, out_y = across_x * _EAR_OUT, across_y * _EAR_OUT
    return (
        *(right_x, right_y, left_x, left_y),
        *nose,
        *((right_corner[0] + left_corner[0]) / 2, (right_corner[1] + left_corner[1]) / 2),
        *(right_x - out_x + down_x, right_y - out_y + down_y),
        *(left_x + out_x + down_x, left_y + out_y + down_y),
    )


def upright_in(box: Box) -> tuple[float, ...]:
    """Six pairs x, y for a box alone: those of an upright face that fills it.

    A head that is tilted is then cut out tilted; the landmark model still finds its points up to about 30
    degrees, and the chip is turned upright by them.
    """
    return tuple(
        number for x, y in _UPRIGHT for number in (box.x_min + x * box.width, box.y_min + y * box.height)
    )
