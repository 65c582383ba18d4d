"""An RTSP stream, decoded by OpenCV inside the daemon."""

import cv2

from edged.camera.credentials import credentials_of, url_within
from edged.camera.opencv import Capture, ffmpeg_options
from edged.camera.rtsp_probe import why_not
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.settings.sources import RtspSource


class RtspByOpenCv:
    """A camera's RTSP stream."""

    is_live = True

    def __init__(self, settings: RtspSource) -> None:
        self._settings = settings
        self._capture = Capture(settings.url)

    @property
    def decoder(self) -> str:
        """Who decodes."""
        return self._capture.decoder

    @property
    def tasks(self) -> tuple[str, ...]:
        """Folders below /proc of what decodes, apart from the thread that takes the pictures."""
        return self._capture.tasks

    def open(self) -> None:
        """Connect; a connection that fails is asked once more, by hand, for the reason."""
        settings = self._settings
        credentials = credentials_of(settings)
        parameters = (
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(settings.open_timeout * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(settings.read_timeout * 1000)),
            *(cv2.CAP_PROP_N_THREADS, settings.decode_threads),
        )
        with ffmpeg_options.held(f"rtsp_transport;{settings.transport}"):
            opened = self._capture.open(url_within(settings.url, credentials), cv2.CAP_FFMPEG, parameters)
        if not opened:
            raise why_not(settings.url, credentials, settings.transport, settings.open_timeout)

    def grab(self) -> None:
        """Take the next frame. OpenCV says True of a stall too: whoever captures measures the time."""
        if not self._capture.grab():
            raise CameraError(
                CameraFault.DISCONNECTED,
                f"{self._settings.url} ended the stream",
                remedy="The feed connects again by itself; if it repeats, look at network and camera.",
            )

    def retrieve(self) -> Pixels:
        """The frame just grabbed."""
        return self._capture.retrieve()

    def close(self) -> None:
        """Hang up."""
        self._capture.close()
