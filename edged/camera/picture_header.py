"""What a compressed picture says of itself before it is decoded: its kind and its size."""

import struct
from typing import Final

HEIF_BRANDS: Final = (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"avif")

_FULL: Final = 0xFF
_STANDALONE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD8)})
"""A stuffed byte, TEM, and restarts: no length follows (ITU-T T.81, B.1.1.3 and table B.1)."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15 without DHT, JPG and DAC."""


def kind_of(head: bytes) -> str:
    """`JPEG`, `PNG`, `WebP` or `BMP` by the first bytes; empty for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    return "BMP" if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" else ""


def is_heif(head: bytes) -> bool:
    """Whether it is a HEIC or AVIF picture, as many telephones make them."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def size_of(kind: str, data: bytes) -> tuple[int, int]:
    """Width and height in pixels, not turned upright; (0, 0) where the header does not say.

    Raises struct.error or IndexError where the header is cut off.
    """
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


def is_cut_off(kind: str, data: bytes) -> bool:
    """Whether its end is missing, of a PNG or WebP."""
    if kind == "PNG":
        return b"IEND" not in data[-32:]
    return kind == "WebP" and int(struct.unpack_from("<I", data, 4)[0]) + 8 > len(data)


def scans_of(data: bytes) -> int:
    """At most so many scans has a JPEG: its starts of scan, and those of a thumbnail in it."""
    return data.count(b"\xff\xda")


def _webp_size(data: bytes) -> tuple[int, int]:
    """RFC 9649, sections 2.5 to 2.7: extended, lossless, lossy."""
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """The first start of frame (ITU-T T.81, B.2.2).

    Rubbish between segments is passed over, as decoders do: what they find, the check has found.
    """
    at = 2
    while at < len(data):
        at = data.find(_FULL, at)
        if at < 0:
            return 0, 0
        marker = data[at + 1]
        if marker == _FULL:
            at += 1
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        elif marker in _STANDALONE:
            at += 2
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return 0, 0
