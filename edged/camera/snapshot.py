"""A picture that is fetched again and again over HTTP."""

from pathlib import Path
from typing import Final

from edged.camera.jpeg import decoded
from edged.camera.multipart import MOST_BYTES
from edged.camera.web import Fetcher
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.domain.moment import Clock
from edged.settings.sources import SnapshotSource


class SnapshotOverHttp:
    """One request a picture. Its frames lie on a grid; whoever captures waits until each is due."""

    is_live = True
    decoder: Final = "opencv jpeg"

    def __init__(self, settings: SnapshotSource, base_dir: Path, clock: Clock) -> None:
        self._url = settings.url
        self._every_s = float(settings.every)
        self._fetcher = Fetcher(settings, base_dir, clock)
        self._first: Pixels | None = None
        self._taken = 0

    def open(self) -> None:
        """Fetch the first picture, so that what is wrong with the address is known at once."""
        self._taken = 0
        self._first = self._picture()

    def grab(self) -> float:
        """When the next picture is due; it is fetched when it is wanted."""
        self._taken += 1
        return (self._taken - 1) * self._every_s

    def retrieve(self) -> Pixels:
        """Fetch the picture."""
        first, self._first = self._first, None
        return self._picture() if first is None else first

    def close(self) -> None:
        """There is nothing open between two pictures."""
        self._first = None

    def _picture(self) -> Pixels:
        answer = self._fetcher.fetch()
        since_ms = answer.now_ms()
        data = bytearray()
        try:
            while piece := answer.read(since_ms):
                data += piece
                if len(data) > MOST_BYTES:
                    raise CameraError(CameraFault.NOT_VIDEO, f"{self._url} gives more than a picture can be")
        finally:
            answer.close()
        name = f"{self._url} ({answer.content_type})"
        return decoded(bytes(data), name)
