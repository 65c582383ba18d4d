"""The thread that captures one feed, on real cameras: servers that are killed, silent, frozen, refusing."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.clips import ffmpeg, pattern, still
from bench.http_camera import HttpCamera, a_jpeg, a_part, once, stream_of, then_silence
from bench.rtsp import RtspServer
from builders.capture import Captured, a_feed
from edged.domain.feed_state import FeedState
from edged.settings.feeds import Health, Retry
from edged.settings.quantities import Duration, Secret
from edged.settings.sources import FileSource, HttpSource, ImagesSource, RtspSource, SnapshotSource

PASSWORD = "p:w/x@y z"


@pytest.fixture(params=["opencv", "ffmpeg"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def rtsp(url: str, backend: str = "opencv", **more: Any) -> RtspSource:
    times = {"open_timeout": Duration(5), "read_timeout": Duration(1)}
    return RtspSource(url=url, backend=backend, **{**times, **more})  # type: ignore[arg-type]


def is_(word: str) -> Callable[[FeedState], bool]:
    return lambda state: state.state == word


def capturing_again(state: FeedState) -> bool:
    return state.capturing and state.reconnections > 0


def test_a_stream_is_captured(backend: str):
    with RtspServer(pattern()) as server, Captured(a_feed(rtsp(server.url, backend), fps=10)) as captured:
        frames = captured.until_frames(15)
        state = captured.state

    assert state.capturing
    assert state.faults == {}
    assert (state.width_px, state.height_px) == (320, 240)
    assert "h264" in state.decoder
    assert 0 < state.fps < 20
    assert frames[0].pixels.shape == (240, 320, 3)


def test_a_killed_server_is_told_and_its_return_noticed(backend: str):
    with RtspServer(pattern()) as server, Captured(a_feed(rtsp(server.url, backend))) as captured:
        captured.until_frames(3)
        server.kill()
        captured.until(is_("unreachable"))
        server.start()
        state = captured.until(capturing_again)

    assert state.faults["disconnected"] + state.faults.get("silent", 0) >= 1
    assert state.faults["unreachable"] >= 1


def test_a_server_that_falls_silent_is_told_and_its_return_noticed(backend: str):
    with RtspServer(pattern()) as server, Captured(a_feed(rtsp(server.url, backend))) as captured:
        captured.until_frames(3)
        server.pause()
        captured.until(is_("silent"))
        server.resume()
        captured.until(capturing_again)


def test_stopping_while_a_read_is_blocked_is_bounded(backend: str):
    with RtspServer(pattern()) as server:
        with Captured(a_feed(rtsp(server.url, backend, read_timeout=Duration(2)))) as captured:
            captured.until_frames(3)
            server.pause()
        # Captured has asserted that the thread ended.
        server.resume()


def test_a_refused_password_is_told_and_never_logged(backend: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    login = {"username": "cam", "password": Secret("door", PASSWORD)}
    with (
        RtspServer(pattern(), user="cam", password="another") as server,
        Captured(a_feed(rtsp(server.url, backend, **login))) as captured,
    ):
        state = captured.until(lambda state: state.faults.get("unauthorised", 0) >= 3)

    assert [record.levelname for record in caplog.records if record.levelno > logging.DEBUG] == ["WARNING"]
    for form in (PASSWORD, "p%3Aw", "p:w"):
        assert form not in caplog.text
        assert form not in state.detail


def test_a_frozen_camera_is_told_by_its_pictures():
    feed = a_feed(FileSource(path=str(still()), pace="realtime", loop=True), health=soon(frozen=0.5))
    with Captured(feed) as captured:
        state = captured.until(is_("frozen"))

    assert "same picture" in state.detail


@pytest.mark.parametrize("colour", ["black", "gray", "blue"])
def test_a_camera_of_one_colour_is_told_by_its_pictures(colour: str):
    clip = pattern(kind=f"color={colour}")
    feed = a_feed(FileSource(path=str(clip), pace="realtime", loop=True), health=soon(one_colour=0.5))
    with Captured(feed) as captured:
        captured.until(is_("one colour"))


def test_a_covered_lens_is_told_though_its_sensor_is_noisy(tmp_path: Path):
    clip = tmp_path / "covered.mp4"
    dark = "color=0x101010:size=320x240:rate=25:duration=2,noise=alls=4:allf=t"
    ffmpeg("-f", "lavfi", "-i", dark, "-c:v", "libx264", "-pix_fmt", "yuv420p", clip)
    feed = a_feed(FileSource(path=str(clip), pace="realtime", loop=True), health=soon(one_colour=0.5))
    with Captured(feed) as captured:
        captured.until(is_("one colour"))


def soon(frozen: float | None = None, one_colour: float | None = None) -> Health:
    return Health(
        frozen_after=None if frozen is None else Duration(frozen),
        one_colour_after=None if one_colour is None else Duration(one_colour),
    )


def test_an_mjpeg_camera_of_changing_size_is_captured_and_the_change_counted():
    pictures = stream_of(a_jpeg(0), a_jpeg(50), a_jpeg(100, size=(640, 480)))
    with HttpCamera(pictures) as camera, Captured(a_feed(HttpSource(url=camera.url), fps=60)) as captured:
        state = captured.until(lambda state: state.resolution_changes >= 2)

    assert state.faults == {}


def test_an_mjpeg_camera_that_falls_silent_is_tried_again():
    with HttpCamera(then_silence(a_part(a_jpeg(0)), a_part(a_jpeg(9)))) as camera:
        source = HttpSource(url=camera.url, read_timeout=Duration(0.3))
        with Captured(a_feed(source)) as captured:
            captured.until(lambda state: state.faults.get("silent", 0) >= 2 and state.frames >= 3)


def test_a_snapshot_camera_is_asked_as_often_as_was_said_and_not_more():
    with HttpCamera(once(a_jpeg()), content_type="image/jpeg") as camera:
        source = SnapshotSource(url=camera.url, every=Duration(3600))
        with Captured(a_feed(source)) as captured:
            captured.until_frames(1)
        asked = camera.requests

    assert asked == 1


def test_a_snapshot_camera_that_stumbles_once_is_not_given_up():
    jpeg = a_jpeg()
    answers = iter([jpeg, jpeg[:1000], *[jpeg] * 10_000])

    def body(_over: Any) -> Any:
        yield next(answers)

    with HttpCamera(body, content_type="image/jpeg") as camera:
        source = SnapshotSource(url=camera.url, every=Duration(0.05))
        with Captured(a_feed(source)) as captured:
            captured.until_frames(3)
            state = captured.state

    assert state.faults == {"not video": 1}
    assert state.reconnections == 0


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("clip.mp4", b"no video\n" * 1000, "not video"),
        (None, b"", "not found"),
        ("clip.mp4", b"", "not video"),
    ],
)
def test_a_clip_that_is_none_is_told_and_tried_again(
    tmp_path: Path, backend: str, name: str | None, content: bytes, word: str
):
    if name is not None:
        (tmp_path / name).write_bytes(content)
    source = FileSource(path=str(tmp_path / "clip.mp4"), backend=backend)  # type: ignore[arg-type]
    with Captured(a_feed(source)) as captured:
        captured.until(is_(word))
        (tmp_path / "clip.mp4").write_bytes(pattern(seconds=1).read_bytes())
        frames = captured.until_ended()

    assert len(frames) == 25


def test_a_clip_in_real_time_is_paced(backend: str):
    source = FileSource(path=str(pattern(seconds=1)), pace="realtime", backend=backend)  # type: ignore[arg-type]
    with Captured(a_feed(source)) as captured:
        frames = captured.until_ended()

    # By the clock, not by the clip; a machine that is busy may be late, never early.
    assert frames[0].at.utc_ms > 1_700_000_000_000
    assert frames[-1].at.steady_ms - frames[0].at.steady_ms >= 450


def test_a_paced_folder_can_be_stopped_at_once(tmp_path: Path):
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(a_jpeg(number))
    source = ImagesSource(path=str(tmp_path), every=Duration(3600), pace="realtime")
    with Captured(a_feed(source)) as captured:
        captured.until_frames(1)


def test_one_silent_camera_does_not_disturb_another():
    with RtspServer(pattern()) as silent, RtspServer(pattern()) as well:
        stuck = Captured(
            a_feed(rtsp(silent.url, open_timeout=Duration(2)), id="stuck", retry=Retry(first=Duration(0.02)))
        )
        with stuck, Captured(a_feed(rtsp(well.url), id="well")) as other:
            stuck.until_frames(1)
            silent.pause()
            stuck.until(is_("silent"))
            before = other.state.frames
            # Also while the silent one is opened again and again.
            stuck.until(lambda state: state.faults["silent"] >= 2)
            other.until(lambda state: state.frames >= before + 30)
            faults = other.state.faults
        silent.resume()

    assert faults == {}
