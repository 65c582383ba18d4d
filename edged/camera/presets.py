"""Hardware decoders by the machine's name: what ffmpeg is given, and what proves that it decodes so. Pure.

With `-c:v NAME` ffmpeg uses that decoder or fails, and says so in its stream mapping. With `-hwaccel NAME`
alone it goes on in software where the hardware refuses a stream, and its mapping says `native` in either
case. So those ways ask for pictures that stay in the hardware and fetch them by `hwdownload`: that filter
takes nothing else, and ffmpeg ends with an error where it would have fallen back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Way:
    """One way to have ffmpeg decode.

    Attributes:
        name: what it is called: a decoder of ffmpeg's, or a method of `-hwaccel`. Empty: as ffmpeg likes.
        arguments: before the input.
        filters: what the pictures pass through, which fails for pictures that software decoded; or empty.
        mapping: what the stream mapping must say; empty: anything.
        device: how the device files begin that it needs; empty: not known.
    """

    name: str = ""
    arguments: tuple[str, ...] = ()
    filters: str = ""
    mapping: str = ""
    device: str = ""

    @property
    def is_acceleration(self) -> bool:
        """Whether it is a method of `-hwaccel`, where the decoder itself is ffmpeg's own."""
        return bool(self.filters)

    def told(self, mapping: str) -> str:
        """Who decodes, in words: the stream mapping, and the method, where that is proved."""
        return mapping.replace("(native)", f"(native, {self.name})") if self.is_acceleration else mapping


def _decoder(codec: str, name: str, device: str = "") -> Way:
    return Way(name, ("-c:v", name), mapping=f"{codec} ({name})", device=device)


def _acceleration(codec: str, method: str, surface: str, pixels: str, device: str) -> Way:
    return Way(
        method,
        # The codec's own decoder: others of it, such as libdav1d, know no hardware.
        ("-hwaccel", method, "-hwaccel_output_format", surface, "-c:v", codec),
        # Of two formats negotiation would choose without asking the hardware, so there is one.
        filters=f"hwdownload,format={pixels}",
        mapping=f"{codec} (native)",
        device=device,
    )


def _vaapi(codec: str, *pixels: str) -> tuple[Way, ...]:
    return tuple(_acceleration(codec, "vaapi", "vaapi", each, "/dev/dri/render") for each in pixels)


_PI_H264: Final = (_decoder("h264", "h264_v4l2m2m", "/dev/video"),)
# Raspberry Pi OS's ffmpeg gives yuv420p of the Pi's own layout; others give what the hardware has.
_PI_HEVC: Final = tuple(
    _acceleration("hevc", "drm", "drm_prime", pixels, "/dev/media") for pixels in ("yuv420p", "nv12")
)

PRESETS: Final[Mapping[str, Mapping[str, tuple[Way, ...]]]] = {
    "pi3": {"h264": _PI_H264},
    "pi4": {"h264": _PI_H264, "hevc": _PI_HEVC},
    "pi5": {"hevc": _PI_HEVC},
    "jetson": {
        # The first is jocover's build, the second NVIDIA's own package.
        codec: (_decoder(codec, f"{codec}_nvmpi"), _decoder(codec, f"{codec}_nvv4l2dec"))
        for codec in ("h264", "hevc")
    },
    "vaapi": {
        "h264": _vaapi("h264", "nv12"),
        "hevc": _vaapi("hevc", "nv12", "p010le"),
        "mjpeg": _vaapi("mjpeg", "nv12"),
        "vp8": _vaapi("vp8", "nv12"),
        "vp9": _vaapi("vp9", "nv12", "p010le"),
        "av1": _vaapi("av1", "nv12", "p010le"),
    },
}
"""Preset, codec as ffmpeg calls it, and the ways to try, one after the other."""


def every_way(codec: str) -> tuple[Way, ...]:
    """All hardware ways of all presets for a codec, each once."""
    return tuple(dict.fromkeys(way for preset in PRESETS.values() for way in preset.get(codec, ())))
