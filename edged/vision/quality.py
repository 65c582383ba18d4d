"""Is a face good enough to be embedded, and how good is it?"""

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike

from edged.domain.face import CHIP_SIZE_PX, Chip, Detection, Floats, Landmarks, Quality, Rejection
from edged.settings import recognition as settings
from edged.vision.infrared import is_grey
from edged.vision.occlusion import cover_of
from edged.vision.pose import pose_of

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
    limit in the settings (covered eyes or mouth: at the flag's limit), so it falls smoothly through the
    limits; times the share of the mesh inside the frame, the landmark model's presence and the detector's
    score.

    Args:
        quality: the limits.
        frame_width: of the frame that detection and landmarks belong to, pixels.
        frame_height: the same.
        detection: the face as detected.
        landmarks: its mesh.
        chip: its aligned crop.
    """
    sharpness, brightness, contrast = _look(chip)
    pose = pose_of(landmarks.points)
    outside = _share_outside(landmarks.points, frame_width, frame_height)
    measured = Quality(
        score=0.0,
        rejections=(),
        size_px=_distance_of_eyes(landmarks.points),
        sharpness=sharpness,
        brightness=brightness,
        contrast=contrast,
        yaw_deg=pose.yaw,
        pitch_deg=pose.pitch,
        roll_deg=pose.roll,
        frontality=pose.frontality,
        occlusion=cover_of(chip).occlusion,
        is_grey=is_grey(chip),
    )
    score = _score(measured, quality) * (1 - outside) * landmarks.presence * detection.score
    return replace(
        measured,
        score=min(1.0, max(0.0, score)),
        rejections=_spoken_against(measured, quality, outside, landmarks.presence),
    )


def _spoken_against(
    face: Quality, limits: settings.Quality, outside: float, presence: float
) -> tuple[Rejection, ...]:
    reasons = {
        Rejection.TOO_SMALL: face.size_px < limits.min_size_px,
        Rejection.BLURRED: face.sharpness < limits.min_sharpness,
        Rejection.TURNED: abs(face.yaw_deg) > limits.max_yaw_deg
        or abs(face.pitch_deg) > limits.max_pitch_deg,
        Rejection.TILTED: abs(face.roll_deg) > limits.max_roll_deg,
        Rejection.TOO_DARK: face.brightness < limits.min_brightness,
        Rejection.TOO_BRIGHT: face.brightness > limits.max_brightness,
        Rejection.FLAT: face.contrast < limits.min_contrast,
        Rejection.CUT_OFF: outside > _MOST_OUTSIDE,
        Rejection.COVERED: face.occlusion > limits.max_occlusion,
        Rejection.NO_FACE: presence < limits.min_presence,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def _score(face: Quality, limits: settings.Quality) -> float:
    """The factors of the face itself."""
    return (
        _enough(face.size_px, limits.min_size_px)
        * _enough(face.sharpness, limits.min_sharpness)
        * _enough(face.brightness, limits.min_brightness)
        * _enough(_WHITE - face.brightness, _WHITE - limits.max_brightness)
        * _enough(face.contrast, limits.min_contrast)
        * _frontal(face, limits)
        * (1 - face.occlusion)
    )


def _distance_of_eyes(points: Floats) -> float:
    right_x, right_y = points[list(_RIGHT_EYE), :2].mean(axis=0).tolist()
    left_x, left_y = points[list(_LEFT_EYE), :2].mean(axis=0).tolist()
    return math.hypot(left_x - right_x, left_y - right_y)


def brightness_of(chip: Chip) -> float:
    """Mean grey value of the middle of a chip, 0 to 255."""
    return _mean_and_deviation(_middle(chip))[0]


def _middle(chip: Chip) -> MatLike:
    """The grey values of a chip without its margin."""
    inner = slice(_MARGIN_PX, CHIP_SIZE_PX - _MARGIN_PX)
    return cv2.cvtColor(chip[inner, inner], cv2.COLOR_RGB2GRAY)


def _look(chip: Chip) -> tuple[float, float, float]:
    """Sharpness, brightness and contrast of the middle of a chip, from its grey values."""
    grey = _middle(chip)
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


def _frontal(face: Quality, limits: settings.Quality) -> float:
    """1 for a frontal upright face, one half where one angle is at its limit."""
    parts = (
        face.yaw_deg / limits.max_yaw_deg,
        face.pitch_deg / limits.max_pitch_deg,
        face.roll_deg / limits.max_roll_deg,
    )
    return math.prod(1 / (1 + part * part) for part in parts)
