"""A camera at a Raspberry Pi's ribbon connector, by picamera2, which is Raspberry Pi OS's own package."""

import contextlib
import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.settings.sources import CsiSource

_BGR: Final = "RGB888"
"""libcamera's names tell the order in a 24-bit word: RGB888 lies in memory as blue, green, red, which is the
order that is wanted here. `BGR888` would swap red and blue."""

_BUFFERS: Final = 4
_FOREIGN: Final = (RuntimeError, ValueError, LookupError, OSError, AttributeError, TypeError)
"""What picamera2 and libcamera raise for a camera that does not do what it is asked."""


class CsiByPicamera2:
    """A camera that libcamera knows."""

    is_live = True

    def __init__(self, settings: CsiSource) -> None:
        self._settings = settings
        self._name = f"CSI camera {settings.camera}"
        self._model = ""
        self._camera: Any = None
        self._request: Any = None

    @property
    def decoder(self) -> str:
        """Who gives the pictures: they come from the camera's own processor, decoded."""
        return f"picamera2 {self._model}".strip() if self._camera is not None else ""

    def open(self) -> None:
        """Ask for size and rate, and start the camera."""
        self.close()
        driver = _driver()
        self._model = self._required_model(driver)
        settings = self._settings
        try:
            self._camera = driver(settings.camera)
            wishes = self._camera.create_video_configuration(
                main={"size": (settings.width_px, settings.height_px), "format": _BGR},
                controls={"FrameRate": settings.camera_fps},
                buffer_count=_BUFFERS,
            )
            self._camera.configure(wishes)
            self._camera.start()
        except _FOREIGN as error:
            fault = CameraError(
                CameraFault.UNAUTHORISED if isinstance(error, PermissionError) else CameraFault.NOT_VIDEO,
                f"{self._name} cannot be started ({_words(error)})",
                remedy="Look whether another program uses it, and whether it can do this size and rate.",
            )
        else:
            return
        self.close()
        raise fault

    def grab(self) -> None:
        """Take the next frame, within the time limit."""
        self._release()
        if self._camera is None:
            raise CameraError(CameraFault.DISCONNECTED, f"{self._name} is not open")
        try:
            # Waiting inside capture_request would have no end where the ribbon cable is loose.
            job = self._camera.capture_request(wait=False)
            self._request = self._camera.wait(job, timeout=float(self._settings.read_timeout))
        except TimeoutError:
            raise CameraError(
                CameraFault.SILENT,
                f"{self._name} sent no picture for {self._settings.read_timeout}",
                remedy="Look at its ribbon cable; read_timeout is the limit.",
            ) from None
        except _FOREIGN as error:
            raise CameraError(CameraFault.DISCONNECTED, f"{self._name} stopped ({_words(error)})") from None

    def retrieve(self) -> Pixels:
        """The frame just grabbed."""
        if self._request is None:
            raise CameraError(CameraFault.NOT_VIDEO, f"{self._name}: no picture was received")
        try:
            # A copy, and without the bytes that fill a line up: the buffer goes back to the camera.
            picture = np.ascontiguousarray(self._request.make_array("main"))
        except _FOREIGN as error:
            raise CameraError(
                CameraFault.NOT_VIDEO, f"a picture of {self._name} cannot be read ({_words(error)})"
            ) from None
        finally:
            self._release()
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:  # noqa: PLR2004
            raise CameraError(CameraFault.NOT_VIDEO, f"a picture of {self._name} has a form of its own")
        return picture

    def close(self) -> None:
        """Stop the camera and let go of it."""
        self._release()
        camera, self._camera = self._camera, None
        if camera is None:
            return
        # Each by itself: one that fails must not keep the next from being done.
        for step in ("cancel_all_and_flush", "stop", "close"):
            with contextlib.suppress(*_FOREIGN):
                getattr(camera, step)()

    def _release(self) -> None:
        """Give the buffer back to the camera, which has only a few."""
        request, self._request = self._request, None
        if request is not None:
            with contextlib.suppress(*_FOREIGN):
                request.release()

    def _required_model(self, driver: Any) -> str:
        """The camera's model; raises `CameraError` where there is no such camera."""
        number = self._settings.camera
        known = {info.get("Num", place): info for place, info in enumerate(driver.global_camera_info())}
        if number in known:
            return str(known[number].get("Model", ""))
        barred = [
            path for path in sorted(Path("/dev").glob("media*")) if not os.access(path, os.R_OK | os.W_OK)
        ]
        if barred and not known:
            raise CameraError(
                CameraFault.UNAUTHORISED,
                f"{self._name} is not seen, and {barred[0]} may not be used by this user",
                remedy="Add the user to the group `video`.",
            )
        others = ", ".join(f"{place} ({info.get('Model', 'unknown')})" for place, info in known.items())
        raise CameraError(
            CameraFault.NOT_FOUND,
            f"{self._name} is not there; libcamera sees {others or 'none'}",
            remedy="Look at the ribbon cable; `rpicam-hello --list-cameras` shows all.",
        )


def _driver() -> Any:
    """The class of picamera2 that is a camera."""
    # libcamera writes to standard error by itself.
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    try:
        from picamera2 import Picamera2  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError as error:
        missing = (error.name or "picamera2").partition(".")[0]
        raise CameraError(
            CameraFault.NOT_FOUND,
            f"the Python package {missing} is not there, and a CSI camera is only reached by picamera2",
            remedy="`apt install python3-picamera2`, and let edged's environment see it: docs/feeds.md.",
        ) from None
    except _FOREIGN as error:
        # A numpy that one of its parts was not built for says so in this way.
        raise CameraError(
            CameraFault.NOT_FOUND,
            f"the Python package picamera2 cannot be loaded ({_words(error)})",
            remedy="Its parts and edged's numpy must fit each other: docs/feeds.md.",
        ) from None
    return Picamera2


def _words(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
