"""Where frames come from: one section a kind of source, told apart by `type`."""

from typing import Annotated, Literal

from edged.settings.names import CAMERA_HTTP_ADDRESS, RTSP_ADDRESS, UTC_TIME
from edged.settings.quantities import Duration, Secret, Section, key

Backend = Literal["opencv", "ffmpeg"]
HardwareName = Literal["none", "auto", "pi3", "pi4", "pi5", "jetson", "vaapi"]
Hardware = Annotated[
    HardwareName,
    key(
        "The machine's hardware decoder by name, used through the `ffmpeg` program; a preset that does not"
        " decode what it says is an error. `auto` tries those of this machine, measures, and keeps the"
        " cheapest; `none`: what `backend` says."
    ),
]
DecodeThreads = Annotated[
    int,
    key(
        "Threads that OpenCV decodes with. One is enough for 1080p on most machines; each further one costs"
        " some MiB and delays the picture by a frame.",
        ge=1,
        le=16,
    ),
]


class NetworkSource(Section, frozen=True, kw_only=True):
    """What every source that is reached over the network has."""

    username: Annotated[str | None, key("User at the camera.", min_length=1)] = None
    password: Annotated[Secret | None, key("Password at the camera, as `!secret name`.")] = None
    open_timeout: Annotated[
        Duration,
        key(
            "How long opening may take before the source counts as unreachable.",
            at_least="100 ms",
            at_most="2 min",
        ),
    ] = Duration(5)
    read_timeout: Annotated[
        Duration,
        key(
            "How long a frame may take before the source counts as silent.",
            at_least="100 ms",
            at_most="2 min",
        ),
    ] = Duration(3)


class RtspSource(NetworkSource, frozen=True, kw_only=True, tag="rtsp", tag_field="type"):
    """A camera's RTSP stream."""

    url: Annotated[str, key("Address of the stream.", **RTSP_ADDRESS)]
    transport: Annotated[Literal["tcp", "udp"], key("How the packets travel.")] = "tcp"
    backend: Annotated[Backend, key("Who decodes: OpenCV inside the daemon, or an `ffmpeg` process.")] = (
        "opencv"
    )
    hardware: Hardware = "none"
    decode_threads: DecodeThreads = 1
    ffmpeg_input: Annotated[
        tuple[str, ...],
        key("Arguments for `ffmpeg` before its input, for hardware decoding; used with `backend: ffmpeg`."),
    ] = ()
    ffmpeg_path: Annotated[str, key("The `ffmpeg` program.", min_length=1)] = "ffmpeg"


class HttpSource(NetworkSource, frozen=True, kw_only=True, tag="http", tag_field="type"):
    """An MJPEG stream over HTTP (`multipart/x-mixed-replace`)."""

    url: Annotated[str, key("Address of the stream.", **CAMERA_HTTP_ADDRESS)]
    ca_file: Annotated[
        str | None, key("Certificates to trust instead of the system's, PEM.", min_length=1)
    ] = None


class SnapshotSource(NetworkSource, frozen=True, kw_only=True, tag="snapshot", tag_field="type"):
    """A JPEG that is fetched again and again."""

    url: Annotated[str, key("Address of the picture.", **CAMERA_HTTP_ADDRESS)]
    every: Annotated[Duration, key("How often the picture is fetched.", at_least="50 ms", at_most="1 h")] = (
        Duration(0.5)
    )
    ca_file: Annotated[
        str | None, key("Certificates to trust instead of the system's, PEM.", min_length=1)
    ] = None


class UsbSource(Section, frozen=True, kw_only=True, tag="usb", tag_field="type"):
    """A camera at this machine, by Video4Linux."""

    device: Annotated[str, key("Device file.", pattern=r"^/dev/\S+$", form="a file below `/dev/`")] = (
        "/dev/video0"
    )
    width_px: Annotated[int | None, key("Width to ask the camera for.", ge=64, le=7680)] = None
    height_px: Annotated[int | None, key("Height to ask the camera for.", ge=64, le=4320)] = None
    camera_fps: Annotated[float | None, key("Frame rate to ask the camera for.", gt=0, le=240)] = None
    fourcc: Annotated[
        str | None, key("Pixel format to ask the camera for, such as `MJPG`.", min_length=4, max_length=4)
    ] = None
    read_timeout: Annotated[
        Duration,
        key(
            "How long a frame may take before the camera counts as silent.",
            at_least="100 ms",
            at_most="2 min",
        ),
    ] = Duration(3)


class CsiSource(Section, frozen=True, kw_only=True, tag="csi", tag_field="type"):
    """A camera at a Raspberry Pi's ribbon connector, by picamera2."""

    camera: Annotated[
        int, key("Number of the camera, as `rpicam-hello --list-cameras` tells it.", ge=0, le=9)
    ] = 0
    width_px: Annotated[int, key("Width to ask the camera for.", ge=64, le=7680)] = 1280
    height_px: Annotated[int, key("Height to ask the camera for.", ge=64, le=4320)] = 720
    camera_fps: Annotated[float, key("Frame rate to ask the camera for.", gt=0, le=240)] = 15.0
    read_timeout: Annotated[
        Duration,
        key(
            "How long a frame may take before the camera counts as silent.",
            at_least="100 ms",
            at_most="2 min",
        ),
    ] = Duration(3)


class FileSource(Section, frozen=True, kw_only=True, tag="file", tag_field="type"):
    """A video file."""

    path: Annotated[str, key("The clip, relative to the configuration file.", min_length=1)]
    pace: Annotated[
        Literal["fast", "realtime"],
        key("`fast`: as it goes, no frame dropped, in the clip's own time; `realtime`: like a camera."),
    ] = "fast"
    loop: Annotated[bool, key("Begin again at the end.")] = False
    start: Annotated[
        str,
        key(
            "Time of the clip's first frame with `pace: fast`, UTC.",
            **UTC_TIME,
        ),
    ] = "2000-01-01T00:00:00Z"
    backend: Annotated[Backend, key("Who decodes: OpenCV inside the daemon, or an `ffmpeg` process.")] = (
        "opencv"
    )
    hardware: Hardware = "none"
    decode_threads: DecodeThreads = 1
    ffmpeg_input: Annotated[
        tuple[str, ...],
        key("Arguments for `ffmpeg` before its input, for hardware decoding; used with `backend: ffmpeg`."),
    ] = ()
    ffmpeg_path: Annotated[str, key("The `ffmpeg` program.", min_length=1)] = "ffmpeg"


class ImagesSource(Section, frozen=True, kw_only=True, tag="images", tag_field="type"):
    """A folder of pictures, taken in the order of their names."""

    path: Annotated[str, key("The folder, relative to the configuration file.", min_length=1)]
    every: Annotated[Duration, key("Time from one picture to the next.", at_least="1 ms", at_most="1 h")] = (
        Duration(0.1)
    )
    pace: Annotated[
        Literal["fast", "realtime"],
        key("`fast`: as it goes, none dropped, times counted from `start`; `realtime`: like a camera."),
    ] = "fast"
    loop: Annotated[bool, key("Begin again at the end.")] = False
    start: Annotated[
        str,
        key(
            "Time of the first picture with `pace: fast`, UTC.",
            **UTC_TIME,
        ),
    ] = "2000-01-01T00:00:00Z"


Source = RtspSource | HttpSource | SnapshotSource | UsbSource | CsiSource | FileSource | ImagesSource
