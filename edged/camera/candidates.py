"""The ways to decode that are worth a trial on this machine."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edged.camera.decoding import Decodings, DecodingSource, said_by
from edged.camera.presets import Way, every_way
from edged.domain.errors import CameraError

_DEVICES: Final = (("/dev", "video*"), ("/dev", "media*"), ("/dev/dri", "render*"))
_DECODER_LINE: Final = re.compile(r"^ V[A-Z.]{5} (\S+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides whether a way can work at all; whether it does is tried.

    Attributes:
        devices: device files there are, of the kinds that decoders need.
        abilities: decoders and methods of `-hwaccel` that the ffmpeg program was built with; None without it.
    """

    devices: frozenset[str]
    abilities: frozenset[str] | None

    def may_do(self, way: Way) -> bool:
        """Whether the program knows it and a device that it needs is there."""
        return way.name in (self.abilities or ()) and (
            not way.device or any(device.startswith(way.device) for device in self.devices)
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to decode, by name, and what makes a source of it."""

    name: str
    make: Callable[[], DecodingSource]


def this_machine(ffmpeg_path: str) -> Machine:
    """Looks at the device files, and asks the program."""
    devices = (path for folder, names in _DEVICES for path in Path(folder).glob(names))
    return Machine(frozenset(map(str, devices)), _abilities(ffmpeg_path))


def candidates(decodings: Decodings, machine: Machine) -> tuple[Candidate, ...]:
    """What to try, OpenCV first: it works nearly always. Raises `CameraError` where there is no video."""
    by_opencv = Candidate("opencv", decodings.by_opencv)
    if machine.abilities is None:
        return (by_opencv,)
    ways = (way for way in every_way(decodings.codec()) if machine.may_do(way))
    return (by_opencv, *(_by_ffmpeg(decodings, way) for way in (Way(), *ways)))


def _by_ffmpeg(decodings: Decodings, way: Way) -> Candidate:
    return Candidate(f"ffmpeg {way.name} {way.filters}".strip(), lambda: decodings.by_ffmpeg(way))


def _abilities(program: str) -> frozenset[str] | None:
    try:
        decoders = said_by(program, ("-decoders",)).decode("utf-8", "replace")
        methods = said_by(program, ("-hwaccels",)).decode("utf-8", "replace")
    except CameraError:
        return None
    return frozenset(_DECODER_LINE.findall(decoders)) | frozenset(methods.split())
