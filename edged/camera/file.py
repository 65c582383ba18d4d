"""A video file, decoded by OpenCV."""

from pathlib import Path
from typing import Final

import cv2

from edged.camera.clip_time import ClipTime
from edged.camera.files import require_clip, resolved
from edged.camera.opencv import Capture
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError
from edged.domain.frame import Pixels
from edged.settings.sources import FileSource

_MISSING_SHARE: Final = 0.1
_MISSING_S: Final = 1.0
"""A clip that ends earlier than it promised, by this share of itself and this long, was cut off. Containers
estimate their length: a frame or two is nothing."""


class FileByOpenCv:
    """A clip, once or in a loop."""

    def __init__(self, settings: FileSource, base_dir: Path) -> None:
        self.is_live = settings.pace == "realtime"
        self._path = resolved(settings.path, base_dir)
        self._loop = settings.loop
        self._parameters = (cv2.CAP_PROP_N_THREADS, settings.decode_threads)
        self._capture = Capture(str(self._path))
        self._time = ClipTime()
        self._promised_s = 0.0
        self._position_s = 0.0
        self._frames = 0

    @property
    def decoder(self) -> str:
        """Who decodes."""
        return self._capture.decoder

    @property
    def tasks(self) -> tuple[str, ...]:
        """Folders below /proc of what decodes, apart from the thread that takes the pictures."""
        return self._capture.tasks

    def open(self) -> None:
        """Open the clip at its first frame."""
        require_clip(self._path)
        self._time.restart()
        self._begin()

    def grab(self) -> float:
        """Take the next frame."""
        if not self._capture.grab():
            self._end_of_round()
            if not self._capture.grab():
                raise _no_video(self._path)
        self._frames += 1
        self._position_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return self._time.of_frame(self._position_s)

    def retrieve(self) -> Pixels:
        """The frame just grabbed."""
        return self._capture.retrieve()

    def close(self) -> None:
        """Close the file."""
        self._capture.close()

    def _begin(self) -> None:
        if not self._capture.open(str(self._path), cv2.CAP_FFMPEG, self._parameters):
            raise _no_video(self._path)
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        frames = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._promised_s = frames / fps if fps > 0 and frames > 0 else 0.0
        self._position_s, self._frames = 0.0, 0
        self._time.begin_round(fps)

    def _end_of_round(self) -> None:
        """Begin again, or raise `EndOfMediaError`."""
        if not self._frames:
            raise _no_video(self._path)
        if self._loop:
            self._begin()
            return
        missing_s = self._promised_s - self._position_s
        if missing_s > max(_MISSING_S, _MISSING_SHARE * self._promised_s):
            raise EndOfMediaError(
                f"{self._path} is cut off: it ends at {self._position_s:.1f} s of {self._promised_s:.1f} s"
            )
        raise EndOfMediaError


def _no_video(path: Path) -> CameraError:
    return CameraError(
        CameraFault.NOT_VIDEO,
        f"{path} cannot be played as a video",
        remedy="It may be cut off, or no video at all: try `ffprobe` on it.",
    )
