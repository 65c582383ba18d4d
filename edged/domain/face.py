"""A face, from the detector's first word about it to its embedding."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from edged.domain.box import Box

CHIP_SIZE_PX = 150
"""Side of an aligned crop, the input of the shipped embedder."""

EMBEDDING_SIZE = 128
"""Length of the shipped embedder's vectors."""

COVERED_FROM = 0.5
"""A face's occlusion from which it counts as covered."""

Floats = NDArray[np.float32]
Chip = NDArray[np.uint8]
"""An aligned crop: CHIP_SIZE_PX x CHIP_SIZE_PX x 3 uint8, RGB."""
Embedding = NDArray[np.float32]
"""As many float32 as the model gives (EMBEDDING_SIZE of the shipped ones), unit length, read-only."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What a detector says of one face in one frame.

    Attributes:
        box: edges in the frame's pixels; may reach outside the frame.
        keypoints: 6 x 2 float32, pixels (x, y): the person's right eye and left eye (the first is the one
            on the picture's left), nose tip, mouth, right ear, left ear. Of detectors that give five, the
            ears are estimated; of those that give none, all are, for an upright face.
        score: how sure the detector is that this is a face, 0 to 1.
    """

    box: Box
    keypoints: Floats
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """The FaceMesh of one face.

    Attributes:
        points: 468 x 3 float32: x and y in the frame's pixels, z in the same scale (towards the camera is
            negative).
        presence: how sure the model is that its crop shows a face at all, 0 to 1.
    """

    points: Floats
    presence: float


@dataclass(frozen=True, slots=True, eq=False)
class MeshFit:
    """How a mesh lies in the detection it was made from.

    Attributes:
        misfit: how far the mesh has eyes, nose and mouth from where the detector has them, on average, in
            sides of the box.
        size: the mesh's eyes' distance, or eyes to mouth where that is more, in sides of the box.
        shape: K x 2 float32, some points of the mesh, in sides of the box from its middle; read-only.
    """

    misfit: float
    size: float
    shape: Floats


class Rejection(StrEnum):
    """Why a face is not good enough to be embedded. The set is closed; each is counted.

    `TINY` is said before a face is looked at closely, `ODD` of one that was embedded and then not used.
    """

    TOO_SMALL = "too small"
    BLURRED = "blurred"
    TURNED = "turned away"
    TILTED = "tilted"
    TOO_DARK = "too dark"
    TOO_BRIGHT = "too bright"
    FLAT = "no contrast"
    CUT_OFF = "cut off at the frame's edge"
    COVERED = "covered"
    NO_FACE = "no face to the landmark model"
    TINY = "smaller than min_face_px"
    ODD = "unlike the rest of its track"


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a face is for recognition.

    Attributes:
        score: 0 to 1, the higher the better; weighs the face in its track.
        rejections: why it is not good enough; empty for a good face.
        size_px: distance between the eyes' centres in the frame, pixels.
        sharpness: variance of the Laplacian of the chip's grey values at half its scale, as it would be at a
            contrast of 32.
        brightness: mean grey value of the chip without its margin, 0 to 255.
        contrast: standard deviation of the same grey values.
        yaw_deg, pitch_deg, roll_deg: pose by the landmarks; 0 is frontal and upright. Positive: looks to the
            picture's right, looks up, is tilted clockwise in the picture.
        frontality: cosine of the angle between where the face looks and the camera, 0 to 1.
        occlusion: how likely eyes or mouth are covered, 0 to 1; from 0.5 on the face counts as covered.
        is_grey: whether it was seen without colours: infrared light, a black-and-white picture.
    """

    score: float
    rejections: tuple[Rejection, ...]
    size_px: float
    sharpness: float
    brightness: float
    contrast: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    frontality: float = 1.0
    occlusion: float = 0.0
    is_grey: bool = False

    @property
    def is_covered(self) -> bool:
        """Whether sunglasses, a mask or a scarf seem to hide eyes or mouth."""
        return self.occlusion >= COVERED_FROM

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against embedding the face."""
        return not self.rejections


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face in one frame, as far as the pipeline got with it.

    Attributes:
        detection: where it is.
        quality: how good it is, also of rejected faces; None where nobody looked closely in this frame.
        chip: aligned crop, or None where the landmark model saw no face.
        embedding: only of good faces.
    """

    detection: Detection
    quality: Quality | None = None
    chip: Chip | None = None
    embedding: Embedding | None = None
