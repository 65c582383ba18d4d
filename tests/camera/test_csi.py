"""A camera at the ribbon connector, against a stand-in for picamera2: it was not run on a Pi."""

import sys
from collections.abc import Callable

import numpy as np
import pytest

from builders.picamera import RED_BGR, FakePicamera
from edged.domain.errors import CameraError, CameraFault
from edged.pipeline.ports import Source
from edged.settings.quantities import Duration
from edged.settings.sources import CsiSource

SourceOf = Callable[..., Source]
FaultOf = Callable[..., CameraError]


@pytest.fixture
def pi(monkeypatch: pytest.MonkeyPatch) -> FakePicamera:
    fake = FakePicamera()
    fake.install(monkeypatch)
    return fake


@pytest.mark.usefixtures("pi")
def test_red_is_red(source_of: SourceOf):
    source = source_of(CsiSource())
    source.open()

    assert source.is_live
    assert source.grab() is None
    picture = source.retrieve()
    assert picture.shape == (24, 32, 3)
    assert picture.flags.c_contiguous
    assert np.array_equal(picture[0, 0], RED_BGR)
    assert source.decoder == "picamera2 imx708"


def test_size_and_rate_are_asked_for(pi: FakePicamera, source_of: SourceOf):
    source_of(CsiSource(width_px=640, height_px=480, camera_fps=12)).open()

    assert pi.configurations[0]["main"]["size"] == (640, 480)
    assert pi.configurations[0]["controls"] == {"FrameRate": 12}


def test_lines_that_are_filled_up_are_cut_to_the_picture(pi: FakePicamera, source_of: SourceOf):
    pi.picture = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    source = source_of(CsiSource())
    source.open()
    source.grab()

    assert np.array_equal(source.retrieve(), pi.picture)


def test_buffers_go_back_to_the_camera_whether_pictures_are_wanted_or_not(
    pi: FakePicamera, source_of: SourceOf
):
    source = source_of(CsiSource())
    source.open()
    for number in range(20):
        source.grab()
        if number % 3 == 0:
            source.retrieve()
    source.close()

    assert pi.held == 0


def test_without_picamera2_it_is_said_what_to_install(fault_of: FaultOf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    error = fault_of(CsiSource())

    assert error.fault is CameraFault.NOT_FOUND
    assert "apt install python3-picamera2" in error.remedy


def test_a_camera_number_that_is_not_there_is_told_with_those_that_are(pi: FakePicamera, fault_of: FaultOf):
    error = fault_of(CsiSource(camera=1))

    assert error.fault is CameraFault.NOT_FOUND
    assert error.what == "CSI camera 1 is not there; libcamera sees 0 (imx708)"
    assert pi.opened == 0


def test_a_pi_without_a_camera_says_so(pi: FakePicamera, fault_of: FaultOf):
    pi.cameras = []
    error = fault_of(CsiSource())

    assert error.fault in {CameraFault.NOT_FOUND, CameraFault.UNAUTHORISED}
    assert "CSI camera 0 is not" in error.what


@pytest.mark.parametrize("call", ["Picamera2", "configure", "start"])
def test_a_camera_that_another_program_uses_is_told_and_let_go_of(
    pi: FakePicamera, fault_of: FaultOf, call: str
):
    pi.refusal = call, RuntimeError("Failed to acquire camera:\n Device or resource busy")
    error = fault_of(CsiSource())

    assert error.fault is CameraFault.NOT_VIDEO
    assert "Failed to acquire camera: Device or resource busy" in error.what
    assert pi.closed == pi.opened


def test_a_device_that_may_not_be_used_is_unauthorised(pi: FakePicamera, fault_of: FaultOf):
    pi.refusal = "configure", PermissionError(13, "Permission denied")

    assert fault_of(CsiSource()).fault is CameraFault.UNAUTHORISED


def test_a_loose_cable_is_silence_and_jobs_that_wait_are_cancelled(pi: FakePicamera, source_of: SourceOf):
    source = source_of(CsiSource(read_timeout=Duration(0.5)))
    source.open()
    source.grab()
    pi.is_loose = True
    with pytest.raises(CameraError) as caught:
        source.grab()
    source.close()

    assert caught.value.fault is CameraFault.SILENT
    assert (pi.flushed, pi.closed, pi.held) == (1, 1, 0)


def test_a_camera_that_libcamera_gives_up_is_a_disconnection(pi: FakePicamera, source_of: SourceOf):
    source = source_of(CsiSource())
    source.open()
    pi.is_gone = True
    with pytest.raises(CameraError, match="frontend has timed out") as caught:
        source.grab()

    assert caught.value.fault is CameraFault.DISCONNECTED


@pytest.mark.parametrize("channels", [1, 4])
def test_a_picture_of_another_form_is_broken_and_its_buffer_given_back(
    pi: FakePicamera, source_of: SourceOf, channels: int
):
    pi.picture = np.zeros((24, 32, channels), np.uint8)
    source = source_of(CsiSource())
    source.open()
    source.grab()
    with pytest.raises(CameraError) as caught:
        source.retrieve()

    assert caught.value.fault is CameraFault.NOT_VIDEO
    assert pi.held == 0


def test_a_picture_that_cannot_be_read_gives_its_buffer_back(pi: FakePicamera, source_of: SourceOf):
    source = source_of(CsiSource())
    source.open()
    source.grab()
    pi.refusal = "make_array", RuntimeError("mmap failed")
    with pytest.raises(CameraError):
        source.retrieve()

    assert pi.held == 0


def test_closing_goes_on_to_its_end_though_stopping_fails(pi: FakePicamera, source_of: SourceOf):
    source = source_of(CsiSource())
    source.open()
    pi.refusal = "stop", RuntimeError("already stopped")
    source.close()
    source.close()

    assert pi.closed == 1
    assert source.decoder == ""


@pytest.mark.usefixtures("pi")
def test_a_camera_that_is_not_open_gives_nothing(source_of: SourceOf):
    source = source_of(CsiSource())
    for take in (source.grab, source.retrieve):
        with pytest.raises(CameraError):
            take()
