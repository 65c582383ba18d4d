"""Sources that can decode in several ways, and the questions to ask before one is chosen."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from edged.camera.credentials import credentials_of
from edged.camera.ffmpeg import FileByFfmpeg, RtspByFfmpeg
from edged.camera.ffmpeg_words import FfmpegWords
from edged.camera.file import FileByOpenCv
from edged.camera.files import require_clip, resolved
from edged.camera.presets import Way
from edged.camera.rtsp import RtspByOpenCv
from edged.camera.rtsp_probe import codec_of
from edged.domain.errors import CameraError, CameraFault
from edged.domain.moment import Clock
from edged.pipeline.ports import Source
from edged.settings.sources import FileSource, RtspSource

_LOOK_S: Final = 20.0
_KEPT_BYTES: Final = 64 * 1024


class DecodingSource(Source, Protocol):
    """A source whose work can be measured."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Folders below /proc of what decodes, apart from the thread that takes the pictures."""
        ...


@dataclass(frozen=True, slots=True)
class Decodings:
    """What can decode one stream or clip.

    Attributes:
        name: of the stream or clip, for people; holds no secret.
        is_live: whether its frames happen now.
        codec: asks the camera or the file for its codec, as ffmpeg calls it; raises `CameraError`.
        by_opencv: makes the source that OpenCV decodes.
        by_ffmpeg: makes the source that an ffmpeg process decodes in one way.
        ffmpeg_path: the program.
    """

    name: str
    is_live: bool
    codec: Callable[[], str]
    by_opencv: Callable[[], DecodingSource]
    by_ffmpeg: Callable[[Way], DecodingSource]
    ffmpeg_path: str

    def said(self, error: CameraError) -> str:
        """An error's words without the name, for a line that begins with it."""
        return error.what.removeprefix(f"{self.name} ")


def of_stream(settings: RtspSource, clock: Clock) -> Decodings:
    """What can decode a camera's stream."""
    return Decodings(
        settings.url,
        is_live=True,
        codec=lambda: codec_of(settings.url, credentials_of(settings), settings.open_timeout),
        by_opencv=lambda: RtspByOpenCv(settings),
        by_ffmpeg=lambda way: RtspByFfmpeg(settings, clock, way),
        ffmpeg_path=settings.ffmpeg_path,
    )


def of_file(settings: FileSource, base_dir: Path, clock: Clock) -> Decodings:
    """What can decode a clip."""
    path = resolved(settings.path, base_dir)
    return Decodings(
        str(path),
        is_live=settings.pace == "realtime",
        codec=lambda: _codec_of_file(path, settings.ffmpeg_path),
        by_opencv=lambda: FileByOpenCv(settings, base_dir),
        by_ffmpeg=lambda way: FileByFfmpeg(settings, base_dir, clock, way),
        ffmpeg_path=settings.ffmpeg_path,
    )


def _codec_of_file(path: Path, program: str) -> str:
    require_clip(path)
    words = FfmpegWords()
    # Without an output it describes the input and ends, with an exit code that means nothing.
    words.feed(said_by(program, ("-i", f"file:{path}")))
    if not words.codec:
        raise CameraError(
            CameraFault.NOT_VIDEO,
            f"{path} cannot be played as a video by ffmpeg",
            remedy="It may be cut off, or no video at all: try `ffprobe` on it.",
        )
    return words.codec


def said_by(program: str, arguments: tuple[str, ...]) -> bytes:
    """What ffmpeg says to arguments that end at once, both of its outputs; raises `CameraError`."""
    try:
        done = subprocess.run(  # noqa: S603 - the program is the owner's
            [program, "-hide_banner", "-nostdin", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LOOK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CameraError(CameraFault.SILENT, f"{program} says nothing for {_LOOK_S:g} s") from None
    except OSError as error:
        raise CameraError(
            CameraFault.NOT_FOUND,
            f"the program {program} cannot be started ({error.strerror})",
            remedy="Install ffmpeg 5.1 or newer, or set hardware: none.",
        ) from None
    return done.stdout[:_KEPT_BYTES]
