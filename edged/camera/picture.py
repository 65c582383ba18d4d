"""A picture that somebody hands over: read whole, upright, and refused in words."""

import struct
from pathlib import Path
from typing import Final

import cv2

from edged.camera.jpeg import decoded
from edged.camera.opencv import silence_opencv
from edged.camera.picture_header import is_cut_off, is_heif, kind_of, scans_of, size_of
from edged.domain.errors import CameraError, InputError
from edged.domain.frame import Pixels
from edged.pipeline.ports import DecodedPicture

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_PIXELS: Final = 64 * 1000 * 1000
"""Decoded, three bytes each: what a small machine can spare for a moment."""

MOST_SCANS: Final = 100
"""Each scan of a progressive JPEG may go over all of its pixels. Cameras and programs make about ten; a
forged one of some megabytes with a hundred thousand would take hours."""

REDUCED_FROM_PIXELS: Final = 4_000_000
"""A larger JPEG of a request is decoded to a half of its width and height."""
QUARTERED_FROM_PIXELS: Final = 24_000_000
"""And one that is still larger to a quarter: 18 MB decoded at most."""

_HEAD_BYTES: Final = 32
_FLAGS: Final = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}


def is_picture(path: Path) -> bool:
    """Whether a file's first bytes are a picture's; raises InputError where it cannot be read."""
    head = _read(path, _HEAD_BYTES)
    if is_heif(head):
        raise InputError(f"{path} is a HEIC or AVIF picture", remedy="Save it as JPEG or PNG first.")
    return kind_of(head) != ""


def read_picture(path: Path) -> Pixels:
    """A JPEG, PNG, WebP or BMP file, turned upright as its EXIF says.

    Raises InputError, naming the file, where it cannot be read, is not whole, or has more than MOST_BYTES or
    MOST_PIXELS; those are told by its header, before anything large is decoded.
    """
    return picture_of(_read(path, MOST_BYTES + 1), str(path))


def picture_of(
    data: bytes, name: str, most_bytes: int = MOST_BYTES, most_pixels: int = MOST_PIXELS
) -> Pixels:
    """The same of bytes that somebody sent; `name` is how errors call the picture."""
    _checked_size(data, name, most_bytes, most_pixels)
    return _decoded(data, name, cv2.IMREAD_COLOR)


def request_picture_of(data: bytes, name: str, most_bytes: int, most_pixels: int) -> DecodedPicture:
    """The same, in a smaller size where it is a large JPEG: a face needs no more than some hundred pixels."""
    width, height = _checked_size(data, name, most_bytes, most_pixels)
    divisor = 1
    if kind_of(data) == "JPEG" and width * height > REDUCED_FROM_PIXELS:
        divisor = 2 if width * height <= QUARTERED_FROM_PIXELS else 4
    pixels = _decoded(data, name, _FLAGS[divisor])
    is_turned = pixels.shape[:2] != (-(-height // divisor), -(-width // divisor))
    return DecodedPicture(pixels, *((height, width) if is_turned else (width, height)))


def _checked_size(data: bytes, name: str, most_bytes: int, most_pixels: int) -> tuple[int, int]:
    """Width and height of a picture that may be decoded; raises InputError."""
    if not data:
        raise InputError(f"{name} is empty")
    if len(data) > most_bytes:
        raise InputError(f"{name} has more than {most_bytes / 1e6:g} MB, too much for a picture")
    kind = kind_of(data)
    if not kind:
        raise InputError(f"{name} is no whole picture of a kind that is known: JPEG, PNG, WebP or BMP")
    try:
        width, height = size_of(kind, data)
        is_short = is_cut_off(kind, data)
    except (struct.error, IndexError):
        raise InputError(f"{name} is no whole picture: its header is cut off") from None
    if width * height > most_pixels:
        raise InputError(
            f"{name} has {width} x {height} pixels, more than {most_pixels / 1e6:g} million",
            remedy="Make it smaller first; a face needs no more than some hundred pixels.",
        )
    if is_short:
        raise InputError(f"{name} is no whole picture: its end is missing")
    if width * height == 0:
        raise InputError(f"{name} is no whole picture: its header does not say how large it is")
    if kind == "JPEG" and scans_of(data) > MOST_SCANS:
        raise InputError(f"{name} has more than {MOST_SCANS} scans: no camera makes such a JPEG")
    return width, height


def _decoded(data: bytes, name: str, flags: int) -> Pixels:
    silence_opencv()
    try:
        return decoded(data, name, flags)
    except CameraError:
        raise InputError(f"{name} is no whole picture that can be decoded") from None


def _read(path: Path, limit: int) -> bytes:
    try:
        if not path.is_file():
            raise InputError(f"{path} is {'a folder' if path.is_dir() else 'not there, or no ordinary file'}")
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
