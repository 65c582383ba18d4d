"""Which way a face looks, from its mesh."""

import math
from dataclasses import dataclass
from typing import Final

from edged.domain.face import Floats

_Vector = tuple[float, float, float]

_RIGHT_SIDE: Final = (33, 234)
"""Outer corner of the person's right eye, and the cheek before the right ear. Speaking does not move them."""
_LEFT_SIDE: Final = (263, 454)
_FOREHEAD: Final = 10
_CHIN: Final = 152


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is turned, degrees; all 0 for a face that looks straight into the camera, upright.

    Attributes:
        yaw: positive when the face looks towards the picture's right, -180 to 180.
        pitch: positive when it looks up, -90 to 90.
        roll: positive when the head is tilted clockwise in the picture, -180 to 180.
    """

    yaw: float
    pitch: float
    roll: float

    @property
    def frontality(self) -> float:
        """Cosine of the angle between where the face looks and the camera, 0 to 1; 0 also for a back.

        Tilting does not change it: the aligned crop undoes that.
        """
        return max(0.0, math.cos(math.radians(self.yaw)) * math.cos(math.radians(self.pitch)))


def pose_of(points: Floats) -> Pose:
    """The pose of a mesh of 468 points (x, y, z in one scale; z away from the camera, as in `Landmarks`).

    The face's own axes are the way from its right side to its left (eye corners and cheeks), the way from
    the forehead down to the chin, made square to it (Gram-Schmidt), and their cross product, which points
    into the head. As columns they are the rotation `R = R_y(yaw) R_x(pitch) R_z(roll)`, which is solved for
    its angles. Points that all coincide have the pose 0.
    """
    right_x, right_y, right_z = _mean(points, _RIGHT_SIDE)
    left_x, left_y, left_z = _mean(points, _LEFT_SIDE)
    across = _unit(left_x - right_x, left_y - right_y, left_z - right_z)
    top, bottom = points[_FOREHEAD].tolist(), points[_CHIN].tolist()
    down_x, down_y, down_z = bottom[0] - top[0], bottom[1] - top[1], bottom[2] - top[2]
    along = down_x * across[0] + down_y * across[1] + down_z * across[2]
    down = _unit(down_x - along * across[0], down_y - along * across[1], down_z - along * across[2])
    inward_x = across[1] * down[2] - across[2] * down[1]
    inward_y = across[2] * down[0] - across[0] * down[2]
    inward_z = across[0] * down[1] - across[1] * down[0]
    if inward_x == inward_y == inward_z == 0:
        return Pose(0.0, 0.0, 0.0)
    return Pose(
        yaw=math.degrees(math.atan2(-inward_x, inward_z)),
        pitch=math.degrees(math.asin(min(1.0, max(-1.0, inward_y)))),
        roll=math.degrees(math.atan2(across[1], down[1])),
    )


def _mean(points: Floats, indices: tuple[int, ...]) -> _Vector:
    x, y, z = points[list(indices)].mean(axis=0).tolist()
    return x, y, z


def _unit(x: float, y: float, z: float) -> _Vector:
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length) if length > 0 else (0.0, 0.0, 0.0)
