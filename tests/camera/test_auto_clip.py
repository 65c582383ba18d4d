"""A clip, decoded in whichever way costs the least."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.clips import pattern
from builders.capture import Captured, a_feed, grab_to_the_end
from edged.camera.auto_clip import ClipByAuto
from edged.camera.candidates import Machine
from edged.camera.decoding import of_file
from edged.camera.ffmpeg import FileByFfmpeg
from edged.camera.presets import Way
from edged.domain.errors import CameraError, CameraFault
from edged.settings.sources import FileSource
from edged.system.clock import SystemClock

PI = Machine(frozenset({"/dev/video10"}), frozenset({"h264_v4l2m2m"}))
"""As a Raspberry Pi 4 says of itself; this machine's ffmpeg knows that decoder, and finds no device."""


def a_source(path: Path | str, machine: Machine = PI, **settings: Any) -> ClipByAuto:
    clip = FileSource(path=str(path), hardware="auto", **settings)
    return ClipByAuto(of_file(clip, Path("/"), SystemClock()), SystemClock(), lambda _: machine)


def test_a_way_that_fails_is_told_and_one_that_works_plays_the_whole_clip(
    caplog: pytest.LogCaptureFixture,
):
    if any(Path("/dev").glob("video*")):
        pytest.skip("this machine may have a decoder of its own")
    source = a_source(pattern(seconds=1))
    with caplog.at_level(logging.INFO):
        source.open()

    assert source.decoder in {"auto: opencv/ffmpeg h264", "auto: ffmpeg h264 (native)"}
    assert len(list(grab_to_the_end(source))) == 25
    told = caplog.messages[-1]
    assert "ffmpeg h264_v4l2m2m fails: cannot be decoded by" in told
    assert told.count("ms of CPU a frame") == 2
    source.close()


def test_the_choice_is_measured_and_not_the_first_that_works():
    """Both are ffmpeg's, and the first also smooths every picture, which takes many times as long."""
    clip = FileSource(path=str(pattern(seconds=1)))
    dear = Way("h264", ("-c:v", "h264"), "nlmeans=p=3:r=5", "h264 (native)")
    decodings = of_file(clip, Path("/"), SystemClock())
    decodings = replace(decodings, by_opencv=lambda: FileByFfmpeg(clip, Path("/"), SystemClock(), dear))
    source = ClipByAuto(decodings, SystemClock(), lambda _: Machine(frozenset(), frozenset()))
    source.open()
    source.close()

    assert source._chosen is not None
    assert source._chosen.name == "ffmpeg"


def test_the_choice_is_made_once(caplog: pytest.LogCaptureFixture):
    source = a_source(pattern(seconds=1))
    with caplog.at_level(logging.INFO):
        source.open()
        source.open()
    source.close()

    assert len([line for line in caplog.messages if "auto chose" in line]) == 1


def test_without_ffmpeg_opencv_decodes_and_nothing_is_tried():
    source = a_source(pattern(seconds=1), Machine(frozenset(), None))
    source.open()

    assert source.decoder == "auto: opencv/ffmpeg h264"
    assert len(list(grab_to_the_end(source))) == 25
    source.close()


def test_the_feeds_state_tells_what_was_chosen():
    with Captured(a_feed(FileSource(path=str(pattern(seconds=1)), hardware="auto"), fps=30)) as captured:
        assert len(captured.until_ended()) == 25
        state = captured.state

    assert state.decoder in {"auto: opencv/ffmpeg h264", "auto: ffmpeg h264 (native)"}


def test_a_clip_in_real_time_is_live():
    assert a_source(pattern(), pace="realtime").is_live
    assert not a_source(pattern()).is_live


def test_a_clip_that_nothing_can_decode_is_told(tmp_path: Path):
    (tmp_path / "notes.mp4").write_text("Lorem ipsum.\n" * 100)
    with pytest.raises(CameraError) as caught:
        a_source(tmp_path / "notes.mp4").open()

    assert caught.value.fault is CameraFault.NOT_VIDEO


def test_a_source_that_is_not_open_gives_nothing():
    source = a_source(pattern())

    assert source.decoder == ""
    for take in (source.grab, source.retrieve):
        with pytest.raises(CameraError):
            take()
