"""A stand-in for the module picamera2, with as much of its interface as edged uses. No Pi is here.

Its ways are those of picamera2 0.3.19 and later: cameras by number, jobs that are waited for with a limit and
raise `TimeoutError` after it, requests that hold one of a few buffers until they are released, arrays in
which `RGB888` lies as blue, green, red, and `BGR888` the other way round.
"""

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edged.domain.frame import Pixels

RED_BGR = (0, 0, 255)


class FakePicamera:
    """What is connected, and what becomes of it.

    Attributes:
        cameras: what `global_camera_info` gives.
        refusal: raised by the call of this name, such as `start`.
        is_loose: no picture comes any more.
        is_gone: the next picture is an error of libcamera's.
        opened, closed: how often a camera was; configurations: what each was configured with.
        held: buffers that were given out and not released.
        flushed: how often waiting jobs were cancelled.
        picture: what the camera sees, as blue, green, red.
    """

    def __init__(self) -> None:
        self.cameras: list[dict[str, Any]] = [{"Num": 0, "Model": "imx708", "Id": "/base/soc"}]
        self.refusal: tuple[str, Exception] | None = None
        self.is_loose = self.is_gone = False
        self.opened = self.closed = self.held = self.flushed = 0
        self.configurations: list[dict[str, Any]] = []
        self.picture: Pixels = np.full((24, 32, 3), RED_BGR, np.uint8)

    def called(self, name: str) -> None:
        """A call; refused where that was asked for."""
        if self.refusal is not None and self.refusal[0] == name:
            raise self.refusal[1]

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be the module picamera2 until the test ends."""
        pi = self

        class Picamera2(_Camera):
            def __init__(self, camera_num: int = 0) -> None:
                super().__init__(pi, camera_num)

            @staticmethod
            def global_camera_info() -> list[dict[str, Any]]:
                return pi.cameras

        module = ModuleType("picamera2")
        module.Picamera2 = Picamera2  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "picamera2", module)


class _Camera:
    def __init__(self, pi: FakePicamera, camera_num: int) -> None:
        pi.called("Picamera2")
        self._pi = pi
        self._is_started = False
        assert any(info.get("Num", 0) == camera_num for info in pi.cameras)
        pi.opened += 1

    def create_video_configuration(self, **wishes: Any) -> dict[str, Any]:
        return wishes

    def configure(self, wishes: dict[str, Any]) -> None:
        self._pi.called("configure")
        self._pi.configurations.append(wishes)

    def start(self) -> None:
        self._pi.called("start")
        self._is_started = True

    def capture_request(self, wait: object = None) -> object:
        assert wait is False, "it would wait without an end"
        assert self._is_started
        return object()

    def wait(self, _job: object, timeout: float | None = None) -> "_Request":
        assert timeout is not None
        if self._pi.is_gone:
            raise RuntimeError("Camera frontend has timed out!")
        buffers = self._pi.configurations[-1]["buffer_count"]
        # Nothing comes into buffers that nobody gives back, nor over a loose cable.
        if self._pi.is_loose or self._pi.held >= buffers:
            raise TimeoutError
        return _Request(self._pi)

    def cancel_all_and_flush(self) -> None:
        self._pi.flushed += 1

    def stop(self) -> None:
        self._pi.called("stop")

    def close(self) -> None:
        self._pi.closed += 1


class _Request:
    def __init__(self, pi: FakePicamera) -> None:
        self._pi = pi
        pi.held += 1

    def make_array(self, name: str) -> Pixels:
        assert name == "main"
        self._pi.called("make_array")
        picture = self._pi.picture
        if self._pi.configurations[-1]["main"]["format"] == "BGR888":
            picture = picture[:, :, ::-1]
        # As libcamera fills lines up to a multiple of 64 bytes, and picamera2 slices that off.
        height, width, channels = picture.shape
        lines = np.zeros((height, -(-width * channels // 64) * 64), np.uint8)
        lines[:, : width * channels] = picture.reshape(height, -1)
        return lines[:, : width * channels].reshape(height, width, channels)

    def release(self) -> None:
        self._pi.held -= 1
