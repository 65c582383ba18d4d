"""A closer look at one detected face: mesh, aligned crop, quality, embedding."""

from collections.abc import Generator
from dataclasses import dataclass

from edged.domain.face import Chip, Detection, Embedding, Face, Landmarks
from edged.domain.frame import Pixels
from edged.domain.job import ImageStatus
from edged.pipeline.ports import Models
from edged.settings.recognition import Quality
from edged.vision.alignment import aligned_chip
from edged.vision.quality import assess


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A face looked at closely, before it is embedded.

    Attributes:
        face: with quality and chip, without embedding.
        presence: how sure the landmark model is that it is a face, 0 to 1.
    """

    face: Face
    chip: Chip
    presence: float

    @property
    def is_good(self) -> bool:
        """Whether the face is worth an embedding."""
        return self.face.quality is not None and self.face.quality.is_good

    def embedded(self, embedding: Embedding) -> Face:
        """The face with its embedding."""
        return Face(self.face.detection, self.face.quality, self.chip, embedding)


def look_closely(models: Models, quality: Quality, pixels: Pixels, detection: Detection) -> Look:
    """Mesh, aligned crop and quality of one detected face of an upright BGR picture."""
    return look_closer(quality, pixels, detection, models.landmarker.locate(pixels, detection))


def look_closer(quality: Quality, pixels: Pixels, detection: Detection, landmarks: Landmarks) -> Look:
    """Aligned crop and quality of a face whose mesh is there already."""
    chip = aligned_chip(pixels, landmarks)
    height_px, width_px = pixels.shape[:2]
    found = assess(quality, width_px, height_px, detection, landmarks, chip)
    return Look(Face(detection, found, chip), chip, landmarks.presence)


def examined(models: Models, quality: Quality, pixels: Pixels) -> Generator[ImageStatus, None, list[Face]]:
    """Every face of one picture, best detection first; good ones with their embedding.

    Stops before each run of a model, with what the picture's status is should that fail.
    """
    yield ImageStatus.DETECTION_ENGINE_ERROR
    faces = []
    for detection in models.detector.detect(pixels):
        yield ImageStatus.MODEL_SERVICE_ERROR
        look = look_closely(models, quality, pixels, detection)
        face = look.face
        if look.is_good:
            yield ImageStatus.MODEL_SERVICE_ERROR
            face = look.embedded(models.embedder.embed(look.chip))
        faces.append(face)
    return faces


def examine(models: Models, quality: Quality, pixels: Pixels) -> list[Face]:
    """The same at once."""
    steps = examined(models, quality, pixels)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return list(end.value)
