"""Snapshots over HTTP, from a camera's page on loopback."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.http_camera import HttpCamera, a_jpeg, once, then_silence
from edged.domain.errors import CameraError, CameraFault
from edged.pipeline.ports import Source
from edged.settings.quantities import Duration, Secret
from edged.settings.sources import SnapshotSource

SourceOf = Callable[..., Source]
FaultOf = Callable[..., CameraError]


def settings(url: str, **more: Any) -> SnapshotSource:
    return SnapshotSource(url=url, **{"every": Duration(0.25), "read_timeout": Duration(5), **more})


def a_camera(*pieces: bytes, content_type: str = "image/jpeg", **more: Any) -> HttpCamera:
    return HttpCamera(once(*pieces), content_type=content_type, **more)


def test_a_picture_is_fetched_when_it_is_wanted_and_only_then(source_of: SourceOf):
    with a_camera(a_jpeg()) as camera:
        source = source_of(settings(camera.url))
        source.open()
        times = [source.grab() for _ in range(4)]
        source.retrieve()
        fetched_with_the_first = camera.requests
        source.grab()
        source.retrieve()

        assert times == [0.0, 0.25, 0.5, 0.75]
        assert fetched_with_the_first == 1
        assert camera.requests == 2
        assert source.is_live


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_user_and_password_are_given_every_time(source_of: SourceOf, scheme: Any):
    with a_camera(a_jpeg(), user="cam", password="p w", scheme=scheme) as camera:
        source = source_of(settings(camera.url, username="cam", password=Secret("door", "p w")))
        source.open()
        for _ in range(8):
            source.grab()
            assert source.retrieve().shape == (240, 320, 3)


def test_a_png_is_a_picture_too(source_of: SourceOf):
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
        "53de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
    )
    with a_camera(png, content_type="image/png") as camera:
        source = source_of(settings(camera.url))
        source.open()
        source.grab()

        assert source.retrieve().shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>log in here</html>", "text/html"),
        (a_jpeg()[:-2], "image/jpeg"),
        (a_jpeg()[:2000], "image/jpeg"),
        (b"", "image/jpeg"),
    ],
)
def test_what_is_no_whole_picture_is_not_video(fault_of: FaultOf, body: bytes, content_type: str):
    with a_camera(body, content_type=content_type) as camera:
        error = fault_of(settings(camera.url))

    assert error.fault is CameraFault.NOT_VIDEO
    assert content_type in error.what


def test_a_picture_without_end_is_refused(fault_of: FaultOf):
    def flood(over: Any) -> Iterator[bytes]:
        while not over.is_set():
            yield b"x" * 1024 * 1024

    with HttpCamera(flood, content_type="image/jpeg") as camera:
        assert fault_of(settings(camera.url)).fault is CameraFault.NOT_VIDEO


def test_a_picture_that_never_comes_is_silence(fault_of: FaultOf):
    with HttpCamera(then_silence(a_jpeg()[:100]), content_type="image/jpeg") as camera:
        error = fault_of(settings(camera.url, read_timeout=Duration(0.3)))

    assert error.fault is CameraFault.SILENT


def test_a_camera_that_goes_away_between_two_pictures_is_unreachable(source_of: SourceOf):
    with a_camera(a_jpeg()) as camera:
        source = source_of(settings(camera.url))
        source.open()
        source.grab()
        source.retrieve()
    source.grab()

    with pytest.raises(CameraError) as caught:
        source.retrieve()
    assert caught.value.fault is CameraFault.UNREACHABLE
