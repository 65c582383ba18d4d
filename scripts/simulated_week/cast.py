"""Models that know the script: a frame says in its first pixels who stands where.

All faces are one portrait, looked at once by the shipped models; only whose it is, is played. Gate, tracks,
quality, decisions and everything behind them are the real ones.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from builders.recognition import a_calibration
from builders.scenes import a_picture, real_models
from edged.domain.box import Box
from edged.domain.face import EMBEDDING_SIZE, Chip, Detection, Embedding, Landmarks
from edged.domain.frame import Pixels
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.pipeline.ports import Models
from simulated_week.plan import KNOWN

FACE_PX: Final = 180
SLOT_PX: Final = 200
SLOTS: Final = 3
SIZE: Final = (SLOTS * SLOT_PX, 240)


def write_cast(path: Path) -> None:
    """Look at the portrait once, and keep what there is to say of it."""
    picture = a_picture(FACE_PX, x=0, y=20, width=SIZE[0], height=SIZE[1])
    models = real_models()
    detection = models.detector.detect(picture)[0]
    mesh = models.landmarker.locate(picture, detection)
    box = detection.box
    np.savez(
        path,
        picture=picture[:, :SLOT_PX],
        box=[box.x_min, box.y_min, box.x_max, box.y_max],
        keypoints=detection.keypoints,
        score=detection.score,
        points=mesh.points,
        presence=mesh.presence,
    )


def id_of(person: int) -> str:
    """The id of somebody enrolled."""
    return f"00000000-0000-4000-8000-{person:012d}"


def everybody() -> GalleryChange:
    """All who are enrolled."""
    people = {
        n: Identity(id_of(n), name, None, created_ms=0, updated_ms=0, faces=1) for n, name in KNOWN.items()
    }
    return GalleryChange(1, tuple(IdentityFaces(one, _embedding(n)[None]) for n, one in people.items()), ())


def _embedding(person: int) -> Embedding:
    vector = np.zeros(EMBEDDING_SIZE, np.float32)
    vector[person] = 1.0
    return vector


class Cast:
    """The three models in one. One thread uses them, in their usual order."""

    model_hash = "played"

    def __init__(self, path: Path) -> None:
        with np.load(path) as kept:
            self._face = kept["picture"]
            self._detection = Detection(
                Box(*(float(edge) for edge in kept["box"])), kept["keypoints"], float(kept["score"])
            )
            self._mesh = Landmarks(kept["points"], float(kept["presence"]))
        self._person = 0
        self._noise = np.random.default_rng(1)

    def models(self) -> Models:
        """As the pipeline takes them."""
        return Models(self, self, self, EMBEDDING_SIZE, a_calibration())

    def frame(self, persons: list[int]) -> Pixels:
        """A picture of these people, each in their own place."""
        pixels = self._noise.integers(107, 114, (SIZE[1], SIZE[0], 3), np.uint8)
        pixels[0, :SLOTS] = 0
        for slot, person in enumerate(persons):
            left = slot * SLOT_PX
            pixels[1:, left : left + SLOT_PX] = self._face[1:]
            pixels[0, slot] = person
        return pixels

    def detect(self, pixels: Pixels) -> list[Detection]:
        """The faces, by the first pixels."""
        return [self._placed(slot) for slot in range(SLOTS) if pixels[0, slot, 0]]

    def locate(self, pixels: Pixels, detection: Detection) -> Landmarks:
        """The mesh where the face is; whose it is, is remembered for the embedder."""
        slot = int(detection.box.centre[0] // SLOT_PX)
        self._person = int(pixels[0, slot, 0])
        return replace(self._mesh, points=self._mesh.points + np.float32([slot * SLOT_PX, 0, 0]))

    def embed(self, _chip: Chip) -> Embedding:
        """The embedding of whose mesh was made last."""
        return _embedding(self._person)

    def _placed(self, slot: int) -> Detection:
        box, dx = self._detection.box, slot * SLOT_PX
        moved = Box(box.x_min + dx, box.y_min, box.x_max + dx, box.y_max)
        return Detection(moved, self._detection.keypoints + np.float32([dx, 0]), self._detection.score)
