"""The FaceMesh's crop: a square about a detected face, turned until the eyes are level."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from edged.domain.face import Detection, Floats
from edged.domain.frame import Pixels
from edged.vision.similarity import Similarity
from edged.vision.warp import turned_square


@dataclass(frozen=True, slots=True)
class MeshCrop:
    """A turned square in a frame.

    Attributes:
        side_px: of the square picture that the model sees.
        to_frame: from the square's pixels to the frame's.
    """

    side_px: int
    to_frame: Similarity

    @classmethod
    def around(cls, detection: Detection, *, side_px: int, factor: float) -> "MeshCrop":
        """The square about the middle of the box, `factor` times its longer side, level with the eyes."""
        (right_x, right_y), (left_x, left_y) = detection.keypoints[:2].tolist()
        box = detection.box
        scale = factor * max(box.width, box.height, 1.0) / side_px
        angle = math.atan2(left_y - right_y, left_x - right_x)
        turned = Similarity(scale * math.cos(angle), scale * math.sin(angle), *box.centre)
        return cls(side_px, turned.after_moving(-side_px / 2, -side_px / 2))

    def cut(self, pixels: Pixels) -> Pixels:
        """The square, side_px x side_px x 3 RGB, of a BGR frame; black outside the frame."""
        return turned_square(pixels, self.to_frame.inverse(), self.side_px)

    def placed(self, points: Floats) -> Floats:
        """N x 3 points in pixels of the square, in pixels of the frame; z keeps the scale of x and y."""
        way = self.to_frame
        matrix = np.array(
            [
                [way.cosine, -way.sine, 0, way.dx],
                [way.sine, way.cosine, 0, way.dy],
                [0, 0, way.scale, 0],
            ]
        )
        placed: Floats = cv2.transform(points[None], matrix)[0]
        return placed
