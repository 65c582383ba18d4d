"""A closer look at one detected face: mesh, aligned crop, quality, embedding."""

from dataclasses import dataclass

from edged.domain.face import Chip, Detection, Embedding, Face, Landmarks
from edged.domain.frame import Pixels
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


def examine(models: Models, quality: Quality, pixels: Pixels) -> list[Face]:
    """Every face of one picture, best detection first; good ones with their embedding."""
    faces = []
    for detection in models.detector.detect(pixels):
        look = look_closely(models, quality, pixels, detection)
        faces.append(look.embedded(models.embedder.embed(look.chip)) if look.is_good else look.face)
    return faces
