"""Does a mesh fit the detection it was made from?"""

import math
from typing import Final

import numpy as np

from edged.domain.face import Detection, Landmarks, MeshFit
from edged.vision.keypoints import upright_in

_PLACES: Final = [33, 133, 263, 362, 1, 13, 14]
"""Corners of the right eye and of the left, tip of the nose, lips."""
_SHAPE: Final = [33, 133, 362, 263, 1, 2, 61, 291, 10, 152, 234, 454]
"""Corners of the eyes, nose, corners of the mouth, forehead, chin, cheeks."""

_GUESSED_WITHIN: Final = 1e-3
"""Of the box's side: rounding. BlazeFace's own keypoints are never so near to all of the six."""


def fit_of(detection: Detection, landmarks: Landmarks) -> MeshFit:
    """How a mesh lies in its detection's box.

    Two models have looked at the same place. On a face they agree where its eyes, nose and mouth are; on a
    thing each makes up its own. Of a detector that gives boxes alone, the mesh's word stands: no misfit.
    """
    box = detection.box
    side = max(box.width, box.height, 1.0)
    centre_x, centre_y = box.centre
    # Plain numbers: a dozen points are too few for arrays to pay.
    places = landmarks.points[_PLACES, :2].tolist()
    right, left = _between(*places[:2]), _between(*places[2:4])
    nose, mouth = places[4], _between(*places[5:7])
    keypoints = detection.keypoints[:4].tolist()
    apart = sum(map(math.dist, keypoints, (right, left, nose, mouth))) / len(keypoints)
    size = max(math.dist(right, left), math.dist(_between(left, right), mouth)) / side
    shape = np.array(
        [((x - centre_x) / side, (y - centre_y) / side) for x, y in _shape_of(landmarks)], np.float32
    )
    shape.setflags(write=False)
    return MeshFit(misfit=0.0 if _are_guessed(detection) else apart / side, size=size, shape=shape)


def _shape_of(landmarks: Landmarks) -> list[list[float]]:
    points: list[list[float]] = landmarks.points[_SHAPE, :2].tolist()
    return points


def _between(one: list[float], other: list[float]) -> list[float]:
    return [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2]


def _are_guessed(detection: Detection) -> bool:
    """Whether the keypoints are only those of an upright face in the box."""
    box = detection.box
    within = _GUESSED_WITHIN * max(box.width, box.height)
    found = detection.keypoints.ravel().tolist()
    return all(abs(one - other) <= within for one, other in zip(found, upright_in(box), strict=True))
