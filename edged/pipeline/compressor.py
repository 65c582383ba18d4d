"""Frames on their way to become the pictures of jobs: few wait, and no camera waits for them."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import cv2

from edged.domain.frame import Pixels
from edged.domain.history import JobPicture

MOST_FRAMES: Final = 3
"""Frames that may wait to be compressed. They are held as they came: 2.8 MB each at 720p, 25 MB at 4K."""

JPEG_QUALITY: Final = 85

BYTES_A_PIXEL: Final = 0.35
"""What a picture is taken to need until it is compressed: more than most do; frames of 640 x 480 with a face
took 0.09 to 0.12."""

_LOOK_S: Final = 0.2


class HeldPicture:
    """A picture of a job that may still have to be compressed."""

    __slots__ = ("_pixels", "created_ms", "image_id", "jpeg", "size_bytes")

    def __init__(self, image_id: str, pixels: Pixels, created_ms: int) -> None:
        self.image_id = image_id
        self.created_ms = created_ms
        self.size_bytes: int = round(BYTES_A_PIXEL * pixels.shape[0] * pixels.shape[1])
        """About as much memory as it will take."""
        self.jpeg: bytes | None = None
        """None until it was compressed."""
        self._pixels: Pixels | None = pixels

    def compress(self) -> None:
        """Make the JPEG and let go of the frame."""
        pixels, self._pixels = self._pixels, None
        if pixels is None:
            return
        done, encoded = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        if done:
            self.jpeg = encoded.tobytes()
            self.size_bytes = len(self.jpeg)

    def as_job_picture(self) -> JobPicture | None:
        """As it is kept; None where it could not be compressed."""
        return None if self.jpeg is None else JobPicture(self.image_id, self.jpeg, self.created_ms)


class Compressor:
    """The one place where frames wait for their compression, which one thread does.

    Args:
        wake: asks that thread to come.
        will_come: whether it can be expected to.
    """

    def __init__(self, wake: Callable[[], None], will_come: Callable[[], bool]) -> None:
        self._wake = wake
        self._will_come = will_come
        self._room = threading.Condition()
        self._waiting: deque[HeldPicture] = deque()
        self.given_up = 0
        """Pictures that came when MOST_FRAMES were waiting, since the start."""

    def take(
        self, image_id: str, pixels: Pixels, created_ms: int, *, may_wait: bool = False
    ) -> HeldPicture | None:
        """Take a frame by reference, upright BGR that nobody writes to any more; None where it is given up.

        With `may_wait`, as for a clip that is replayed, it waits for room as long as the thread goes on.
        """
        picture = HeldPicture(image_id, pixels, created_ms)
        with self._room:
            while may_wait and len(self._waiting) >= MOST_FRAMES and self._will_come():
                self._room.wait(_LOOK_S)
            if len(self._waiting) >= MOST_FRAMES:
                self.given_up += 1
                return None
            self._waiting.append(picture)
        self._wake()
        return picture

    def compress_waiting(self) -> None:
        """Compress what waits, the oldest first."""
        while True:
            with self._room:
                if not self._waiting:
                    return
                picture = self._waiting[0]
            picture.compress()
            with self._room:
                # Only now: while it is compressed, its frame still takes memory.
                self._waiting.popleft()
                self._room.notify_all()
