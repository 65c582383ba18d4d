"""Moving pictures with a real face in them, made from the sample portrait that ships with the demo."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from builders.recognition import at
from edged.domain.frame import Frame, Pixels
from edged.inference.models import load_models
from edged.pipeline import ports
from edged.settings.recognition import Models

PROJECT = Path(__file__).resolve().parents[2]
PORTRAIT = PROJECT / "edged" / "cli" / "sample" / "eileen-collins.jpg"
FRAME_MS = 100


@cache
def real_models() -> ports.Models:
    """The shipped models, loaded once; one thread of inference."""
    return load_models(Models(threads=1), min_score=0.5)


@cache
def portrait() -> Pixels:
    """The portrait, BGR, read-only."""
    picture = cv2.imread(str(PORTRAIT))
    assert picture is not None
    picture.setflags(write=False)
    return picture


def a_picture(
    face_px: int | None = 200, *, x: int = 200, y: int = 120, width: int = 640, height: int = 480
) -> Pixels:
    """A grey wall, with the portrait `face_px` high hung on it at (x, y), or without it."""
    wall = np.full((height, width, 3), 110, np.uint8)
    if face_px is not None:
        face = cv2.resize(
            portrait(), None, fx=face_px / portrait().shape[0], fy=face_px / portrait().shape[0]
        )
        wall[y : y + face.shape[0], x : x + face.shape[1]] = face[: height - y, : width - x]
    return wall


def frames(pictures: list[Pixels], *, start_ms: int = 0, feed_id: str = "hall") -> Iterator[Frame]:
    """A frame a picture, ten in a second, each with the noise of a sensor: no two are the same."""
    for number, picture in enumerate(pictures):
        noise = np.random.default_rng([start_ms, number]).integers(-3, 4, picture.shape, np.int16)
        noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
        yield Frame(feed_id, number + 1, at(start_ms + number * FRAME_MS), noisy)
