"""Decoding by a machine's preset."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.clips import ffmpeg, pattern
from bench.rtsp import RtspServer
from builders.capture import Captured, a_feed
from edged.camera.decoding import Decodings, of_file
from edged.camera.preset_source import SourceByPreset
from edged.camera.presets import Way
from edged.domain.errors import CameraError, CameraFault
from edged.settings.sources import FileSource, HardwareName, RtspSource
from edged.system.clock import SystemClock

FaultOf = Callable[..., CameraError]

FAILING = Way("h264_nowhere", ("-c:v", "h264_nowhere"), mapping="h264 (h264_nowhere)")
WORKING = Way("h264", ("-c:v", "h264"), mapping="h264 (native)")


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    with RtspServer(pattern()) as running:
        yield running


def a_clip(path: Path) -> tuple[Decodings, list[str]]:
    """What can decode a clip, and the list of what was asked for its codec."""
    asked: list[str] = []
    decodings = of_file(FileSource(path=str(path)), Path("/"), SystemClock())

    def codec() -> str:
        asked.append(decodings.codec())
        return asked[-1]

    return replace(decodings, codec=codec), asked


@pytest.mark.parametrize("hardware", ["pi4", "jetson"])
def test_a_machine_without_the_hardware_is_told_so_and_nothing_is_decoded_in_software(
    server: RtspServer, fault_of: FaultOf, hardware: HardwareName
):
    if any(Path("/dev").glob("video*")) or Path("/dev/dri").exists():
        pytest.skip("this machine may have a decoder of its own")
    error = fault_of(RtspSource(url=server.url, hardware=hardware))

    assert error.fault is CameraFault.NOT_VIDEO
    assert "cannot be decoded by ffmpeg's" in error.what
    assert "hardware: none" in error.remedy


def test_a_pi_5_says_of_h264_at_once_that_it_cannot(server: RtspServer, fault_of: FaultOf):
    error = fault_of(RtspSource(url=server.url, hardware="pi5"))

    assert error.what == f"{server.url} is h264, and `hardware: pi5` decodes hevc only"


def test_the_feeds_state_tells_that_nothing_decodes_and_why():
    with Captured(a_feed(FileSource(path=str(pattern()), hardware="pi5"))) as captured:
        state = captured.until(lambda state: state.faults.get("not video", 0) >= 2)

    assert state.state == "not video"
    assert "`hardware: pi5` decodes hevc only. Switch the camera" in state.detail
    assert state.decoder == ""


def test_a_camera_that_is_not_there_is_its_own_fault(closed_port: int, fault_of: FaultOf):
    error = fault_of(RtspSource(url=f"rtsp://127.0.0.1:{closed_port}/live", hardware="pi4"))

    assert error.fault is CameraFault.UNREACHABLE


def test_a_clip_that_is_not_there_or_none_is_told(fault_of: FaultOf, tmp_path: Path):
    (tmp_path / "notes.mp4").write_text("Lorem ipsum.\n" * 100)

    assert fault_of(FileSource(path="no.mp4", hardware="pi4"), tmp_path).fault is CameraFault.NOT_FOUND
    assert fault_of(FileSource(path="notes.mp4", hardware="pi4"), tmp_path).fault is CameraFault.NOT_VIDEO


def test_a_missing_ffmpeg_is_told(fault_of: FaultOf):
    error = fault_of(FileSource(path=str(pattern()), hardware="pi4", ffmpeg_path="/nowhere/ffmpeg"))

    assert error.fault is CameraFault.NOT_FOUND
    assert "Install ffmpeg" in error.remedy


def test_the_first_way_that_works_is_taken_and_remembered():
    decodings, asked = a_clip(pattern())
    source = SourceByPreset("some", decodings, {"some": {"h264": (FAILING, WORKING)}})
    for _ in range(2):
        source.open()
        source.grab()

        assert source.retrieve().shape == (240, 320, 3)
        assert source.decoder == "ffmpeg h264 (native)"
        source.close()
    assert asked == ["h264"]


def test_after_an_opening_that_failed_the_codec_is_asked_for_again(tmp_path: Path):
    clip = tmp_path / "clip.mkv"
    ffmpeg("-i", pattern(), "-c:v", "copy", clip)
    decodings, asked = a_clip(clip)
    source = SourceByPreset("some", decodings, {"some": {"h264": (FAILING, WORKING)}})
    source.open()
    ffmpeg("-i", pattern(), "-c:v", "mpeg4", clip)
    for _ in range(2):
        with pytest.raises(CameraError):
            source.open()
    source.close()

    # The first of these openings used what it remembered: a wrong decoder, whose error it was.
    assert asked == ["h264", "mpeg4"]


def test_a_source_that_is_not_open_gives_nothing():
    source = SourceByPreset("some", a_clip(pattern())[0], {"some": {}})

    assert source.decoder == ""
    for take in (source.grab, source.retrieve):
        with pytest.raises(CameraError):
            take()
