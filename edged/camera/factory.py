"""Settings in, source out: the one place that knows all kinds."""

from pathlib import Path
from typing import assert_never

from edged.camera.ffmpeg import FileByFfmpeg, RtspByFfmpeg
from edged.camera.file import FileByOpenCv
from edged.camera.images import ImageFolder
from edged.camera.mjpeg import MjpegOverHttp
from edged.camera.rtsp import RtspByOpenCv
from edged.camera.snapshot import SnapshotOverHttp
from edged.camera.usb import UsbByOpenCv
from edged.domain.moment import Clock
from edged.pipeline.ports import Source
from edged.settings import sources


def make_source(settings: sources.Source, base_dir: Path, clock: Clock) -> Source:  # noqa: PLR0911 - one a kind
    """The source that the settings describe; nothing is opened yet.

    Args:
        settings: a feed's `source`.
        base_dir: the folder that relative paths count from: that of the configuration file.
        clock: the time, for limits on how long things may take.
    """
    match settings:
        case sources.RtspSource(backend="ffmpeg"):
            return RtspByFfmpeg(settings, clock)
        case sources.RtspSource():
            return RtspByOpenCv(settings)
        case sources.HttpSource():
            return MjpegOverHttp(settings, base_dir, clock)
        case sources.SnapshotSource():
            return SnapshotOverHttp(settings, base_dir, clock)
        case sources.UsbSource():
            return UsbByOpenCv(settings)
        case sources.FileSource(backend="ffmpeg"):
            return FileByFfmpeg(settings, base_dir, clock)
        case sources.FileSource():
            return FileByOpenCv(settings, base_dir)
        case sources.ImagesSource():
            return ImageFolder(settings, base_dir)
        case _:
            assert_never(settings)
