"""Places the FaceMesh on a detected face."""

import math

from edged.domain.face import Detection, Landmarks
from edged.domain.frame import Pixels
from edged.inference.card import LandmarksHead
from edged.inference.pixel_scale import PixelScale
from edged.inference.runtime import Network
from edged.vision.mesh import MeshCrop


class FaceMeshLandmarker:
    """A landmarker as the pipeline wants it; used by one thread."""

    def __init__(self, network: Network, head: LandmarksHead) -> None:
        network.expect_square(head.input_px)
        self._network = network
        self._head = head
        self._scale = PixelScale(head.input_scale, network.input_type())
        self._mesh = network.output_with(head.points * 3)
        self._flag = network.output_with(1)

    def locate(self, pixels: Pixels, detection: Detection) -> Landmarks:
        """The landmarks of the detected face, and how sure the model is that there is one."""
        crop = MeshCrop.around(detection, side_px=self._head.input_px, factor=self._head.crop_factor)
        self._scale.write(crop.cut(pixels), self._network.input())
        self._network.run()
        points = crop.placed(self._network.output(self._mesh).reshape(-1, 3))
        points.setflags(write=False)
        return Landmarks(points, _sigmoid(float(self._network.flat(self._flag)[0])))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > 0 else math.exp(value) / (1 + math.exp(value))
