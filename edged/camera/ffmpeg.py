"""Streams and files decoded by an `ffmpeg` process, mostly for the sake of hardware decoders."""

from pathlib import Path
from typing import Final

from edged.camera.clip_time import ClipTime
from edged.camera.credentials import credentials_of, url_within
from edged.camera.ffmpeg_process import FfmpegProcess, NoFrameInTimeError, ProcessEndedError
from edged.camera.files import require_clip, resolved
from edged.camera.presets import Way
from edged.camera.rtsp_probe import why_not
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError
from edged.domain.frame import Pixels
from edged.domain.moment import Clock
from edged.domain.redaction import redacted
from edged.settings.sources import FileSource, RtspSource

_QUIET: Final = ("-hide_banner", "-nostats", "-nostdin", "-loglevel", "info")
_RAW: Final = ("-map", "0:v:0", "-f", "rawvideo", "-pix_fmt", "bgr24")
_PROTOCOLS: Final = "file,pipe,fd,tcp,udp,rtp,rtsp,rtsps,tls,crypto"
_FILE_TIMEOUT_S: Final = 30.0
_NOT_VIDEO_DECODERS: Final = ("ansi", "idf", "bintext", "xbin")


class RtspByFfmpeg:
    """A camera's RTSP stream.

    Args:
        settings: the source's.
        clock: the time.
        way: how to decode; without it by the arguments in the settings.
    """

    is_live = True

    def __init__(self, settings: RtspSource, clock: Clock, way: Way | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._way = way or Way(arguments=settings.ffmpeg_input)
        self._process: FfmpegProcess | None = None

    @property
    def decoder(self) -> str:
        """Who decodes, as the program itself says."""
        return _decoder(self._process, self._way)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Folders below /proc of what decodes, apart from the thread that takes the pictures."""
        return _tasks(self._process)

    def open(self) -> None:
        """Start the program and wait for the first picture."""
        self.close()
        settings = self._settings
        arguments = (
            *_QUIET,
            *self._way.arguments,
            *("-f", "concat", "-safe", "0", "-protocol_whitelist", _PROTOCOLS, "-i", "pipe:0"),
            *_filtered(self._way),
            *_RAW,
            *("-fps_mode", "passthrough", "pipe:1"),
        )
        process = FfmpegProcess(settings.ffmpeg_path, arguments, self._script(), self._clock)
        self._process = process
        try:
            process.wait_for_size(settings.open_timeout)
        except NoFrameInTimeError:
            error = self._ask_why()
        except ProcessEndedError:
            error = self._fault_of_start(process)
        else:
            unproved = _unproved(process, self._way, settings.url)
            if unproved is None:
                return
            error = unproved
        self.close()
        raise error

    def grab(self) -> None:
        """Receive the next picture."""
        settings = self._settings
        if self._process is None:
            raise CameraError(CameraFault.DISCONNECTED, f"{settings.url} is not open")
        try:
            self._process.read_picture(settings.read_timeout)
        except NoFrameInTimeError:
            raise CameraError(
                CameraFault.SILENT,
                f"{settings.url} sent no picture for {settings.read_timeout}",
                remedy="Look at the camera and the network; read_timeout is the limit.",
            ) from None
        except ProcessEndedError as ended:
            raise CameraError(
                CameraFault.DISCONNECTED,
                f"{settings.url} ended the stream (ffmpeg: {ended})",
                remedy="The feed connects again by itself; if it repeats, look at network and camera.",
            ) from None

    def retrieve(self) -> Pixels:
        """The picture just received."""
        return _taken(self._process, self._settings.url)

    def close(self) -> None:
        """End the program."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _script(self) -> bytes:
        """The address, password included, as a script of the concat demuxer.

        As an argument everybody on the machine could read it in the list of processes.
        """
        settings = self._settings
        url = url_within(settings.url, credentials_of(settings)).replace("'", r"'\''")
        return (
            "ffconcat version 1.0\n"
            f"file '{url}'\n"
            f"option rtsp_transport {settings.transport}\n"
            f"option timeout {round(settings.read_timeout * 1_000_000)}\n"
        ).encode()

    def _fault_of_start(self, process: FfmpegProcess) -> CameraError:
        settings = self._settings
        unknown = _unknown_option(process, settings.ffmpeg_path)
        error = unknown or self._ask_why()
        if error.fault is not CameraFault.SILENT:
            return error
        # The camera is well, so the decoder is not.
        return _undecodable(settings.url, self._way, self._reason(process))

    def _ask_why(self) -> CameraError:
        settings = self._settings
        return why_not(settings.url, credentials_of(settings), settings.transport, settings.open_timeout)

    def _reason(self, process: FfmpegProcess) -> str:
        credentials = credentials_of(self._settings)
        return redacted(process.words.cause(), () if credentials is None else (credentials.password,))


class FileByFfmpeg:
    """A clip, once or in a loop, its frames at a constant rate.

    Args:
        settings: the source's.
        base_dir: what a relative path counts from.
        clock: the time.
        way: how to decode; without it by the arguments in the settings.
    """

    def __init__(self, settings: FileSource, base_dir: Path, clock: Clock, way: Way | None = None) -> None:
        self.is_live = settings.pace == "realtime"
        self._settings = settings
        self._path = resolved(settings.path, base_dir)
        self._clock = clock
        self._way = way or Way(arguments=settings.ffmpeg_input)
        self._time = ClipTime()
        self._process: FfmpegProcess | None = None
        self._frames = 0

    @property
    def decoder(self) -> str:
        """Who decodes, as the program itself says."""
        return _decoder(self._process, self._way)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Folders below /proc of what decodes, apart from the thread that takes the pictures."""
        return _tasks(self._process)

    def open(self) -> None:
        """Start the program on the clip's first frame."""
        require_clip(self._path)
        self._time.restart()
        self._begin()

    def grab(self) -> float:
        """Receive the next picture."""
        while True:
            if self._process is None:
                raise CameraError(CameraFault.DISCONNECTED, f"{self._path} is not open")
            try:
                self._process.read_picture(_FILE_TIMEOUT_S)
            except ProcessEndedError as ended:
                self._end_of_round(ended)
                continue
            except NoFrameInTimeError:
                raise self._stuck() from None
            self._frames += 1
            return self._time.of_frame(0.0)

    def retrieve(self) -> Pixels:
        """The picture just received."""
        return _taken(self._process, str(self._path))

    def close(self) -> None:
        """End the program."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _begin(self) -> None:
        self.close()
        settings = self._settings
        arguments = (
            *_QUIET,
            *self._way.arguments,
            "-i",
            f"file:{self._path}",
            *_filtered(self._way),
            *_RAW,
            *("-fps_mode", "cfr"),
            "pipe:1",
        )
        self._process = process = FfmpegProcess(settings.ffmpeg_path, arguments, b"", self._clock)
        try:
            process.wait_for_size(_FILE_TIMEOUT_S)
        except NoFrameInTimeError:
            raise self._stuck() from None
        except ProcessEndedError:
            raise self._fault_of_start(process) from None
        unproved = _unproved(process, self._way, str(self._path))
        if unproved is not None:
            self.close()
            raise unproved
        if process.words.decoder.startswith(_NOT_VIDEO_DECODERS):
            raise self._no_video()
        self._frames = 0
        self._time.begin_round(process.words.fps)

    def _end_of_round(self, ended: ProcessEndedError) -> None:
        """Begin again, or raise `EndOfMediaError`."""
        if not self._frames:
            raise self._no_video()
        if ended.exit_code:
            raise CameraError(
                CameraFault.DISCONNECTED, f"ffmpeg ended in the middle of {self._path} ({ended})"
            )
        if not self._settings.loop:
            raise EndOfMediaError
        self._begin()

    def _fault_of_start(self, process: FfmpegProcess) -> CameraError:
        unknown = _unknown_option(process, self._settings.ffmpeg_path)
        if unknown is not None or not self._way.mapping:
            return unknown or self._no_video()
        return _undecodable(str(self._path), self._way, process.words.cause())

    def _no_video(self) -> CameraError:
        return CameraError(
            CameraFault.NOT_VIDEO,
            f"{self._path} cannot be played as a video by ffmpeg",
            remedy="It may be cut off, or no video at all: try `ffprobe` on it, or without ffmpeg_input.",
        )

    def _stuck(self) -> CameraError:
        return CameraError(
            CameraFault.SILENT, f"ffmpeg gives no picture of {self._path} for {_FILE_TIMEOUT_S:g} s"
        )


def _decoder(process: FfmpegProcess | None, way: Way) -> str:
    if process is None or not process.words.decoder:
        return ""
    return f"ffmpeg {way.told(process.words.decoder)}"


def _tasks(process: FfmpegProcess | None) -> tuple[str, ...]:
    return () if process is None else (str(process.pid),)


def _filtered(way: Way) -> tuple[str, ...]:
    return ("-vf", way.filters) if way.filters else ()


def _unproved(process: FfmpegProcess, way: Way, name: str) -> CameraError | None:
    """The error of a program that decodes by something else than it was told to."""
    seen = process.words.decoder
    if not way.mapping or seen == way.mapping:
        return None
    return _undecodable(name, way, f"ffmpeg says that it uses {seen or 'no decoder'}")


def _undecodable(name: str, way: Way, reason: str) -> CameraError:
    if not way.mapping:
        return CameraError(
            CameraFault.NOT_VIDEO,
            f"{name} cannot be decoded by ffmpeg ({reason})",
            remedy="Try without ffmpeg_input; if that works, this hardware cannot decode this stream.",
        )
    return CameraError(
        CameraFault.NOT_VIDEO,
        f"{name} cannot be decoded by ffmpeg's {way.name} ({reason})",
        remedy="Is this the machine that `hardware` names, may this user use its devices, and has its ffmpeg"
        " that decoder? `hardware: none` decodes in software.",
    )


def _taken(process: FfmpegProcess | None, name: str) -> Pixels:
    picture = None if process is None else process.take_picture()
    if picture is None:
        raise CameraError(CameraFault.NOT_VIDEO, f"{name}: no picture was received")
    return picture


def _unknown_option(process: FfmpegProcess, program: str) -> CameraError | None:
    if not process.words.names_unknown_option():
        return None
    return CameraError(
        CameraFault.NOT_VIDEO,
        f"{program} does not know an argument: {redacted(process.words.last())}",
        remedy="Use ffmpeg 5.1 or newer, and look at ffmpeg_input.",
    )
