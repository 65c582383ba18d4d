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
        case sources.RtspSource():
            return _stream(settings, clock)
        case sources.HttpSource():
            return MjpegOverHttp(settings, base_dir, clock)
        case sources.SnapshotSource():
            return SnapshotOverHttp(settings, base_dir, clock)
        case sources.UsbSource():
            return UsbByOpenCv(settings)
        case sources.CsiSource():
            from edged.camera.csi import CsiByPicamera2  # noqa: PLC0415 - few have such a camera

            return CsiByPicamera2(settings)
        case sources.FileSource():
            return _clip(settings, base_dir, clock)
        case sources.ImagesSource():
            return ImageFolder(settings, base_dir)
        case _:
            assert_never(settings)


def _stream(settings: sources.RtspSource, clock: Clock) -> Source:
    if settings.hardware != "none":
        from edged.camera.hardware import stream_by_hardware  # noqa: PLC0415 - who decodes by OpenCV pays nothing

        return stream_by_hardware(settings, clock)
    return RtspByFfmpeg(settings, clock) if settings.backend == "ffmpeg" else RtspByOpenCv(settings)


def _clip(settings: sources.FileSource, base_dir: Path, clock: Clock) -> Source:
    if settings.hardware != "none":
        from edged.camera.hardware import clip_by_hardware  # noqa: PLC0415 - as above

        return clip_by_hardware(settings, base_dir, clock)
    if settings.backend == "ffmpeg":
        return FileByFfmpeg(settings, base_dir, clock)
    return FileByOpenCv(settings, base_dir)
