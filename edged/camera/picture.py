"""A picture file that somebody hands over: read whole, upright, and refused in words."""

import struct
from pathlib import Path
from typing import Final

from edged.camera.jpeg import decoded
from edged.camera.opencv import silence_opencv
from edged.domain.errors import CameraError, InputError
from edged.domain.frame import Pixels

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_PIXELS: Final = 64 * 1000 * 1000
"""Decoded, three bytes each: what a small machine can spare for a moment."""

_HEAD_BYTES: Final = 32
_HEIF_BRANDS: Final = (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"avif")


def is_picture(path: Path) -> bool:
    """Whether a file's first bytes are a picture's; raises InputError where it cannot be read."""
    head = _read(path, _HEAD_BYTES)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        raise InputError(f"{path} is a HEIC or AVIF picture", remedy="Save it as JPEG or PNG first.")
    return _kind(head) != ""


def read_picture(path: Path) -> Pixels:
    """A JPEG, PNG, WebP or BMP file, turned upright as its EXIF says.

    Raises InputError, naming the file, where it cannot be read, is not whole, or has more than MOST_BYTES or
    MOST_PIXELS; those are told by its header, before anything large is decoded.
    """
    data = _read(path, MOST_BYTES + 1)
    if not data:
        raise InputError(f"{path} is empty")
    if len(data) > MOST_BYTES:
        raise InputError(f"{path} has more than {MOST_BYTES // 1024**2} MiB, too much for a picture")
    kind = _kind(data)
    try:
        width, height = _size(kind, data)
    except (struct.error, IndexError):
        raise InputError(f"{path} is no whole picture: its header is cut off") from None
    if width * height > MOST_PIXELS:
        raise InputError(
            f"{path} has {width} x {height} pixels, more than {MOST_PIXELS // 1000**2} million",
            remedy="Make it smaller first; a face needs no more than some hundred pixels.",
        )
    if (kind == "PNG" and b"IEND" not in data[-32:]) or (kind == "WebP" and _riff_bytes(data) > len(data)):
        raise InputError(f"{path} is no whole picture: its end is missing")
    silence_opencv()
    try:
        return decoded(data, str(path))
    except CameraError:
        raise InputError(f"{path} is no whole picture that can be decoded") from None


def _read(path: Path, limit: int) -> bytes:
    try:
        if not path.is_file():
            raise InputError(f"{path} is {'a folder' if path.is_dir() else 'not there, or no ordinary file'}")
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def _kind(head: bytes) -> str:
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    return "BMP" if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" else ""


def _size(kind: str, data: bytes) -> tuple[int, int]:
    """Width and height by the header, (0, 0) where it does not say; the decoder has the last word."""
    match kind:
        case "PNG":
            width, height = struct.unpack_from(">II", data, 16)
        case "BMP":
            width, height = struct.unpack_from("<ii", data, 18)
        case "WebP":
            width, height = _webp_size(data)
        case _:
            width, height = _jpeg_size(data)
    return abs(width), abs(height)


def _webp_size(data: bytes) -> tuple[int, int]:
    """RFC 9649, sections 2.5 to 2.7: extended, lossless, lossy."""
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _riff_bytes(data: bytes) -> int:
    return int(struct.unpack_from("<I", data, 4)[0]) + 8


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """The first start of frame (ITU-T T.81, B.2.2): SOF0 to SOF15 without DHT, JPG and DAC."""
    at = 2
    while at < len(data):
        if data[at] != 0xFF:  # noqa: PLR2004
            return 0, 0
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 (a fill byte)
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # noqa: PLR2004
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return 0, 0
