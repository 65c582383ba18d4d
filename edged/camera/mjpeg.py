"""An MJPEG stream over HTTP."""

from pathlib import Path
from typing import Final

from edged.camera.jpeg import decoded
from edged.camera.multipart import PartReader
from edged.camera.web import Answer, Fetcher
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.domain.moment import Clock
from edged.settings.sources import HttpSource


class MjpegOverHttp:
    """A stream of JPEGs, each replacing the one before."""

    is_live = True
    decoder: Final = "opencv jpeg"

    def __init__(self, settings: HttpSource, base_dir: Path, clock: Clock) -> None:
        self._url = settings.url
        self._fetcher = Fetcher(settings, base_dir, clock)
        self._answer: Answer | None = None
        self._parts: PartReader | None = None
        self._part = b""

    def open(self) -> None:
        """Ask for the stream."""
        self.close()
        self._answer = answer = self._fetcher.fetch()
        if not answer.content_type.startswith("multipart/") or not answer.boundary:
            picture = answer.content_type.startswith("image/")
            raise CameraError(
                CameraFault.NOT_VIDEO,
                f"{self._url} gives {answer.content_type}, and no multipart stream of pictures",
                remedy="Set type: snapshot."
                if picture
                else "Look up the MJPEG address in the camera's manual.",
            )
        self._parts = PartReader(answer.boundary)

    def grab(self) -> None:
        """Receive the next part."""
        answer, parts = self._answer, self._parts
        if answer is None or parts is None:
            raise CameraError(CameraFault.DISCONNECTED, f"{self._url} is not open")
        since_ms = answer.now_ms()
        try:
            while (part := parts.next_part()) is None:
                data = answer.read(since_ms)
                if not data:
                    raise CameraError(CameraFault.DISCONNECTED, f"{self._url} ended the stream")
                parts.feed(data)
        except ValueError as error:
            raise CameraError(CameraFault.NOT_VIDEO, f"{self._url} sends no pictures: {error}") from None
        self._part = part

    def retrieve(self) -> Pixels:
        """Decode the part."""
        return decoded(self._part, self._url)

    def close(self) -> None:
        """Hang up."""
        answer, self._answer, self._parts, self._part = self._answer, None, None, b""
        if answer is not None:
            answer.close()
