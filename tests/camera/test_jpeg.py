"""Compressed pictures."""

import pytest

from bench.http_camera import a_jpeg
from edged.camera.jpeg import decoded, is_whole
from edged.domain.errors import CameraError, CameraFault

THUMBNAIL = b"\xff\xe1\x10\x00Exif" + a_jpeg(size=(32, 24))


def with_thumbnail(jpeg: bytes) -> bytes:
    length = (len(THUMBNAIL) - 2).to_bytes(2, "big")
    return jpeg[:2] + THUMBNAIL[:2] + length + THUMBNAIL[4:] + jpeg[2:]


def test_a_whole_jpeg_is_whole_also_with_padding_behind_it():
    assert is_whole(a_jpeg())
    assert is_whole(a_jpeg() + bytes(100))


@pytest.mark.parametrize("missing", [1, 2, 100, 2000])
def test_a_jpeg_that_was_cut_off_is_not(missing: int):
    assert not is_whole(a_jpeg()[:-missing])


def test_the_end_of_a_thumbnail_is_not_taken_for_the_end():
    picture = with_thumbnail(a_jpeg())

    assert is_whole(picture)
    assert not is_whole(picture[:-100])


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"hello", a_jpeg()[:-50], bytes(1000)])
def test_garbage_is_refused_with_the_name_of_its_source(data: bytes):
    with pytest.raises(CameraError, match="the camera gave") as caught:
        decoded(data, "the camera")
    assert caught.value.fault is CameraFault.NOT_VIDEO
