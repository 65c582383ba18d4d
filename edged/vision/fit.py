"""Does a mesh fit the detection it was made from?"""

from typing import Final

import numpy as np

from edged.domain.face import Detection, Floats, Landmarks, MeshFit
from edged.vision.keypoints import upright_in

_RIGHT_EYE: Final = [33, 133]
_LEFT_EYE: Final = [263, 362]
_NOSE_TIP: Final = 1
_LIPS: Final = [13, 14]
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
    points = landmarks.points[:, :2]
    eyes_and_more = np.stack(
        [
            points[_RIGHT_EYE].mean(axis=0),
            points[_LEFT_EYE].mean(axis=0),
            points[_NOSE_TIP],
            points[_LIPS].mean(axis=0),
        ]
    )
    apart = np.linalg.norm(detection.keypoints[:4] - eyes_and_more, axis=1)
    right, left, _, mouth = eyes_and_more
    across = float(np.linalg.norm(left - right))
    down = float(np.linalg.norm((left + right) / 2 - mouth))
    shape: Floats = ((points[_SHAPE] - np.array(box.centre)) / side).astype(np.float32)
    shape.setflags(write=False)
    misfit = 0.0 if _are_guessed(detection) else float(apart.mean()) / side
    return MeshFit(misfit=misfit, size=max(across, down) / side, shape=shape)


def _are_guessed(detection: Detection) -> bool:
    """Whether the keypoints are only those of an upright face in the box."""
    box = detection.box
    guessed = np.reshape(upright_in(box), (6, 2))
    return float(np.abs(detection.keypoints - guessed).max()) <= _GUESSED_WITHIN * max(box.width, box.height)
