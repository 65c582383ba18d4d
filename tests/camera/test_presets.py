"""The presets: a table, and what ffmpeg makes of the proof in it."""

from pathlib import Path
from typing import get_args

import pytest

from bench.clips import pattern
from edged.camera.ffmpeg import FileByFfmpeg
from edged.camera.presets import PRESETS, Way, every_way
from edged.domain.errors import CameraError, CameraFault
from edged.settings.sources import FileSource, HardwareName
from edged.system.clock import SystemClock

WAYS = [
    pytest.param(codec, way, id=f"{preset} {codec} {way.name} {way.filters}".strip())
    for preset, codecs in PRESETS.items()
    for codec, ways in codecs.items()
    for way in ways
]


def decoded_by(way: Way) -> str:
    """Opens a clip of H.264 in one way, by real ffmpeg; gives who decoded it."""
    source = FileByFfmpeg(FileSource(path=str(pattern())), Path("/"), SystemClock(), way)
    try:
        source.open()
        source.grab()
        return source.decoder
    finally:
        source.close()


@pytest.fixture
def _no_hardware() -> None:
    if any(Path("/dev").glob("video*")) or Path("/dev/dri").exists():
        pytest.skip("this machine may have a decoder of its own")


def test_every_machine_that_can_be_named_has_its_preset():
    assert set(PRESETS) == set(get_args(HardwareName)) - {"none", "auto"}


@pytest.mark.parametrize(("codec", "way"), WAYS)
def test_a_way_says_what_proves_it(codec: str, way: Way):
    named = dict(zip(way.arguments[::2], way.arguments[1::2], strict=True))
    if way.is_acceleration:
        assert way.mapping == f"{codec} (native)"
        assert named["-hwaccel"] == way.name
        assert named["-c:v"] == codec
        # Both together: the one keeps the pictures in the hardware, the other takes them from nowhere else.
        assert "-hwaccel_output_format" in named
        assert way.filters.startswith("hwdownload,format=")
    else:
        assert way.mapping == f"{codec} ({way.name})"
        assert named == {"-c:v": way.name}


def test_the_pi_5_has_nothing_for_h264_and_the_pi_3_nothing_for_hevc():
    assert "h264" not in PRESETS["pi5"]
    assert "hevc" not in PRESETS["pi3"]


def test_every_way_of_a_codec_is_there_once():
    ways = every_way("h264")

    assert [way.name for way in ways] == ["h264_v4l2m2m", "h264_nvmpi", "h264_nvv4l2dec", "vaapi"]
    assert every_way("theora") == ()


@pytest.mark.usefixtures("_no_hardware")
@pytest.mark.parametrize("way", every_way("h264"), ids=lambda way: way.name)
def test_no_way_goes_on_in_software_where_there_is_no_hardware(way: Way):
    with pytest.raises(CameraError, match=f"cannot be decoded by ffmpeg's {way.name} ") as caught:
        decoded_by(way)

    assert caught.value.fault is CameraFault.NOT_VIDEO
    assert "hardware: none" in caught.value.remedy


def test_hardware_that_leaves_a_stream_to_software_ends_in_an_error():
    """ffmpeg's `-hwaccel` goes on in software when the hardware refuses a stream: this is that moment."""
    way = Way("vaapi", ("-c:v", "h264"), "hwdownload,format=nv12", "h264 (native)")

    with pytest.raises(CameraError, match="Impossible to convert between the formats"):
        decoded_by(way)


def test_another_decoder_than_the_one_that_was_asked_for_is_an_error():
    """What the widely copied `-c:v:1` does: ffmpeg takes it for another stream's, and says nothing."""
    way = Way("h264_v4l2m2m", ("-c:v:1", "h264_v4l2m2m"), mapping="h264 (h264_v4l2m2m)")

    with pytest.raises(CameraError, match=r"says that it uses h264 \(native\)"):
        decoded_by(way)


def test_a_decoder_that_is_proved_is_named():
    assert decoded_by(Way("h264", ("-c:v", "h264"), mapping="h264 (native)")) == "ffmpeg h264 (native)"
    assert PRESETS["vaapi"]["hevc"][0].told("hevc (native)") == "hevc (native, vaapi)"
