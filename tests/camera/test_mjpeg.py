"""MJPEG over HTTP, from a camera's page on loopback."""

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.http_camera import BOUNDARY, HttpCamera, a_jpeg, a_part, once, stream_of, then_silence
from edged.camera.multipart import MOST_BYTES
from edged.domain.errors import CameraError, CameraFault
from edged.pipeline.ports import Source
from edged.settings.quantities import Duration, Secret
from edged.settings.sources import HttpSource

SourceOf = Callable[..., Source]
FaultOf = Callable[..., CameraError]
MOVING = stream_of(*(a_jpeg(shade) for shade in range(0, 250, 25)))


def settings(url: str, **more: Any) -> HttpSource:
    return HttpSource(url=url, **{"open_timeout": Duration(5), "read_timeout": Duration(5), **more})


def login(password: str) -> dict[str, Any]:
    return {"username": "cam", "password": Secret("door", password)}


@pytest.mark.parametrize("length", [True, False])
def test_frames_come_in_order(source_of: SourceOf, length: bool):  # noqa: FBT001 - a parameter
    with HttpCamera(stream_of(a_jpeg(0), a_jpeg(100), a_jpeg(200), length=length)) as camera:
        source = source_of(settings(camera.url))
        source.open()
        shades = []
        for _ in range(6):
            assert source.grab() is None
            shades.append(round(float(source.retrieve()[:, :, 0].mean()), -2))

    assert shades == [0, 100, 200, 0, 100, 200]
    assert source.decoder == "opencv jpeg"


def test_a_change_of_size_is_no_fault(source_of: SourceOf):
    with HttpCamera(stream_of(a_jpeg(), a_jpeg(size=(640, 480)))) as camera:
        source = source_of(settings(camera.url))
        source.open()
        shapes = []
        for _ in range(2):
            source.grab()
            shapes.append(source.retrieve().shape)

    assert shapes == [(240, 320, 3), (480, 640, 3)]


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_user_and_password_are_given(source_of: SourceOf, scheme: Any):
    with HttpCamera(MOVING, user="cam", password="p:w/x@y z", scheme=scheme) as camera:
        source = source_of(settings(camera.url, **login("p:w/x@y z")))
        source.open()
        source.grab()

        assert source.retrieve().shape == (240, 320, 3)


@pytest.mark.parametrize("scheme", ["basic", "digest", "negotiate"])
def test_a_refused_password_is_told_and_not_printed(fault_of: FaultOf, scheme: Any):
    with HttpCamera(MOVING, user="cam", password="right", scheme=scheme) as camera:
        error = fault_of(settings(camera.url, **login("wrong-one")))

    assert error.fault is CameraFault.UNAUTHORISED
    assert "wrong-one" not in str(error) + repr(error)


def test_a_camera_that_asks_for_a_password_nobody_gave_says_so(fault_of: FaultOf):
    with HttpCamera(MOVING, user="cam", password="right") as camera:
        error = fault_of(settings(camera.url))

    assert error.fault is CameraFault.UNAUTHORISED
    assert "asks for a user" in error.what


@pytest.mark.parametrize(
    ("status", "fault"),
    [(403, CameraFault.UNAUTHORISED), (404, CameraFault.NOT_FOUND), (503, CameraFault.NOT_VIDEO)],
)
def test_a_status_has_its_fault(fault_of: FaultOf, status: int, fault: CameraFault):
    with HttpCamera(MOVING, status=status) as camera:
        assert fault_of(settings(camera.url)).fault is fault


def test_a_page_is_not_video(fault_of: FaultOf):
    with HttpCamera(once(b"<html>"), content_type="text/html") as camera:
        error = fault_of(settings(camera.url))

    assert error.fault is CameraFault.NOT_VIDEO
    assert "text/html" in error.what


def test_a_single_picture_is_not_video_and_the_right_type_is_named(fault_of: FaultOf):
    with HttpCamera(once(a_jpeg()), content_type="image/jpeg") as camera:
        error = fault_of(settings(camera.url))

    assert error.fault is CameraFault.NOT_VIDEO
    assert error.remedy == "Set type: snapshot."


def test_a_multipart_stream_without_a_boundary_is_not_video(fault_of: FaultOf):
    with HttpCamera(MOVING, content_type="multipart/x-mixed-replace") as camera:
        assert fault_of(settings(camera.url)).fault is CameraFault.NOT_VIDEO


def test_a_broken_picture_is_told_and_the_next_one_is_good(source_of: SourceOf):
    jpeg = a_jpeg()
    with HttpCamera(stream_of(jpeg[: len(jpeg) // 2], b"no picture at all", jpeg)) as camera:
        source = source_of(settings(camera.url))
        source.open()
        for _ in range(2):
            source.grab()
            with pytest.raises(CameraError) as caught:
                source.retrieve()
            assert caught.value.fault is CameraFault.NOT_VIDEO
        source.grab()

        assert source.retrieve().shape == (240, 320, 3)


def test_a_camera_that_falls_silent_is_silent(source_of: SourceOf):
    with HttpCamera(then_silence(a_part(a_jpeg()), b"--" + BOUNDARY.encode())) as camera:
        source = source_of(settings(camera.url, read_timeout=Duration(0.3)))
        source.open()
        source.grab()
        with pytest.raises(CameraError) as caught:
            source.grab()

    assert caught.value.fault is CameraFault.SILENT


def test_a_camera_that_drips_is_as_silent(source_of: SourceOf):
    def drip(over: Any) -> Iterator[bytes]:
        yield f"--{BOUNDARY}\r\nContent-Length: 100000\r\n\r\n".encode()
        while not over.wait(0.05):
            yield b"x"

    with HttpCamera(drip) as camera:
        source = source_of(settings(camera.url, read_timeout=Duration(0.4)))
        source.open()
        with pytest.raises(CameraError) as caught:
            source.grab()

    assert caught.value.fault is CameraFault.SILENT


def test_a_stream_that_ends_is_a_disconnection(source_of: SourceOf):
    with HttpCamera(once(a_part(a_jpeg()), b"--frame\r\nContent-Length: 999\r\n\r\nhalf")) as camera:
        source = source_of(settings(camera.url))
        source.open()
        source.grab()
        with pytest.raises(CameraError) as caught:
            source.grab()

    assert caught.value.fault is CameraFault.DISCONNECTED


@pytest.mark.parametrize("claims", [True, False])
def test_a_part_without_end_is_refused(source_of: SourceOf, claims: bool):  # noqa: FBT001 - a parameter
    head = f"--{BOUNDARY}\r\n" + (f"Content-Length: {MOST_BYTES * 4}\r\n" if claims else "X: y\r\n") + "\r\n"
    megabyte = b"x" * 1024 * 1024

    def flood(over: Any) -> Iterator[bytes]:
        yield head.encode()
        while not over.is_set():
            yield megabyte

    with HttpCamera(flood) as camera:
        source = source_of(settings(camera.url))
        source.open()
        with pytest.raises(CameraError) as caught:
            source.grab()

    assert caught.value.fault is CameraFault.NOT_VIDEO


def test_a_port_that_refuses_is_unreachable(closed_port: int, fault_of: FaultOf):
    assert fault_of(settings(f"http://127.0.0.1:{closed_port}/")).fault is CameraFault.UNREACHABLE


def test_a_host_that_does_not_exist_is_unreachable(fault_of: FaultOf):
    assert fault_of(settings("http://no-such-host.invalid/")).fault is CameraFault.UNREACHABLE


def test_a_port_that_says_nothing_is_silent(silent_port: int, fault_of: FaultOf):
    error = fault_of(settings(f"http://127.0.0.1:{silent_port}/", read_timeout=Duration(0.3)))

    assert error.fault is CameraFault.SILENT


def test_something_that_speaks_no_tls_is_not_video(web_page_port: int, fault_of: FaultOf):
    error = fault_of(settings(f"https://127.0.0.1:{web_page_port}/"))

    assert error.fault is CameraFault.NOT_VIDEO
    assert "http://" in error.remedy


def test_certificates_that_are_not_there_are_told(fault_of: FaultOf):
    error = fault_of(settings("https://127.0.0.1:1/", ca_file="/nowhere/ca.pem"))

    assert error.fault is CameraFault.NOT_FOUND
    assert "/nowhere/ca.pem" in error.what


def test_a_certificate_is_trusted_only_with_its_authority(
    source_of: SourceOf, fault_of: FaultOf, tmp_path: Any
):
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HttpCamera(MOVING, tls=context) as camera:
        error = fault_of(settings(camera.url))
        source = source_of(settings(camera.url, ca_file="ca.pem"), tmp_path)
        source.open()
        source.grab()

    assert error.fault is CameraFault.UNREACHABLE
    assert "not trusted" in error.what
    assert source.retrieve().shape == (240, 320, 3)
