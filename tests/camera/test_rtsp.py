"""RTSP streams, from a real server, by both decoders."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.clips import pattern
from bench.rtsp import RtspServer
from builders.capture import grab_until_it_fails
from edged.camera.ffmpeg import RtspByFfmpeg
from edged.domain.errors import CameraError, CameraFault
from edged.pipeline.ports import Source
from edged.settings.quantities import Duration, Secret
from edged.settings.sources import RtspSource

USER, PASSWORD = "cam", "p:w/x@y'z %41"

SourceOf = Callable[..., Source]
FaultOf = Callable[..., CameraError]


def settings(url: str, **more: Any) -> RtspSource:
    return RtspSource(url=url, **{"open_timeout": Duration(5), "read_timeout": Duration(2), **more})


def login(password: str = PASSWORD) -> dict[str, Any]:
    return {"username": USER, "password": Secret("door", password)}


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    with RtspServer(pattern()) as running:
        yield running


@pytest.fixture(scope="module", params=["basic", "digest"])
def guarded(request: pytest.FixtureRequest) -> Iterator[RtspServer]:
    with RtspServer(pattern(), user=USER, password=PASSWORD, scheme=request.param) as running:
        yield running


@pytest.fixture(params=["opencv", "ffmpeg"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_frames_come_and_the_decoder_is_named(
    server: RtspServer, source_of: SourceOf, backend: str, transport: str
):
    source = source_of(settings(server.url, backend=backend, transport=transport))
    source.open()

    assert source.is_live
    assert source.grab() is None
    first = source.retrieve()
    for _ in range(20):
        source.grab()
    later = source.retrieve()
    assert first.shape == later.shape == (240, 320, 3)
    assert not np.array_equal(first, later)
    assert source.decoder == {"opencv": "opencv/ffmpeg h264", "ffmpeg": "ffmpeg h264 (native)"}[backend]


def test_user_and_password_are_given_and_may_hold_any_character(
    guarded: RtspServer, source_of: SourceOf, backend: str
):
    source = source_of(settings(guarded.url, backend=backend, **login()))
    source.open()
    source.grab()

    assert source.retrieve().shape == (240, 320, 3)


def test_a_wrong_password_is_told_without_printing_it(
    guarded: RtspServer, fault_of: FaultOf, backend: str, capfd: pytest.CaptureFixture[str]
):
    error = fault_of(settings(guarded.url, backend=backend, **login("wrong-one")))

    assert error.fault is CameraFault.UNAUTHORISED
    assert "refuses the user `cam`" in error.what
    assert "wrong-one" not in str(error) + repr(error)
    assert "wrong-one" not in "".join(capfd.readouterr())


def test_a_camera_that_asks_for_a_password_nobody_gave_says_so(
    guarded: RtspServer, fault_of: FaultOf, backend: str
):
    error = fault_of(settings(guarded.url, backend=backend))

    assert error.fault is CameraFault.UNAUTHORISED
    assert "`!secret NAME`" in error.remedy


def test_a_port_that_refuses_is_unreachable(closed_port: int, fault_of: FaultOf, backend: str):
    error = fault_of(settings(f"rtsp://127.0.0.1:{closed_port}/live", backend=backend))

    assert error.fault is CameraFault.UNREACHABLE
    assert "refuses the connection" in error.what


def test_a_host_that_does_not_exist_is_unreachable(fault_of: FaultOf, backend: str):
    assert (
        fault_of(settings("rtsp://no-such-host.invalid/live", backend=backend)).fault
        is CameraFault.UNREACHABLE
    )


def test_a_path_that_is_not_there_is_not_found(server: RtspServer, fault_of: FaultOf, backend: str):
    error = fault_of(settings(server.url + "/elsewhere", backend=backend))

    assert error.fault is CameraFault.NOT_FOUND


def test_something_that_is_not_rtsp_is_not_video(web_page_port: int, fault_of: FaultOf, backend: str):
    error = fault_of(settings(f"rtsp://127.0.0.1:{web_page_port}/live", backend=backend))

    assert error.fault is CameraFault.NOT_VIDEO


def test_a_port_that_takes_the_connection_and_says_nothing_is_silent(
    silent_port: int, fault_of: FaultOf, backend: str
):
    url = f"rtsp://127.0.0.1:{silent_port}/live"
    error = fault_of(settings(url, backend=backend, open_timeout=Duration(0.5), read_timeout=Duration(0.5)))

    assert error.fault is CameraFault.SILENT


def test_a_camera_without_tcp_is_told_by_name_or_played_all_the_same(source_of: SourceOf, backend: str):
    errors = []
    with RtspServer(pattern(), udp_only=True) as server:
        source = source_of(settings(server.url, backend=backend, transport="tcp"))
        try:
            source.open()
            # OpenCV 4 falls back by itself.
            source.grab()
        except CameraError as error:
            errors = [(error.fault, error.remedy)]

    assert errors in [[], [(CameraFault.NOT_VIDEO, "Set transport: udp.")]]


def test_a_killed_server_is_a_disconnection(source_of: SourceOf, backend: str):
    with RtspServer(pattern()) as server:
        source = source_of(settings(server.url, backend=backend))
        source.open()
        source.grab()
        server.kill()

        with pytest.raises(CameraError) as caught:
            grab_until_it_fails(source)

    assert caught.value.fault is CameraFault.DISCONNECTED


def test_a_stream_that_ends_is_a_disconnection(source_of: SourceOf, backend: str):
    with RtspServer(pattern(seconds=1), after="end") as server:
        source = source_of(settings(server.url, backend=backend))
        source.open()
        for _ in range(20):
            source.grab()
        with pytest.raises(CameraError) as caught:
            grab_until_it_fails(source)

    assert caught.value.fault in {CameraFault.DISCONNECTED, CameraFault.SILENT}


def test_a_stream_that_changes_its_size_goes_on(source_of: SourceOf, backend: str):
    with RtspServer(pattern(seconds=1), pattern("640x480", seconds=1, kind="color=blue")) as server:
        source = source_of(settings(server.url, backend=backend))
        source.open()
        for _ in range(75):
            source.grab()
        picture = source.retrieve()

    # The second clip is blue. OpenCV 4 gives its own size; OpenCV 5 and ffmpeg scale it to the first's.
    assert picture.shape[:2] in {(240, 320), (480, 640)}
    assert picture[:, :, 0].min() > 200
    assert picture[:, :, 1:].max() < 50


def test_a_silent_server_ends_the_read_of_an_ffmpeg_process_in_time(source_of: SourceOf):
    with RtspServer(pattern()) as server:
        source = source_of(settings(server.url, backend="ffmpeg", read_timeout=Duration(0.5)))
        source.open()
        source.grab()
        server.pause()
        with pytest.raises(CameraError) as caught:
            grab_until_it_fails(source)
        server.resume()

    assert caught.value.fault is CameraFault.SILENT


def test_a_killed_ffmpeg_process_is_a_disconnection(server: RtspServer, source_of: SourceOf):
    source = source_of(settings(server.url, backend="ffmpeg"))
    source.open()
    source.grab()
    os.kill(process_of(source), 9)

    with pytest.raises(CameraError) as caught:
        grab_until_it_fails(source)
    assert caught.value.fault is CameraFault.DISCONNECTED


def test_closing_leaves_no_ffmpeg_process(server: RtspServer, source_of: SourceOf):
    source = source_of(settings(server.url, backend="ffmpeg"))
    source.open()
    pid = process_of(source)
    source.close()

    assert not Path(f"/proc/{pid}").exists()


def test_no_list_of_processes_shows_the_password(guarded: RtspServer, source_of: SourceOf):
    source = source_of(settings(guarded.url, backend="ffmpeg", **login()))
    source.open()
    source.grab()
    process = Path(f"/proc/{process_of(source)}")

    shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()

    assert b"ffmpeg" in shown
    assert b"p:w" not in shown
    assert b"p%3Aw" not in shown
    assert b"cam:" not in shown


def test_a_missing_ffmpeg_is_told_with_what_to_do(server: RtspServer, fault_of: FaultOf):
    error = fault_of(settings(server.url, backend="ffmpeg", ffmpeg_path="/nowhere/ffmpeg"))

    assert error.fault is CameraFault.NOT_FOUND
    assert "Install ffmpeg" in error.remedy


def test_an_argument_that_ffmpeg_does_not_know_is_told(server: RtspServer, fault_of: FaultOf):
    error = fault_of(settings(server.url, backend="ffmpeg", ffmpeg_input=("-no_such_thing", "1")))

    assert "does not know an argument" in error.what


def test_a_decoder_that_this_machine_lacks_is_not_blamed_on_the_camera(
    guarded: RtspServer, fault_of: FaultOf
):
    error = fault_of(
        settings(guarded.url, backend="ffmpeg", ffmpeg_input=("-c:v", "h264_v4l2m2m"), **login())
    )

    assert error.fault is CameraFault.NOT_VIDEO
    assert "cannot be decoded by ffmpeg" in error.what
    assert PASSWORD not in str(error)


def test_a_program_that_stops_answering_is_ended_in_time(
    server: RtspServer, source_of: SourceOf, tmp_path: Path
):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    source = source_of(
        settings(server.url, backend="ffmpeg", ffmpeg_path=str(program), open_timeout=Duration(0.5))
    )

    begin = time.monotonic()
    with pytest.raises(CameraError):
        source.open()

    # Far from the program's ten minutes: this is no measurement.
    assert time.monotonic() - begin < 60


def process_of(source: Source) -> int:
    assert isinstance(source, RtspByFfmpeg)
    assert source._process is not None
    return source._process.pid
