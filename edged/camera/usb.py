"""A camera at this machine, by Video4Linux and OpenCV."""

import fcntl
import os
from pathlib import Path
from typing import Final

import cv2

from edged.camera.opencv import Capture
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.settings.sources import UsbSource

_QUERYCAP: Final = 0x80685600
"""`VIDIOC_QUERYCAP` of linux/videodev2.h: _IOR('V', 0, struct v4l2_capability), 104 bytes."""

_CAPABILITY_BYTES: Final = 104


class UsbByOpenCv:
    """A Video4Linux device."""

    is_live = True

    def __init__(self, settings: UsbSource) -> None:
        self._settings = settings
        self._capture = Capture(settings.device)

    @property
    def decoder(self) -> str:
        """Who decodes."""
        return self._capture.decoder

    def open(self) -> None:
        """Open the device and ask for the wanted format; what it cannot do it ignores."""
        settings = self._settings
        _require_camera(settings.device)
        # OpenCV's Video4Linux has no time-out of its own but this one, in whole seconds.
        os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(max(1, round(settings.read_timeout)))
        if not self._capture.open(settings.device, cv2.CAP_V4L2):
            raise CameraError(
                CameraFault.NOT_VIDEO,
                f"{settings.device} is a video device, and gives no pictures",
                remedy="Look whether another program uses it, and whether it is the camera's first device.",
            )
        for what, value in wishes(settings):
            self._capture.ask(what, value)

    def grab(self) -> None:
        """Take the next frame."""
        if self._capture.grab():
            return
        if not Path(self._settings.device).exists():
            raise CameraError(CameraFault.DISCONNECTED, f"{self._settings.device} was unplugged")
        raise CameraError(CameraFault.SILENT, f"{self._settings.device} gives no frame")

    def retrieve(self) -> Pixels:
        """The frame just grabbed."""
        return self._capture.retrieve()

    def close(self) -> None:
        """Let go of the device."""
        self._capture.close()


def wishes(settings: UsbSource) -> tuple[tuple[int, float], ...]:
    """OpenCV's properties to ask for: the format first, because sizes and rates depend on it."""
    fourcc = None if settings.fourcc is None else cv2.VideoWriter.fourcc(*settings.fourcc)
    asked = (
        (cv2.CAP_PROP_FOURCC, fourcc),
        (cv2.CAP_PROP_FRAME_WIDTH, settings.width_px),
        (cv2.CAP_PROP_FRAME_HEIGHT, settings.height_px),
        (cv2.CAP_PROP_FPS, settings.camera_fps),
    )
    return tuple((what, value) for what, value in asked if value is not None)


def _require_camera(device: str) -> None:
    """Raise `CameraError`, with the reason that OpenCV does not give, unless this is a video device."""
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CameraError(
            CameraFault.NOT_FOUND,
            f"{device} is not there",
            remedy="Plug the camera in; `ls /dev/video*` shows all.",
        ) from None
    except PermissionError:
        raise CameraError(
            CameraFault.UNAUTHORISED,
            f"{device} may not be used by this user",
            remedy="Add the user to the group `video`.",
        ) from None
    except OSError as error:
        raise CameraError(CameraFault.UNREACHABLE, f"{device} cannot be opened ({error.strerror})") from None
    try:
        fcntl.ioctl(descriptor, _QUERYCAP, bytearray(_CAPABILITY_BYTES))
    except OSError:
        raise CameraError(CameraFault.NOT_VIDEO, f"{device} is no video device") from None
    finally:
        os.close(descriptor)
