"""The picture of the last decided face of a feed, for whoever shows it."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

import cv2
import numpy as np

from edged.domain.box import Box
from edged.domain.face_image import FaceImage
from edged.domain.frame import Frame, Pixels
from edged.recognition.presence import key_of_decided
from edged.recognition.sighting import Observation

MIN_INTERVAL_MS: Final = 1000
MARGIN: Final = 0.4
"""Of the face's size, on each side: hair and chin belong to a face."""
MOST_PX: Final = 256
"""Of the longer side: a tile on a dashboard. It keeps the work below 2 ms (`scripts/bench masks`)."""
JPEG_QUALITY: Final = 85


class FacePicture:
    """Shows a feed's last decided face, at most once a second. Owned by the recogniser's thread.

    Args:
        namespace, feed_id: of the feed.
        show: takes a picture; does not wait.
        hide: takes the feed's picture back.
    """

    def __init__(
        self,
        namespace: str,
        feed_id: str,
        show: Callable[[FaceImage], None],
        hide: Callable[[str], None],
    ) -> None:
        self._namespace = namespace
        self._feed_id = feed_id
        self._show = show
        self._hide = hide
        self._shown_ms: int | None = None
        self.identity_id: str | None = None
        """Who is shown, where that is somebody known."""

    def look(self, frame: Frame, observations: Sequence[Observation], there: Collection[str]) -> None:
        """Show the best of these faces that belongs to somebody who is there; `there` has their keys."""
        theirs = [
            one for one in observations if key_of_decided(one.decision, one.track_id, one.group) in there
        ]
        is_soon = self._shown_ms is not None and frame.at.steady_ms - self._shown_ms < MIN_INTERVAL_MS
        if is_soon or not theirs:
            return
        best = max(theirs, key=lambda one: one.face.quality.score if one.face.quality else 0.0)
        self._shown_ms = frame.at.steady_ms
        self.identity_id = best.decision.identity_id
        jpeg = portrait_of(frame.pixels, best.face.detection.box)
        self._show(FaceImage(self._namespace, self._feed_id, self.identity_id, jpeg, frame.at.utc_ms))

    def hide(self) -> None:
        """Take the picture back, if there is one."""
        if self._shown_ms is not None:
            self._shown_ms = None
            self.identity_id = None
            self._hide(self._feed_id)


def portrait_of(pixels: Pixels, box: Box) -> bytes:
    """JPEG of a face with what is around it.

    Args:
        pixels: height x width x 3 uint8 BGR.
        box: the face in it, pixels; it may reach out of the picture.
    """
    height, width = pixels.shape[:2]
    around_x, around_y = MARGIN * box.width, MARGIN * box.height
    wide = Box(box.x_min - around_x, box.y_min - around_y, box.x_max + around_x, box.y_max + around_y)
    inside = wide.clipped(width, height)
    left, top = min(int(inside.x_min), width - 1), min(int(inside.y_min), height - 1)
    right, bottom = max(left + 1, round(inside.x_max)), max(top + 1, round(inside.y_max))
    # Of a close face, every second or third pixel will do: to look at them all would take the longest.
    stride = max(1, max(bottom - top, right - left) // (2 * MOST_PX))
    face = np.ascontiguousarray(pixels[top:bottom:stride, left:right:stride])
    scale = MOST_PX / max(face.shape[:2])
    if scale < 1:
        size = max(1, round(face.shape[1] * scale)), max(1, round(face.shape[0] * scale))
        face = cv2.resize(face, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    _, jpeg = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return jpeg.tobytes()
