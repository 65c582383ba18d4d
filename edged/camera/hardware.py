"""Sources of feeds that say `hardware`: a preset, or whatever turns out to be the cheapest."""

from pathlib import Path

from edged.camera.auto_clip import ClipByAuto
from edged.camera.auto_stream import StreamByAuto
from edged.camera.decoding import of_file, of_stream
from edged.camera.preset_source import SourceByPreset
from edged.domain.moment import Clock
from edged.pipeline.ports import Source
from edged.settings.sources import FileSource, RtspSource


def stream_by_hardware(settings: RtspSource, clock: Clock) -> Source:
    """A camera's stream; nothing is opened yet."""
    decodings = of_stream(settings, clock)
    if settings.hardware == "auto":
        return StreamByAuto(decodings, clock)
    return SourceByPreset(settings.hardware, decodings)


def clip_by_hardware(settings: FileSource, base_dir: Path, clock: Clock) -> Source:
    """A clip; nothing is opened yet."""
    decodings = of_file(settings, base_dir, clock)
    if settings.hardware == "auto":
        return ClipByAuto(decodings, clock)
    return SourceByPreset(settings.hardware, decodings)
