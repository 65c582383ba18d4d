"""Is a face good enough to be embedded, and how good is it?"""

import math
from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike

from edged.domain.face import CHIP_SIZE_PX, Chip, Detection, Floats, Landmarks, Quality, Rejection
from edged.settings import recognition as settings
from edged.vision.pose import Pose, pose_of

_RIGHT_EYE: Final = (33, 133)
"""Outer and inner corner; their mean is the eye's centre."""
_LEFT_EYE: Final = (263, 362)

_MARGIN_PX: Final = CHIP_SIZE_PX // 10
"""Left out on each side of the chip, where hair and background are."""
_SHARPNESS_SIDE_PX: Final = (CHIP_SIZE_PX - 2 * _MARGIN_PX) // 2
"""Sharpness is judged at half the chip's scale, 26 pixels between the eyes: details that small faces really
have. At the full scale a sharp face of 20 pixels measures like a blurred large one."""
_USUAL_VARIANCE: Final = 32.0**2
"""Sharpness is told as for a face of this contrast, or every dark face would count as blurred."""

_MOST_OUTSIDE: Final = 0.05
"""Share of the mesh that may lie outside the frame."""
_WHITE: Final = 255.0


def assess(
    quality: settings.Quality,
    frame_width: int,
    frame_height: int,
    detection: Detection,
    landmarks: Landmarks,
    chip: Chip,
) -> Quality:
    """Measure one face and say what speaks against it, in the order of `Rejection`.

    The score is a product with one factor a measure, each 1 at its best and one half where it is just at its
    limit in the settings, so it falls smoothly through the limits; times the share of the mesh inside the
    frame, the landmark model's presence and the detector's score.

    Args:
        quality: the limits.
        frame_width: of the frame that detection and landmarks belong to, pixels.
        frame_height: the same.
        detection: the face as detected.
        landmarks: its mesh.
        chip: its aligned crop.
    """
    size_px = _distance_of_eyes(landmarks.points)
    sharpness, brightness, contrast = _look(chip)
    pose = pose_of(landmarks.points)
    outside = _share_outside(landmarks.points, frame_width, frame_height)
    limits = quality
    spoken_against = {
        Rejection.TOO_SMALL: size_px < limits.min_size_px,
        Rejection.BLURRED: sharpness < limits.min_sharpness,
        Rejection.TURNED: abs(pose.yaw) > limits.max_yaw_deg or abs(pose.pitch) > limits.max_pitch_deg,
        Rejection.TILTED: abs(pose.roll) > limits.max_roll_deg,
        Rejection.TOO_DARK: brightness < limits.min_brightness,
        Rejection.TOO_BRIGHT: brightness > limits.max_brightness,
        Rejection.FLAT: contrast < limits.min_contrast,
        Rejection.CUT_OFF: outside > _MOST_OUTSIDE,
        Rejection.NO_FACE: landmarks.presence < limits.min_presence,
    }
    score = (
        _enough(size_px, limits.min_size_px)
        * _enough(sharpness, limits.min_sharpness)
        * _enough(brightness, limits.min_brightness)
        * _enough(_WHITE - brightness, _WHITE - limits.max_brightness)
        * _enough(contrast, limits.min_contrast)
        * _frontal(pose, limits)
        * (1 - outside)
        * landmarks.presence
        * detection.score
    )
    return Quality(
        score=min(1.0, max(0.0, score)),
        rejections=tuple(reason for reason, holds in spoken_against.items() if holds),
        size_px=size_px,
        sharpness=sharpness,
        brightness=brightness,
        contrast=contrast,
        yaw_deg=pose.yaw,
        pitch_deg=pose.pitch,
        roll_deg=pose.roll,
    )


def _distance_of_eyes(points: Floats) -> float:
    right_x, right_y = points[list(_RIGHT_EYE), :2].mean(axis=0).tolist()
    left_x, left_y = points[list(_LEFT_EYE), :2].mean(axis=0).tolist()
    return math.hypot(left_x - right_x, left_y - right_y)


def _look(chip: Chip) -> tuple[float, float, float]:
    """Sharpness, brightness and contrast of the middle of a chip, from its grey values."""
    middle = chip[_MARGIN_PX : CHIP_SIZE_PX - _MARGIN_PX, _MARGIN_PX : CHIP_SIZE_PX - _MARGIN_PX]
    grey = cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY)
    brightness, contrast = _mean_and_deviation(grey)
    half = cv2.resize(grey, (_SHARPNESS_SIDE_PX, _SHARPNESS_SIDE_PX), interpolation=cv2.INTER_AREA)
    _, edges = _mean_and_deviation(cv2.Laplacian(half, cv2.CV_32F))
    sharpness = edges * edges * _USUAL_VARIANCE / max(1.0, contrast * contrast)
    return sharpness, brightness, contrast


def _mean_and_deviation(values: MatLike) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(values)
    return float(mean[0, 0]), float(deviation[0, 0])


def _share_outside(points: Floats, width: int, height: int) -> float:
    x, y = points[:, 0], points[:, 1]
    outside = (x < 0) | (y < 0) | (x > width) | (y > height)
    return float(np.count_nonzero(outside)) / len(points)


def _enough(value: float, least: float) -> float:
    """0 for nothing, one half at the limit, 0.89 at twice the limit, towards 1."""
    if least <= 0:
        return 1.0
    ratio = max(0.0, value) / least
    return ratio**3 / (1 + ratio**3)


def _frontal(pose: Pose, limits: settings.Quality) -> float:
    """1 for a frontal upright face, one half where one angle is at its limit."""
    parts = (
        pose.yaw / limits.max_yaw_deg,
        pose.pitch / limits.max_pitch_deg,
        pose.roll / limits.max_roll_deg,
    )
    return math.prod(1 / (1 + part * part) for part in parts)
