"""The frames that detectors are judged by: none of them has a part in quantizing.

They are made of footage that is not part of the repository: clips of one person each, a clip of a bottle, and
portraits of a face filling about half of the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import packages
from calibration_frames import HEIGHT_PX, WIDTH_PX, FramesError, cut_out, decoded, frames_of
from edged.domain.box import Box
from edged.domain.frame import Pixels
from edged.vision.letterbox import shrunk

BOTTLE = "bottle-detection.mp4"
EVERY_CLIP_FRAME, EVERY_BOTTLE_FRAME = 2, 3
HEIGHTS_PX = (60, 80, 110, 150, 220, 320, 460)
"""Of the pasted portraits; the faces in them are about half as wide."""
CUT_OUTS = 12
"""Of each scene without a face."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgingFrame:
    """One frame and where its face is.

    Attributes:
        group: `clip NAME`, `portraits`, `bottle` or `scenes`.
        pixels: the frame.
        portrait: where a portrait was pasted; none in the other groups.
    """

    group: str
    pixels: Pixels
    portrait: Box | None = None


def judging_frames(folder: Path) -> Iterator[JudgingFrame]:
    """All frames, always the same; raises `FramesError` where the footage is not in `folder`."""
    chance = np.random.default_rng(11)
    clips = sorted((folder / "clips").glob("*.mkv"))
    portraits = sorted((folder / "portraits").glob("*.jpg"))
    if not clips or not portraits:
        raise FramesError(f"{folder} has no clips/*.mkv and portraits/*.jpg")
    for path in clips:
        for pixels in frames_of(path)[::EVERY_CLIP_FRAME]:
            yield JudgingFrame(f"clip {path.stem}", pixels)
    bottle = frames_of(folder / "clips" / BOTTLE)[::EVERY_BOTTLE_FRAME]
    scenes = [decoded(packages.content_of(scene)) for scene in packages.OTHER_SCENES]
    for path in portraits:
        portrait = cv2.imread(str(path))
        for height in HEIGHTS_PX:
            number = int(chance.integers(len(scenes) + 4))
            scene = cut_out(scenes[number], chance) if number < len(scenes) else _any(bottle, chance)
            yield _pasted(portrait, height, scene, chance)  # type: ignore[arg-type]
    for pixels in bottle:
        yield JudgingFrame("bottle", pixels)
    for scene in scenes:
        for _ in range(CUT_OUTS):
            yield JudgingFrame("scenes", cut_out(scene, chance))


def _any(frames: list[Pixels], chance: np.random.Generator) -> Pixels:
    return shrunk(frames[int(chance.integers(len(frames)))], WIDTH_PX, HEIGHT_PX)


def _pasted(portrait: Pixels, height: int, scene: Pixels, chance: np.random.Generator) -> JudgingFrame:
    """A portrait somewhere in a scene, lighter or darker, half of them with a camera's noise."""
    width = round(portrait.shape[1] * height / portrait.shape[0])
    steps = (np.arange(256) / 255) ** chance.uniform(0.5, 1.7) * 255
    face = steps.round().astype(np.uint8)[shrunk(portrait, width, height)]
    left = int(chance.integers(WIDTH_PX - width + 1))
    top = int(chance.integers(HEIGHT_PX - height + 1))
    frame = scene.copy()
    frame[top : top + height, left : left + width] = face
    if chance.integers(2):
        noisy = frame + chance.normal(0, chance.uniform(2, 10), frame.shape)
        frame = np.clip(noisy, 0, 255).astype(np.uint8)
    return JudgingFrame("portraits", frame, Box(left, top, left + width, top + height))
