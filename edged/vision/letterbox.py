"""Fits a frame into a model's square input, and takes the model's coordinates back to the frame."""

from dataclasses import dataclass

import cv2

from edged.domain.frame import Pixels
from edged.vision.similarity import Point


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a frame lies in a square: as large as fits, in the middle, bars at two sides.

    Coordinates count pixels' edges, not their middles: a frame is `frame_width_px` wide and its first pixel
    reaches from 0 to 1. The two scales differ a little, because the picture in the square has whole pixels.
    """

    side_px: int
    frame_width_px: int
    frame_height_px: int
    width_px: int
    """Of the picture in the square."""
    height_px: int
    left_px: int
    top_px: int

    @classmethod
    def fitted(cls, frame_width_px: int, frame_height_px: int, side_px: int) -> "Letterbox":
        """The placing of frames of that size; a picture never gets thinner than one pixel."""
        scale = side_px / max(frame_width_px, frame_height_px)
        width = max(1, round(frame_width_px * scale))
        height = max(1, round(frame_height_px * scale))
        return cls(
            side_px,
            frame_width_px,
            frame_height_px,
            width,
            height,
            left_px=(side_px - width) // 2,
            top_px=(side_px - height) // 2,
        )

    def to_frame(self, x: float, y: float) -> Point:
        """A point of the square, in pixels of the frame."""
        return (
            (x - self.left_px) * self.frame_width_px / self.width_px,
            (y - self.top_px) * self.frame_height_px / self.height_px,
        )

    def to_square(self, x: float, y: float) -> Point:
        """A point of the frame, in pixels of the square."""
        return (
            x * self.width_px / self.frame_width_px + self.left_px,
            y * self.height_px / self.frame_height_px + self.top_px,
        )


def shrunk(pixels: Pixels, width_px: int, height_px: int) -> Pixels:
    """The picture in another size, in short time.

    Averaging the whole area of each new pixel takes 1 to 2.7 ms for one camera frame, half as long as
    detecting does. Here four pixels, spread over the area, stand for it: a sixth of the time. Measured with
    noisy faces of 37 pixels in 1024x768, the full range's mean score is then 0.831; with true averages 0.853,
    with plain bilinear resizing, which takes nearly as long, 0.806.
    """
    if pixels.shape[1] > 2 * width_px and pixels.shape[0] > 2 * height_px:
        twice = (2 * width_px, 2 * height_px)
        spread = cv2.resize(pixels, twice, interpolation=cv2.INTER_NEAREST_EXACT)
        return cv2.resize(spread, (width_px, height_px), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
    return cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
