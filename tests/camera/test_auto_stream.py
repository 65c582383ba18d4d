"""A camera's stream, decoded in whichever way costs the least."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from bench.clips import pattern
from bench.rtsp import RtspServer
from builders.capture import LONG_S, HandClock
from edged.camera.auto_choice import Figures
from edged.camera.auto_stream import StreamByAuto
from edged.camera.candidates import Machine
from edged.camera.decoding import Decodings, of_stream
from edged.camera.measuring import Measurement
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.settings.sources import RtspSource
from edged.system.clock import SystemClock

MACHINE = Machine(frozenset({"/dev/video10"}), frozenset({"h264_v4l2m2m"}))
"""OpenCV, ffmpeg and one decoder of the hardware."""

HARDWARE = "h264_v4l2m2m"
BROKEN = CameraError(CameraFault.NOT_VIDEO, "no device")
GONE = CameraError(CameraFault.DISCONNECTED, "ended the stream")


@dataclass
class Stage:
    """What the ways to decode do, changed by the test as it goes.

    Attributes:
        faults: what the next openings of a way raise, one after the other; None opens.
        breaks: ways whose next frame fails.
        cpu_ms: what a frame of a way costs; a way that is not named costs nothing.
        codec: of the stream.
        width: of its pictures.
        opened: every way that was opened, in order; closed: every one that was let go of.
        may_open: cleared, an opening of a way other than OpenCV waits.
    """

    faults: dict[str, list[CameraError | None]] = field(default_factory=dict)
    breaks: set[str] = field(default_factory=set)
    cpu_ms: dict[str, float] = field(default_factory=dict)
    codec: str = "h264"
    width: int = 32
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    may_open: threading.Event = field(default_factory=threading.Event)

    def stream(self) -> StreamByAuto:
        self.may_open.set()
        decodings = Decodings(
            "rtsp://camera/live",
            is_live=True,
            codec=lambda: self.codec,
            by_opencv=lambda: StagedSource(self, "opencv"),
            by_ffmpeg=lambda way: StagedSource(self, way.name or "ffmpeg"),
            ffmpeg_path="ffmpeg",
        )
        return StreamByAuto(
            decodings, HandClock(), lambda _: MACHINE, lambda source, _: StagedMeter(self, source.decoder)
        )


class StagedSource:
    """A way to decode that does what the stage says."""

    is_live = True
    tasks: tuple[str, ...] = ()

    def __init__(self, stage: Stage, name: str) -> None:
        self._stage = stage
        self._name = name
        self.decoder = ""

    def open(self) -> None:
        if self._name != "opencv":
            assert self._stage.may_open.wait(LONG_S)
        faults = self._stage.faults.get(self._name) or [None]
        if (fault := faults.pop(0)) is not None:
            raise fault
        self._stage.opened.append(self._name)
        self.decoder = f"{self._name} {self._stage.codec}"

    def grab(self) -> None:
        if self._name in self._stage.breaks:
            self._stage.breaks.discard(self._name)
            raise GONE

    def retrieve(self) -> Pixels:
        return np.zeros((24, self._stage.width, 3), np.uint8)

    def close(self) -> None:
        self._stage.closed.append(self._name)


class StagedMeter:
    """Needs three frames, and gives what the stage says."""

    def __init__(self, stage: Stage, decoder: str) -> None:
        self._figures = Figures(stage.cpu_ms.get(decoder.split(maxsplit=1)[0], 0), 25)
        self._frames = 0

    def frame(self) -> Figures | None:
        self._frames += 1
        return self._figures if self._frames >= 3 else None


@pytest.fixture
def stage() -> Stage:
    return Stage(cpu_ms={"opencv": 3, "ffmpeg": 7, HARDWARE: 1})


def until(source: StreamByAuto, decoder: str) -> list[str]:
    """Take frames until this decodes; gives who did meanwhile, each once."""
    seen: list[str] = []
    deadline = time.monotonic() + LONG_S
    while source.decoder != decoder:
        assert time.monotonic() < deadline, f"{source.decoder} goes on"
        source.grab()
        source.retrieve()
        if source.decoder not in seen:
            seen.append(source.decoder)
    return seen


def test_each_way_is_measured_and_the_cheapest_is_kept(stage: Stage, caplog: pytest.LogCaptureFixture):
    source = stage.stream()
    with caplog.at_level(logging.INFO):
        source.open()
        seen = until(source, f"auto: {HARDWARE} h264")

    assert seen == [
        "auto, measuring: opencv h264",
        "auto, measuring: ffmpeg h264",
        f"auto, measuring: {HARDWARE} h264",
        f"auto: {HARDWARE} h264",
    ]
    assert stage.opened == ["opencv", "ffmpeg", HARDWARE]
    assert stage.closed == ["opencv", "ffmpeg"]
    assert caplog.messages == [
        (
            f"rtsp://camera/live: auto chose {HARDWARE} h264: {HARDWARE} h264 takes 1.0 ms of CPU a frame at"
            " 25.0 fps; opencv h264 takes 3.0 ms of CPU a frame at 25.0 fps; ffmpeg h264 takes 7.0 ms of CPU"
            " a frame at 25.0 fps"
        )
    ]


def test_one_that_was_measured_before_is_opened_again_when_it_is_the_cheapest(stage: Stage):
    stage.cpu_ms["opencv"] = 0.5
    source = stage.stream()
    source.open()
    until(source, "auto: opencv h264")

    assert stage.opened == ["opencv", "ffmpeg", HARDWARE, "opencv"]


def test_frames_flow_while_the_next_way_is_opened(stage: Stage):
    source = stage.stream()
    source.open()
    stage.may_open.clear()
    for _ in range(50):
        source.grab()
        assert source.decoder == "auto, measuring: opencv h264"
    stage.may_open.set()

    until(source, f"auto: {HARDWARE} h264")


def test_a_way_that_does_not_open_is_not_chosen(stage: Stage, caplog: pytest.LogCaptureFixture):
    stage.faults[HARDWARE] = [BROKEN]
    source = stage.stream()
    with caplog.at_level(logging.INFO):
        source.open()
        until(source, "auto: opencv h264")

    assert f"ffmpeg {HARDWARE} fails: no device" in caplog.text


def test_where_opencv_cannot_decode_another_way_gives_the_first_frames(stage: Stage):
    stage.faults["opencv"] = [BROKEN]
    source = stage.stream()
    source.open()

    assert source.decoder == "auto, measuring: ffmpeg h264"


def test_a_camera_that_fails_is_told_and_no_way_blamed(stage: Stage):
    for fault in (
        CameraFault.UNREACHABLE,
        CameraFault.UNAUTHORISED,
        CameraFault.SILENT,
        CameraFault.NOT_FOUND,
    ):
        stage.faults["opencv"] = [CameraError(fault, "the camera's")]
        source = stage.stream()
        with pytest.raises(CameraError, match="the camera's"):
            source.open()
        source.open()

        assert source.decoder == "auto, measuring: opencv h264"
        source.close()


def test_a_way_that_breaks_off_is_tried_once_more_after_the_others(stage: Stage):
    stage.breaks = {"opencv"}
    source = stage.stream()
    source.open()
    with pytest.raises(CameraError):
        source.grab()
    source.open()
    until(source, f"auto: {HARDWARE} h264")

    assert stage.opened == ["opencv", "ffmpeg", HARDWARE, "opencv", HARDWARE]


def test_a_way_that_breaks_off_twice_is_not_chosen_even_when_cheap(stage: Stage):
    source = stage.stream()
    source.open()
    for _ in range(2):
        until(source, f"auto, measuring: {HARDWARE} h264")
        stage.breaks = {HARDWARE}
        with pytest.raises(CameraError):
            source.grab()
        source.close()
        source.open()

    until(source, "auto: opencv h264")


def test_a_connection_that_breaks_in_the_middle_goes_on_where_it_was(stage: Stage):
    source = stage.stream()
    source.open()
    stage.may_open.clear()
    for _ in range(4):
        source.grab()
    stage.breaks = {"opencv"}
    with pytest.raises(CameraError):
        source.grab()
    source.close()
    stage.may_open.set()
    source.open()

    assert source.decoder == "auto, measuring: ffmpeg h264"
    until(source, f"auto: {HARDWARE} h264")


def test_the_choice_outlives_the_connection(stage: Stage):
    source = stage.stream()
    source.open()
    until(source, f"auto: {HARDWARE} h264")
    source.close()
    stage.opened.clear()
    source.open()

    assert source.decoder == f"auto: {HARDWARE} h264"
    assert stage.opened == [HARDWARE]


@pytest.mark.parametrize("fault", [CameraFault.NOT_VIDEO, CameraFault.SILENT, CameraFault.NOT_FOUND])
def test_when_the_chosen_way_fails_all_are_tried_again(stage: Stage, fault: CameraFault):
    source = stage.stream()
    source.open()
    until(source, f"auto: {HARDWARE} h264")
    source.close()
    stage.faults[HARDWARE] = [CameraError(fault, "no device"), BROKEN]
    source.open()

    assert source.decoder == "auto, measuring: opencv h264"
    until(source, "auto: opencv h264")


def test_a_chosen_way_is_kept_while_the_camera_is_away(stage: Stage):
    source = stage.stream()
    source.open()
    until(source, f"auto: {HARDWARE} h264")
    source.close()
    stage.faults[HARDWARE] = [CameraError(CameraFault.UNREACHABLE, "refuses the connection")]
    with pytest.raises(CameraError, match="refuses"):
        source.open()
    source.open()

    assert source.decoder == f"auto: {HARDWARE} h264"


def test_opencv_is_kept_while_the_camera_is_silent(stage: Stage):
    stage.cpu_ms["opencv"] = 0.5
    source = stage.stream()
    source.open()
    until(source, "auto: opencv h264")
    source.close()
    stage.faults["opencv"] = [CameraError(CameraFault.SILENT, "says nothing")]
    with pytest.raises(CameraError, match="says nothing"):
        source.open()
    source.open()

    assert source.decoder == "auto: opencv h264"


def test_a_chosen_way_that_breaks_off_again_and_again_is_believed_no_longer(stage: Stage):
    source = stage.stream()
    source.open()
    until(source, f"auto: {HARDWARE} h264")
    for _ in range(2):
        stage.breaks = {HARDWARE}
        with pytest.raises(CameraError):
            source.grab()
        source.close()
        source.open()

    assert source.decoder == "auto, measuring: opencv h264"


def test_another_codec_at_the_next_connection_is_measured_anew(stage: Stage):
    source = stage.stream()
    source.open()
    until(source, f"auto: {HARDWARE} h264")
    source.close()
    stage.codec = "hevc"
    source.open()

    assert source.decoder == "auto, measuring: opencv hevc"
    # None of the hardware's ways here is for HEVC.
    until(source, "auto: opencv hevc")


def test_another_size_is_measured_anew_while_frames_flow(stage: Stage):
    source = stage.stream()
    source.open()
    until(source, f"auto: {HARDWARE} h264")
    stage.width = 64
    stage.cpu_ms = {"opencv": 2, "ffmpeg": 7, HARDWARE: 9}
    stage.opened.clear()

    assert until(source, "auto: opencv h264")[0] == f"auto, measuring: {HARDWARE} h264"
    assert stage.opened == ["opencv", "ffmpeg", "opencv"]


def test_when_no_way_works_the_first_reason_is_told_and_all_are_tried_the_next_time(stage: Stage):
    for _ in range(2):
        stage.faults = {name: [BROKEN] for name in ("opencv", "ffmpeg", HARDWARE)}
        source = stage.stream()
        with pytest.raises(CameraError, match="no device"):
            source.open()
    source.open()

    assert source.decoder == "auto, measuring: opencv h264"


def test_closing_closes_also_what_is_being_opened(stage: Stage):
    source = stage.stream()
    source.open()
    stage.may_open.clear()
    for _ in range(4):
        source.grab()
    source.close()
    stage.may_open.set()
    deadline = time.monotonic() + LONG_S
    while stage.closed != ["opencv", "ffmpeg"]:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_source_that_is_not_open_gives_nothing(stage: Stage):
    source = stage.stream()

    assert source.decoder == ""
    for take in (source.grab, source.retrieve):
        with pytest.raises(CameraError):
            take()


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    with RtspServer(pattern()) as running:
        yield running


def test_on_a_real_stream_what_this_machine_lacks_fails_and_software_is_kept(
    server: RtspServer, caplog: pytest.LogCaptureFixture
):
    if any(Path("/dev").glob("video*")) or Path("/dev/dri").exists():
        pytest.skip("this machine may have a decoder of its own")
    # As a Pi with an ffmpeg for a Jetson would say: the one decoder finds no device, the other is not there.
    machine = Machine(frozenset({"/dev/video10"}), frozenset({"h264_v4l2m2m", "h264_nvmpi"}))
    measure: Callable[..., Measurement] = lambda source, clock: Measurement(source, clock, 50, 300)  # noqa: E731
    clock = SystemClock()
    settings = RtspSource(url=server.url, hardware="auto")
    source = StreamByAuto(of_stream(settings, clock), clock, lambda _: machine, measure)
    with caplog.at_level(logging.INFO):
        source.open()
        deadline = time.monotonic() + LONG_S
        while not source.decoder.startswith("auto: "):
            assert time.monotonic() < deadline
            source.grab()
            assert source.retrieve().shape == (240, 320, 3)
    source.close()

    told = caplog.messages[-1]
    assert "auto chose " in told
    assert told.count("ms of CPU a frame") == 2
    for way, why in (
        ("h264_v4l2m2m", "Could not find a valid device"),
        ("h264_nvmpi", "Unknown decoder"),
    ):
        assert f"cannot be decoded by ffmpeg's {way} ({why}" in told
