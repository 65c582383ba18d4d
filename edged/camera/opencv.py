"""OpenCV's captures: opened with time-outs and without a word on standard error."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import cv2
import numpy as np

from edged.camera.cpu_time import all_threads, of_the_decoder
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels

_OPTIONS: Final = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

_NOT_VIDEO_CODECS: Final = frozenset({"ansi", "idf", "bintext", "xbin"})
"""FFmpeg draws text files as pictures of a terminal. Nobody means that."""

_CODEC_NAMES: Final = {"avc1": "h264", "hvc1": "hevc", "hev1": "hevc", "mp4v": "mpeg4"}
"""Containers have their own words for codecs."""


class Capture:
    """One `cv2.VideoCapture`. Foreign errors become `CameraError` without the words that could hold a URL.

    Attributes:
        decoder: who decodes; empty before it was opened.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._capture: cv2.VideoCapture | None = None
        self.decoder = ""
        self._begun_with_it: frozenset[str] = frozenset()

    @property
    def tasks(self) -> tuple[str, ...]:
        """Folders below /proc of the threads that FFmpeg started for it, for measuring."""
        return of_the_decoder(self._begun_with_it)

    def open(self, target: str, backend: int, parameters: Sequence[int] = ()) -> bool:
        """Try to open; False where OpenCV cannot, and it never says why."""
        silence_opencv()
        self.close()
        before = all_threads()
        try:
            capture = cv2.VideoCapture(target, backend, list(parameters))
        except (cv2.error, MemoryError):
            return False
        if not capture.isOpened():
            return False
        self._capture = capture
        self._begun_with_it = all_threads() - before
        codec = self._codec()
        if codec in _NOT_VIDEO_CODECS:
            self.close()
            return False
        self.decoder = f"opencv/{capture.getBackendName().lower()} {codec}".rstrip()
        return True

    def grab(self) -> bool:
        """Take the next frame; False at the end, or when the connection is gone."""
        return self._capture is not None and bool(self._capture.grab())

    def retrieve(self) -> Pixels:
        """The frame just grabbed."""
        picture = None
        if self._capture is not None:
            try:
                good, picture = self._capture.retrieve()
            except cv2.error:
                good = False
            if good and picture is not None and picture.dtype == np.uint8 and picture.ndim == 3:  # noqa: PLR2004
                return picture.astype(np.uint8, copy=False)
        raise CameraError(CameraFault.NOT_VIDEO, f"a picture of {self._name} cannot be decoded")

    def get(self, what: int) -> float:
        """A property, or 0 where there is none."""
        return 0.0 if self._capture is None else float(self._capture.get(what))

    def ask(self, what: int, value: float) -> None:
        """Ask for a property; a device that cannot do it goes on as it is."""
        if self._capture is not None:
            self._capture.set(what, value)

    def close(self) -> None:
        """Let go of it."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _codec(self) -> str:
        number = int(self.get(cv2.CAP_PROP_FOURCC))
        if number <= 0:
            return ""
        letters = (number & 0xFFFFFFFF).to_bytes(4, "little").decode("ascii", "replace").strip("\0 ").lower()
        return _CODEC_NAMES.get(letters, letters)


def silence_opencv() -> None:
    """Keep OpenCV and its FFmpeg from printing URLs, passwords included, to standard error."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class _Options:
    """The options of OpenCV's FFmpeg, which it takes from the process's environment when it opens.

    Captures with the same options open side by side; one with other options waits until they are done, and
    who comes later waits behind it. Without that a silent camera would keep all others from opening.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders = 0
        self._waiting = 0
        self._theirs: str | None = None
        self._own: str | None = None

    @contextmanager
    def held(self, options: str) -> Iterator[None]:
        """Keep the options in the environment meanwhile."""
        with self._changed:
            if self._holders and self._own != options:
                self._waiting += 1
                self._changed.wait_for(lambda: self._holders == 0 or self._own == options)
                self._waiting -= 1
            elif self._waiting:
                self._changed.wait_for(lambda: self._waiting == 0)
                self._changed.wait_for(lambda: self._holders == 0 or self._own == options)
            self._apply(options)
            self._holders += 1
        try:
            yield
        finally:
            with self._changed:
                self._holders -= 1
                self._changed.notify_all()

    def _apply(self, options: str) -> None:
        if self._own is None:
            self._theirs = os.environ.get(_OPTIONS)
        self._own = options
        os.environ[_OPTIONS] = f"{options}|{self._theirs}" if self._theirs else options


ffmpeg_options: Final = _Options()
