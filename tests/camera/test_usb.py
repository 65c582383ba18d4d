"""Cameras at this machine. No Video4Linux device can be made here: only what is wrong with one is tested."""

from collections.abc import Callable

import cv2
import pytest

from edged.camera.usb import wishes
from edged.domain.errors import CameraError, CameraFault
from edged.pipeline.ports import Source
from edged.settings.sources import UsbSource

FaultOf = Callable[..., CameraError]


def test_a_missing_device_is_not_found(fault_of: FaultOf):
    error = fault_of(UsbSource(device="/dev/video97"))

    assert error.fault is CameraFault.NOT_FOUND
    assert "/dev/video97" in error.what


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_of_another_kind_is_not_video(fault_of: FaultOf, device: str):
    error = fault_of(UsbSource(device=device))

    assert error.fault is CameraFault.NOT_VIDEO
    assert "is no video device" in error.what


def test_a_folder_is_no_device(fault_of: FaultOf):
    assert fault_of(UsbSource(device="/dev/shm")).fault in {CameraFault.UNREACHABLE, CameraFault.NOT_VIDEO}


def test_the_pixel_format_is_asked_for_first_and_what_is_not_said_is_not_asked():
    asked = wishes(UsbSource(width_px=1280, height_px=720, fourcc="MJPG"))

    assert asked == (
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
    )
    assert wishes(UsbSource()) == ()


def test_a_camera_that_is_gone_while_it_is_read_is_a_disconnection(source_of: Callable[..., Source]):
    source = source_of(UsbSource(device="/dev/video97"))

    with pytest.raises(CameraError, match="was unplugged") as caught:
        source.grab()
    assert caught.value.fault is CameraFault.DISCONNECTED


def test_a_camera_that_is_there_and_gives_nothing_is_silent(source_of: Callable[..., Source]):
    source = source_of(UsbSource(device="/dev/null"))

    with pytest.raises(CameraError) as caught:
        source.grab()
    assert caught.value.fault is CameraFault.SILENT
