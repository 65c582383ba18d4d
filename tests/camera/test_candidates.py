"""The ways to decode that are worth a trial on a machine."""

from pathlib import Path

import pytest

from bench.clips import pattern
from bench.require import require
from edged.camera.candidates import Machine, candidates, this_machine
from edged.camera.decoding import of_file, of_stream
from edged.camera.presets import PRESETS
from edged.domain.errors import CameraError, CameraFault
from edged.settings.sources import FileSource, RtspSource
from edged.system.clock import SystemClock

CLIP = FileSource(path="clip.mp4")


def names(machine: Machine) -> list[str]:
    decodings = of_file(FileSource(path=str(pattern())), Path("/"), SystemClock())
    return [candidate.name for candidate in candidates(decodings, machine)]


def test_the_program_is_asked_for_its_decoders_and_methods():
    abilities = this_machine(require("ffmpeg", "ffmpeg")).abilities

    assert abilities is not None
    assert {"h264", "hevc", "mjpeg"} <= abilities
    assert "V....." not in abilities


def test_without_the_program_there_is_opencv_and_the_camera_is_not_even_asked():
    machine = this_machine("/nowhere/ffmpeg")
    decodings = of_stream(RtspSource(url="rtsp://no-such-host.invalid/"), SystemClock())

    assert machine.abilities is None
    assert [each.name for each in candidates(decodings, machine)] == ["opencv"]


def test_software_is_always_tried_and_opencv_first():
    assert names(Machine(frozenset(), frozenset())) == ["opencv", "ffmpeg"]


def test_hardware_is_tried_where_its_device_and_the_programs_part_are_both_there():
    way = PRESETS["pi4"]["h264"][0]
    device, part = frozenset({"/dev/video10"}), frozenset({"h264_v4l2m2m"})

    assert Machine(device, part).may_do(way)
    assert not Machine(frozenset({"/dev/dri/renderD128"}), part).may_do(way)
    assert not Machine(device, frozenset({"h264"})).may_do(way)
    assert not Machine(device, None).may_do(way)
    assert names(Machine(device, part)) == ["opencv", "ffmpeg", "ffmpeg h264_v4l2m2m"]


def test_a_decoder_without_a_device_that_is_known_is_tried_where_the_program_has_it():
    assert names(Machine(frozenset(), frozenset({"h264_nvmpi"}))) == ["opencv", "ffmpeg", "ffmpeg h264_nvmpi"]


def test_a_clip_that_is_none_is_told(tmp_path: Path):
    (tmp_path / "clip.mp4").write_bytes(b"nothing")
    with pytest.raises(CameraError) as caught:
        candidates(of_file(CLIP, tmp_path, SystemClock()), Machine(frozenset(), frozenset()))

    assert caught.value.fault is CameraFault.NOT_VIDEO
