"""A feed that is switched off, or may take fewer frames."""

import threading
from itertools import pairwise
from typing import Any

import numpy as np

from builders.capture import LONG_S, Captured, HandClock, ScriptedSource, a_feed, a_scene
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.pipeline.feed_control import FeedControl, Off
from edged.settings.feeds import Feed, Mask, Point
from edged.settings.sources import FileSource, RtspSource


def a_camera(**settings: Any) -> Feed:
    return a_feed(RtspSource(url="rtsp://camera/live"), **settings)


def captured_while(
    *connections: list[Any], control: FeedControl, feed: Feed | None = None, step_s: float = 0.1
) -> Captured:
    clock = HandClock()
    source = ScriptedSource(connections, clock=clock, step_s=step_s)
    return Captured(feed or a_camera(), source, clock=clock, control=control)


def test_a_feed_that_is_off_is_not_read_until_it_is_on_again():
    control = FeedControl({"door": 30.0})

    def switch_off() -> Pixels:
        control.set_off("door", Off.SWITCH, is_off=True)
        return a_scene(1)

    with captured_while([a_scene(0), switch_off, a_scene(2)], [a_scene(3)], control=control) as captured:
        state = captured.until(lambda state: state.state == "switched off")
        captured.until(lambda _: captured.source.closed == 1)
        assert not state.capturing
        assert captured.thread.is_alive
        captured.until(lambda _: [frame.number for frame in captured.frames] == [1])
        control.set_off("door", Off.SWITCH, is_off=False)
        captured.until_ended()

    assert [frame.times_off for frame in captured.frames] == [0, 1]
    assert captured.state.faults == {}


def test_a_frame_that_was_grabbed_before_the_switch_is_marked_as_such_however_late_it_comes():
    control = FeedControl({"door": 30.0})

    def off_and_on_again() -> Pixels:
        control.set_off("door", Off.SWITCH, is_off=True)
        control.set_off("door", Off.SWITCH, is_off=False)
        return a_scene(1)

    with captured_while([off_and_on_again], control=control) as captured:
        captured.until_ended()

    assert not control.is_for_use("door", captured.frames[0].times_off)
    assert control.is_for_use("door", control.times_off("door"))


def test_a_camera_that_hangs_while_its_feed_is_off_is_nobodys_loss():
    control = FeedControl({"door": 30.0})
    begun, over = threading.Event(), threading.Event()

    def hang() -> Pixels:
        begun.set()
        over.wait(LONG_S)
        return a_scene(1)

    with captured_while([hang], control=control) as captured:
        assert begun.wait(LONG_S)
        captured.clock.pass_s(1000)
        stuck_on_s = captured.thread.stuck_s(captured.clock.moment())
        control.set_off("door", Off.SCHEDULE, is_off=True)
        stuck_off_s, state = captured.thread.stuck_s(captured.clock.moment()), captured.state
        over.set()

    assert stuck_on_s > 900
    assert stuck_off_s == 0
    assert (state.state, state.faults) == ("off by schedule", {})


def test_a_broken_camera_that_is_switched_off_and_on_starts_anew():
    control = FeedControl({"door": 30.0})
    gone = CameraError(CameraFault.UNREACHABLE, "nothing answers")
    with captured_while(*[[gone]] * 1000, control=control) as captured:
        captured.until(lambda state: state.state == "unreachable")
        control.set_off("door", Off.SWITCH, is_off=True)
        state = captured.until(lambda state: state.state == "switched off")
        assert state.detail == ""
        control.set_off("door", Off.SWITCH, is_off=False)
        captured.until(lambda state: state.state == "unreachable")


def test_stopping_does_not_wait_for_a_feed_that_is_off():
    control = FeedControl({"door": 30.0})
    control.set_off("door", Off.SWITCH, is_off=True)
    with captured_while([a_scene(0)], control=control) as captured:
        captured.until(lambda state: state.state == "switched off")

    assert captured.frames == []


def test_a_clip_that_is_replayed_heeds_no_switch_and_no_lower_rate():
    control = FeedControl({"door": 10.0})
    control.set_off("door", Off.SWITCH, is_off=True)
    control.set_fps("door", 1.0)
    feed = a_feed(FileSource(path="x"), fps=10.0)
    with Captured(feed, ScriptedSource([[a_scene(n) for n in range(5)]]), control=control) as captured:
        frames = captured.until_ended()

    assert len(frames) == 5
    assert (captured.state.state, captured.state.fps_allowed) == ("ended", None)


def test_a_lower_rate_is_kept_evenly_and_told():
    control = FeedControl({"door": 10.0})
    control.set_fps("door", 2.5)
    scenes = [a_scene(number) for number in range(100)]
    with captured_while(scenes, control=control, feed=a_camera(fps=10.0), step_s=0.05) as captured:
        captured.until_ended()
        state = captured.state

    assert state.fps_allowed == 2.5
    # The slot may drop what its taker is too slow for: the source runs as fast as it can.
    gaps = {later.at.steady_ms - earlier.at.steady_ms for earlier, later in pairwise(captured.frames)}
    assert all(round(gap / 50) % 8 in {0, 6} for gap in gaps), gaps
    assert 11 <= state.frames <= 14


def test_a_higher_rate_than_configured_is_not_taken():
    control = FeedControl({"door": 10.0})
    control.set_fps("door", 20.0)
    scenes = [a_scene(number) for number in range(100)]
    with captured_while(scenes, control=control, feed=a_camera(fps=10.0), step_s=0.05) as captured:
        captured.until_ended()
        state = captured.state

    assert state.frames <= 52
    assert state.fps_allowed is None


def test_what_a_mask_covers_is_seen_by_nobody():
    control = FeedControl({"door": 30.0})
    left_half = Mask(points=tuple(Point(x=x, y=y) for x, y in ((0, 0), (0.5, 0), (0.5, 1), (0, 1))))
    bright = np.full((24, 32, 3), 200, np.uint8)
    with captured_while([bright], control=control, feed=a_camera(masks=(left_half,))) as captured:
        captured.until_ended()

    (frame,) = captured.frames
    assert not frame.pixels[:, :16].any()
    assert (frame.pixels[:, 16:] == 200).all()
