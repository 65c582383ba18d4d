"""Draws the story into the scene, frame by frame."""

from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from sample_clip import scene
from sample_clip.portraits import PORTRAITS, CutOut, Portrait
from sample_clip.story import FPS, LENGTH_S, VISITS, Pose, evening_at

_NOISE_LEVELS = 1.2
"""Standard deviation of the camera's noise in grey levels: seen by a detector, and small in the file."""

_FOCAL_PX = 900.0
"""Distance from which the flat portraits are seen when they turn, in their own pixels."""


def frames(people: Mapping[str, CutOut]) -> Iterator[NDArray[np.uint8]]:
    """All frames of the clip, blue-green-red; the same every time."""
    house, garden_wall, lamplight = scene.house(), scene.garden_wall(), scene.lamplight()
    chance = np.random.default_rng(3)
    for number in range(round(LENGTH_S * FPS)):
        time_s = number / FPS
        picture, evening = house.copy(), evening_at(time_s)
        for visit in VISITS:
            pose = visit.pose_at(time_s)
            if pose is not None:
                picture = _with_person(picture, people[visit.name], PORTRAITS[visit.name], pose)
        picture[scene.GARDEN_WALL_TOP_PX :] = garden_wall[scene.GARDEN_WALL_TOP_PX :]
        picture = _lit(picture, lamplight, evening)
        noise = chance.normal(0, _NOISE_LEVELS, picture.shape[:2]).astype(np.float32)
        yield np.clip(picture + noise[..., None] + 0.5, 0, 255).astype(np.uint8)


def _with_person(picture: scene.Layer, cut: CutOut, portrait: Portrait, pose: Pose) -> scene.Layer:
    placed = cv2.warpPerspective(
        cut, _placing(portrait, pose), (scene.FRAME_WIDTH_PX, scene.FRAME_HEIGHT_PX), flags=cv2.INTER_LINEAR
    )
    colours, opacity = placed[..., :3], placed[..., 3:]
    shift = np.array([[1, 0, 22], [0, 1, 14]], np.float32)
    cast = cv2.warpAffine(cv2.GaussianBlur(opacity, (0, 0), 12), shift, opacity.shape[1::-1])
    shadowed = picture * (1 - 0.3 * cast[..., None])
    return np.asarray(shadowed * (1 - opacity) + colours, np.float32)


def _placing(portrait: Portrait, pose: Pose) -> NDArray[np.float64]:
    """The homography from the cut-out to the frame: turn, tilt, scale, move."""
    centre_px = np.array([portrait.face_centre_px, 0.0]) * portrait.shrink
    yaw, roll = np.radians(pose.yaw_deg), np.radians(pose.roll_deg)
    scale = pose.face_px / (portrait.face_px * portrait.shrink)
    to_centre = np.array([[1, 0, -centre_px[0]], [0, 1, 0], [0, 0, 1.0]])
    turned = np.array([[np.cos(yaw), 0, 0], [0, 1, 0], [np.sin(yaw) / _FOCAL_PX, 0, 1]])
    tilted = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    # People tilt from the waist, which is below the garden wall.
    waist = np.array([[1, 0, 0], [0, 1, 400 / scale], [0, 0, 1.0]])
    top_px = min(y for _, y in portrait.points_px()) * portrait.shrink
    moved = np.array([[scale, 0, pose.x_px], [0, scale, pose.top_px - scale * top_px], [0, 0, 1]])
    return np.asarray(moved @ waist @ tilted @ np.linalg.inv(waist) @ turned @ to_centre, np.float64)


def _lit(picture: scene.Layer, lamplight: scene.Layer, evening: float) -> scene.Layer:
    """Daylight, evening, or in between: dimmer and bluer, with the lamp's warm light on what is near it."""
    dimmed = np.array([0.66, 0.57, 0.52], np.float32)
    daylight = (1 - evening) + evening * dimmed
    reflected = evening * lamplight * (0.35 + picture / 255)
    return np.asarray(picture * daylight + reflected, np.float32)
