"""Face meshes as the landmark model gives them, with the points that decisions look at in their places."""

import math

import numpy as np

from edged.domain.face import Floats, Landmarks

PLACES = {
    33: (-4.5, -2.6, -3.2),
    133: (-1.9, -2.5, -3.9),
    263: (4.5, -2.6, -3.2),
    362: (1.9, -2.5, -3.9),
    234: (-7.7, -0.7, 2.4),
    454: (7.7, -0.7, 2.4),
    10: (0.0, -8.3, -4.4),
    152: (0.0, 9.4, -4.4),
    1: (0.0, 1.1, -7.5),
    2: (0.0, 2.1, -6.0),
}
"""Of a frontal face, centimetres from the head's middle, z away from the camera; about MediaPipe's
canonical face model."""

PAIRS = {33: 263, 133: 362, 234: 454}
"""Points that a mirror swaps."""


def a_mesh(*, eyes_px: float = 30.0, x: float = 320.0, y: float = 240.0) -> Floats:
    """A frontal face with so many pixels between the eyes' centres, its other points on an ellipse."""
    around = np.linspace(0, 2 * math.pi, 468, endpoint=False)
    points = np.stack([7 * np.cos(around), 8.5 * np.sin(around), np.zeros(468)], axis=1)
    for index, place in PLACES.items():
        points[index] = place
    points *= eyes_px / 6.4
    return (points + np.array([x, y, 0])).astype(np.float32)


def turned(points: Floats, *, yaw: float = 0, pitch: float = 0, roll: float = 0) -> Floats:
    """The mesh turned about its middle, degrees: first roll, then pitch, then yaw."""
    yaw, pitch, roll = math.radians(yaw), math.radians(pitch), math.radians(roll)
    about_y = [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    about_x = [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    about_z = [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    rotation = np.array(about_y) @ np.array(about_x) @ np.array(about_z)
    middle = points.mean(axis=0)
    return ((points - middle) @ rotation.T + middle).astype(np.float32)


def mirrored(points: Floats, width: float) -> Floats:
    """The mesh of the mirrored picture of that width: left and right points change places."""
    flipped = points.copy()
    flipped[:, 0] = width - flipped[:, 0]
    for right, left in PAIRS.items():
        flipped[[right, left]] = flipped[[left, right]]
    return flipped


def landmarks(points: Floats, presence: float = 1.0) -> Landmarks:
    """What the landmark model says with that mesh."""
    return Landmarks(points, presence)
