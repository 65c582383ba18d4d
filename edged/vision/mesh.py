"""The FaceMesh's crop: a square about a detected face, turned until the eyes are level."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from edged.domain.face import Detection, Floats
from edged.domain.frame import Pixels


@dataclass(frozen=True, slots=True)
class MeshCrop:
    """A turned square in a frame, and the way from its pixels to the frame's.

    Attributes:
        side_px: of the square picture that the model sees.
        cosine, sine: of the square's turn, times the frame's pixels for one of the square's.
        x, y: where the square's first corner lies in the frame.
    """

    side_px: int
    cosine: float
    sine: float
    x: float
    y: float

    @classmethod
    def around(cls, detection: Detection, *, side_px: int, factor: float) -> "MeshCrop":
        """The square about the middle of the box, `factor` times its longer side, level with the eyes."""
        (right_x, right_y), (left_x, left_y) = detection.keypoints[:2].tolist()
        box = detection.box
        scale = factor * max(box.width, box.height, 1.0) / side_px
        angle = math.atan2(left_y - right_y, left_x - right_x)
        cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
        middle_x, middle_y = box.centre
        half = side_px / 2
        return cls(
            side_px,
            cosine,
            sine,
            x=middle_x - (cosine - sine) * half,
            y=middle_y - (sine + cosine) * half,
        )

    @property
    def scale(self) -> float:
        """Pixels of the frame for one of the square's."""
        return math.hypot(self.cosine, self.sine)

    def cut(self, pixels: Pixels) -> Pixels:
        """The square, side_px x side_px x 3, in the frame's channels; black outside the frame."""
        return cv2.warpAffine(  # type: ignore[return-value]
            pixels,
            self._matrix(),
            (self.side_px, self.side_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )

    def to_frame(self, points: Floats) -> Floats:
        """N x 3 points in pixels of the square, in pixels of the frame; z keeps the scale of x and y."""
        placed = points @ np.array(
            [[self.cosine, self.sine, 0], [-self.sine, self.cosine, 0], [0, 0, self.scale]], np.float32
        )
        placed += np.array([self.x, self.y, 0], np.float32)
        return placed

    def _matrix(self) -> Floats:
        return np.array([[self.cosine, -self.sine, self.x], [self.sine, self.cosine, self.y]], np.float32)
