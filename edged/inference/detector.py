"""Finds faces with a detector of any supported head."""

import cv2
import numpy as np

from edged.domain.box import Box
from edged.domain.face import Detection
from edged.domain.frame import Pixels
from edged.inference.card import DetectorHead
from edged.inference.detector_outputs import Outputs, outputs_of
from edged.inference.pixel_scale import PixelScale
from edged.inference.runtime import Network
from edged.vision.letterbox import Letterbox, shrunk
from edged.vision.nms import Candidate


class FaceDetector:
    """A detector as the pipeline wants it; used by one thread.

    Args:
        network: the loaded model.
        head: of its card.
        min_score: least score of a detection, strictly between 0 and 1.

    Raises ModelError where the model's tensors are not those that its card's head has.
    """

    def __init__(self, network: Network, head: DetectorHead, min_score: float) -> None:
        network.expect_square(head.input_px)
        self._network = network
        self._side_px = head.input_px
        self._scale = PixelScale(head.input_scale, network.input_type())
        self._outputs: Outputs = outputs_of(network, head, min_score)
        self._last_placing: Letterbox | None = None

    def detect(self, pixels: Pixels) -> list[Detection]:
        """All faces of a frame, best first."""
        placed = self._placing(pixels.shape[1], pixels.shape[0])
        self._show(pixels, placed)
        self._network.run()
        return [_detection(face, placed) for face in self._outputs.faces()]

    def _placing(self, width_px: int, height_px: int) -> Letterbox:
        last = self._last_placing
        if last is None or (last.frame_width_px, last.frame_height_px) != (width_px, height_px):
            last = self._last_placing = Letterbox.fitted(width_px, height_px, self._side_px)
        return last

    def _show(self, pixels: Pixels, placed: Letterbox) -> None:
        picture = shrunk(pixels, placed.width_px, placed.height_px)
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=picture)  # type: ignore[assignment]
        square = self._network.input()
        bottom, right = placed.top_px + placed.height_px, placed.left_px + placed.width_px
        black = self._scale.black
        if placed.height_px < self._side_px:
            square[: placed.top_px] = black
            square[bottom:] = black
        if placed.width_px < self._side_px:
            square[:, : placed.left_px] = black
            square[:, right:] = black
        self._scale.write(picture, square[placed.top_px : bottom, placed.left_px : right])


def _detection(face: Candidate, placed: Letterbox) -> Detection:
    box = face.box
    numbers = iter(face.keypoints)
    keypoints = np.array([placed.to_frame(x, y) for x, y in zip(numbers, numbers, strict=True)], np.float32)
    keypoints.setflags(write=False)
    corners = (*placed.to_frame(box.x_min, box.y_min), *placed.to_frame(box.x_max, box.y_max))
    return Detection(Box(*corners), keypoints, face.score)
