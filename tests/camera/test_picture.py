"""Pictures that somebody hands over: upright, whole, and not too large."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from edged.camera.picture import is_picture, picture_of, read_picture, request_picture_of
from edged.domain.errors import InputError

GRADIENT = np.dstack([np.tile(np.arange(160, dtype=np.uint8), (120, 1))] * 3)
KINDS = (".jpg", ".png", ".webp", ".bmp")


def a_file(folder, suffix=".jpg", picture=GRADIENT):
    path = folder / f"picture{suffix}"
    assert cv2.imwrite(str(path), picture)
    return path


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF segment that says how it is turned (EXIF 2.3, tag 0x0112)."""
    tiff = b"MM\0*" + struct.pack(">I", 8) + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("suffix", KINDS)
def test_every_kind_is_read_by_its_content_not_its_name(tmp_path, suffix):
    path = a_file(tmp_path, suffix).rename(tmp_path / "no_suffix")

    assert is_picture(path)
    picture = read_picture(path)
    assert picture.shape == (120, 160, 3)
    assert np.abs(picture.astype(int) - GRADIENT).max() <= 8


def test_a_picture_is_turned_upright_as_its_camera_says(tmp_path):
    path = a_file(tmp_path)
    path.write_bytes(with_exif(path.read_bytes(), 6))

    picture = read_picture(path)

    assert picture.shape == (160, 120, 3)
    assert picture[0, :, 0].mean() < picture[-1, :, 0].mean(), "its left side is on top now"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_part_of_a_picture_is_refused(tmp_path, suffix, share):
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    path = a_file(tmp_path, suffix, noise)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    with pytest.raises(InputError, match="no whole picture") as refused:
        read_picture(path)

    assert str(path) in str(refused.value)


@pytest.mark.parametrize("suffix", KINDS)
def test_half_a_header_is_refused_too(tmp_path, suffix):
    path = a_file(tmp_path, suffix)
    whole = path.read_bytes()

    for length in range(12, 30):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_picture(path)


def test_a_huge_picture_is_refused_by_its_header(tmp_path):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    end = b"\0\0\0\0IEND\xaeB`\x82"
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + end
    )

    with pytest.raises(InputError, match="60000 x 60000 pixels"):
        read_picture(path)


def test_the_size_of_a_jpeg_stands_behind_its_other_segments(tmp_path):
    path = a_file(tmp_path)
    jpeg = bytearray(with_exif(path.read_bytes(), 1))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 40_000)
    path.write_bytes(jpeg)

    with pytest.raises(InputError, match="40000 x 30000 pixels"):
        read_picture(path)


def test_a_telephones_heic_is_told_how_to_help_itself(tmp_path):
    (tmp_path / "x.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))

    with pytest.raises(InputError, match="HEIC") as refused:
        is_picture(tmp_path / "x.heic")

    assert "JPEG" in refused.value.remedy


@pytest.mark.parametrize("content", [b"", b"hello", b"\0\0\0\x18ftypmp42" + bytes(40), b"BMW is a car maker"])
def test_what_is_no_picture_is_not_called_one(tmp_path, content):
    (tmp_path / "x").write_bytes(content)

    assert not is_picture(tmp_path / "x")


def test_what_is_not_there_and_what_is_a_folder_are_told(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        is_picture(tmp_path / "no.jpg")
    with pytest.raises(InputError, match="is a folder"):
        is_picture(tmp_path)


def a_large_jpeg(width=2600, height=1700):
    """With a bright left half."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = 200
    done, encoded = cv2.imencode(".jpg", pixels)
    assert done
    return encoded.tobytes()


@pytest.mark.parametrize(
    ("size", "decoded"),
    [((2000, 1500), (2000, 1500)), ((2601, 1701), (1301, 851)), ((6001, 4001), (1501, 1001))],
)
def test_a_large_jpeg_of_a_request_is_decoded_smaller(size, decoded):
    picture = request_picture_of(a_large_jpeg(*size), "it", 10**8, 10**8)

    assert (picture.pixels.shape[1], picture.pixels.shape[0]) == decoded
    assert (picture.width_px, picture.height_px) == size


def test_the_size_of_a_large_jpeg_is_that_of_the_upright_one():
    picture = request_picture_of(with_exif(a_large_jpeg(), 6), "it", 10**8, 10**8)

    assert picture.pixels.shape[:2] == (1300, 850)
    assert (picture.width_px, picture.height_px) == (1700, 2600)
    assert picture.pixels[0, :, 0].mean() > 150, "its left side is on top now"


def test_bounds_are_those_that_are_handed_in():
    jpeg = a_large_jpeg(200, 100)

    assert picture_of(jpeg, "it", len(jpeg), 20_000).shape == (100, 200, 3)
    with pytest.raises(InputError, match="too much"):
        picture_of(jpeg, "it", len(jpeg) - 1, 20_000)
    with pytest.raises(InputError, match="200 x 100 pixels"):
        picture_of(jpeg, "it", len(jpeg), 19_999)


def test_rubbish_before_the_size_of_a_jpeg_does_not_hide_it():
    jpeg = bytearray(a_large_jpeg(200, 100))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 40_000)
    second = 4 + struct.unpack_from(">H", jpeg, 4)[0]
    jpeg[second:second] = b"\0\x01rubbish\xff\xff\xd0"

    with pytest.raises(InputError, match="40000 x 30000 pixels"):
        picture_of(bytes(jpeg), "it")


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded():
    done, encoded = cv2.imencode(".jpg", GRADIENT, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
    assert done
    jpeg = encoded.tobytes()
    last = jpeg.rindex(b"\xff\xda")

    assert picture_of(jpeg, "it").shape == (120, 160, 3)
    with pytest.raises(InputError, match="scans"):
        picture_of(jpeg[:last] + jpeg[last:-2] * 200 + jpeg[-2:], "it")


@pytest.mark.parametrize("content", [b"GIF89a\x10\0\x10\0", b"II*\0tiff", b"P6 2 2 255 ", bytes(100)])
def test_other_kinds_are_refused(content):
    with pytest.raises(InputError, match="JPEG, PNG, WebP or BMP"):
        picture_of(content, "it")
