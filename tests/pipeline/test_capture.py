"""The thread that captures one feed: its decisions, on a source that does as it is told."""

import logging
import threading
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from builders.capture import LONG_S, Captured, HandClock, ScriptedSource, WrittenWaits, a_feed, a_scene
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.pipeline.capture import CaptureThread
from edged.pipeline.slot import SlotRing
from edged.settings.feeds import Crop, Feed, Health, Retry
from edged.settings.quantities import Duration, Secret
from edged.settings.sources import FileSource, RtspSource
from edged.system.clock import SystemClock

BROKEN = np.zeros((0, 0, 3), np.uint8)
GONE = CameraError(CameraFault.DISCONNECTED, "the camera went away", remedy="Plug it in.")
REFUSED = CameraError(CameraFault.UNREACHABLE, "nothing answers")


def a_camera(**settings: Any) -> Feed:
    return a_feed(RtspSource(url="rtsp://camera/live", read_timeout=Duration(3)), **settings)


def scenes(count: int, begin: int = 0) -> list[Pixels]:
    return [a_scene(begin + number) for number in range(count)]


def live(*connections: Iterable[Any], step_s: float = 0.1) -> tuple[ScriptedSource, HandClock]:
    clock = HandClock()
    return ScriptedSource(connections, clock=clock, step_s=step_s), clock


def capture_all(feed: Feed, *connections: Iterable[Any], step_s: float = 0.1) -> Captured:
    """Capture a script on a live source to its end."""
    source, clock = live(*connections, step_s=step_s)
    with Captured(feed, source, clock=clock) as captured:
        captured.until(lambda state: state.state == "ended")
    return captured


def test_a_clip_is_captured_whole_in_its_own_time():
    feed = a_feed(FileSource(path="x", start="2024-05-06T07:08:09.500Z"))
    with Captured(feed, ScriptedSource([scenes(5)])) as captured:
        frames = captured.until_ended()

    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5]
    assert [frame.at.steady_ms for frame in frames] == [0, 100, 200, 300, 400]
    assert frames[0].at.utc_ms == 1_714_979_289_500
    assert frames[4].at.utc_ms - frames[0].at.utc_ms == 400
    assert captured.state.state == "ended"
    assert captured.state.dropped == 0
    assert not captured.thread.is_alive


def test_a_clip_is_thinned_to_the_asked_rate_always_in_the_same_way():
    def times() -> list[int]:
        with Captured(a_feed(fps=10), ScriptedSource([scenes(30)], step_s=1 / 30)) as captured:
            return [frame.at.steady_ms for frame in captured.until_ended()]

    first = times()
    assert first == times()
    assert first == [100 * number for number in range(10)]


def test_a_frame_is_upright_cropped_and_read_only():
    picture = a_scene(1, size=(40, 20))
    feed = a_feed(rotate=90, crop=Crop(x_max=0.5))
    with Captured(feed, ScriptedSource([[picture]])) as captured:
        frame = captured.until_ended()[0]

    assert np.array_equal(frame.pixels, np.rot90(picture, -1)[:, :10])
    assert not frame.pixels.flags.writeable
    assert (captured.state.width_px, captured.state.height_px) == (10, 40)


def test_a_live_frame_is_stamped_by_the_clock():
    source, clock = live(scenes(3))
    with Captured(a_camera(), source, clock=clock) as captured:
        captured.until(lambda state: state.state == "ended")
        frames = captured.until_frames(1)

    assert frames[-1].at.utc_ms - frames[-1].at.steady_ms == 1_700_000_000_000
    assert 1_000_000 < frames[-1].at.steady_ms <= clock.moment().steady_ms


def test_a_fault_is_told_counted_and_got_over():
    captured = capture_all(a_camera(), [REFUSED], [REFUSED], [*scenes(3), GONE], scenes(3, 10))
    state = captured.state

    assert state.faults == {"disconnected": 1, "unreachable": 2}
    assert state.reconnections == 1
    assert state.frames == 6


def test_what_is_wrong_stands_in_the_state_until_it_is_over():
    source, clock = live([GONE])
    with Captured(a_camera(retry=Retry(first=Duration(60))), source, clock=clock) as captured:
        state = captured.until(lambda state: state.state != "starting")

    assert state.state == "disconnected"
    assert state.detail == "the camera went away. Plug it in."
    assert not state.capturing


def test_the_source_is_closed_after_every_failure_and_at_the_end():
    captured = capture_all(a_camera(), [REFUSED], [*scenes(1), GONE], scenes(1))

    assert isinstance(captured.source, ScriptedSource)
    assert captured.source.closed == 3


def test_a_change_is_logged_once_and_not_once_a_try(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    capture_all(a_camera(), *[[REFUSED]] * 5, [*scenes(20), GONE], *[[GONE]] * 3, scenes(20))

    told = [(record.levelname, record.message) for record in caplog.records]
    assert told == [
        ("WARNING", "feed door: unreachable: nothing answers"),
        ("INFO", "feed door: capturing again, was unreachable"),
        ("WARNING", "feed door: disconnected: the camera went away Plug it in."),
        ("INFO", "feed door: capturing again, was disconnected"),
        ("INFO", "feed door: the clip has ended"),
    ]


def waits(feed: Feed, *connections: Iterable[Any], jitter: float = 1.0) -> list[float]:
    """How long the source was left alone after each failure, in seconds."""
    source, clock = live(*connections)
    stop = WrittenWaits()
    with Captured(feed, source, clock=clock, jitter=lambda: jitter, stop=stop) as captured:
        captured.until(lambda state: state.state == "ended")
    return stop.waits_s


SLOW = Retry(first=Duration(1), most=Duration(8))


def test_a_broken_source_is_left_alone_longer_and_longer_up_to_a_bound():
    assert waits(a_camera(retry=SLOW), *[[REFUSED]] * 6) == [1, 2, 4, 8, 8, 8]


def test_the_wait_is_at_random_below_the_bound():
    assert waits(a_camera(retry=SLOW), *[[REFUSED]] * 3, jitter=0.25) == [0.25, 0.5, 1]


def test_a_source_that_worked_for_a_while_is_tried_soon_again():
    nine_seconds = [*scenes(90), GONE]

    assert waits(a_camera(retry=SLOW), [REFUSED], [REFUSED], nine_seconds, [REFUSED]) == [1, 2, 1, 2]


def test_a_camera_that_works_for_a_moment_only_is_not_hammered():
    one_second = [*scenes(10), GONE]

    assert waits(a_camera(retry=SLOW), *[one_second] * 5) == [1, 2, 4, 8, 8]


def test_a_slow_true_is_a_stall():
    clock = HandClock()

    def stalled() -> Pixels:
        clock.pass_s(3)
        return a_scene(99)

    source = ScriptedSource([[*scenes(3), stalled, *scenes(5, 50)], scenes(2, 100)], clock=clock)
    with Captured(a_camera(), source, clock=clock) as captured:
        captured.until(lambda state: state.state == "ended")

    # Neither the stale frame nor anything after it, before the source was opened again.
    assert captured.state.frames == 5
    assert captured.state.faults == {"silent": 1}


def test_a_slow_frame_of_a_clip_is_no_stall():
    captured = capture_all(a_feed(FileSource(path="x", pace="realtime")), scenes(3), step_s=10)

    assert captured.state.faults == {}


def still(count: int) -> list[Pixels]:
    return [a_scene(7)] * count


FROZEN_SOON = Health(frozen_after=Duration(2), one_colour_after=Duration(1))


def test_a_frozen_camera_is_told_and_opened_again_and_not_believed_until_it_moves():
    feed = a_camera(health=FROZEN_SOON)
    captured = capture_all(feed, [*scenes(5), *still(40)], still(40), [*still(5), *scenes(5, 20)])

    assert captured.state.faults == {"frozen": 2}
    # Five that move, the still ones until they are found out, five that move again.
    assert captured.state.frames == 5 + 21 + 5


def test_while_a_picture_is_not_believed_the_state_says_why():
    clock = HandClock()
    seen = []

    def look() -> Pixels:
        seen.append(captured.state)
        return a_scene(7)

    source = ScriptedSource([still(30), [*still(4), look]], clock=clock)
    captured = Captured(a_camera(health=FROZEN_SOON), source, clock=clock)
    with captured:
        captured.until(lambda state: state.state == "ended")

    assert seen[0].state == "frozen"
    assert not seen[0].capturing
    assert "2 s" in seen[0].detail
    assert seen[0].last_frame_age_ms == 100


def test_a_camera_of_one_colour_is_told():
    grey = np.full((24, 32, 3), 80, np.uint8)
    captured = capture_all(a_camera(health=FROZEN_SOON), [*scenes(3), *[grey] * 30], scenes(3, 10))

    assert captured.state.faults == {"one colour": 1}


def test_a_still_clip_is_what_it_is():
    with Captured(a_feed(health=FROZEN_SOON), ScriptedSource([still(100)])) as captured:
        assert len(captured.until_ended()) == 100
    assert captured.state.faults == {}


def test_another_size_is_no_fault_and_is_told(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    captured = capture_all(a_camera(), [*scenes(2), a_scene(5, (64, 48)), a_scene(6, (64, 48))])

    assert captured.state.frames == 4
    assert captured.state.resolution_changes == 1
    assert (captured.state.width_px, captured.state.height_px) == (64, 48)
    assert captured.state.faults == {}
    assert "feed door: the picture is now 64 x 48, was 32 x 24" in caplog.messages


def test_a_broken_picture_is_counted_and_the_next_one_is_taken():
    captured = capture_all(a_camera(), [a_scene(1), BROKEN, a_scene(2)])

    assert captured.state.frames == 2
    assert captured.state.faults == {"not video": 1}
    assert captured.state.reconnections == 0


def test_a_camera_that_sends_only_broken_pictures_is_no_video():
    captured = capture_all(a_camera(), [BROKEN] * 100, scenes(1))

    assert captured.state.reconnections == 1
    assert captured.state.faults == {"not video": 11}


def test_a_folder_may_hold_any_number_of_broken_pictures():
    with Captured(a_feed(), ScriptedSource([[*[BROKEN] * 50, a_scene(1)]])) as captured:
        assert len(captured.until_ended()) == 1
    assert captured.state.faults == {"not video": 50}


def test_the_time_of_a_clip_that_must_be_opened_again_does_not_go_back():
    with Captured(a_feed(), ScriptedSource([[*scenes(5), GONE], scenes(5)])) as captured:
        times = [frame.at.steady_ms for frame in captured.until_ended()]

    assert len(times) == 10
    assert all(later > earlier for earlier, later in pairwise(times))


def test_an_unforeseen_error_does_not_end_the_feed(caplog: pytest.LogCaptureFixture):
    captured = capture_all(a_camera(), [*scenes(1), RuntimeError("what now")], scenes(1))

    assert captured.state.frames == 2
    assert captured.state.faults == {"disconnected": 1}
    assert "RuntimeError: what now" in caplog.text


def test_no_log_shows_the_password_whatever_an_error_holds(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    source = RtspSource(url="rtsp://camera/live", username="cam", password=Secret("door", "p:w/x@y"))
    words = "cannot open rtsp://cam:p%3Aw%2Fx%40y@camera/live with p:w/x@y"
    captured = capture_all(a_feed(source), [RuntimeError(words)], scenes(1))

    assert "cannot open rtsp://" in caplog.text
    for form in ("p:w/x@y", "p%3Aw%2Fx%40y", "p%3Aw"):
        assert form not in caplog.text
        assert form not in captured.state.detail


def test_a_secret_that_was_never_looked_up_is_told_and_does_not_end_the_thread():
    source = RtspSource(url="rtsp://camera/live", username="cam", password=Secret("door"))
    with Captured(a_feed(source)) as captured:
        state = captured.until(lambda state: state.faults != {})

        assert "secret `door` was not looked up" in state.detail
        assert captured.thread.is_alive


def test_stopping_does_not_wait_for_a_retry():
    source, clock = live(*[[REFUSED]] * 100)
    with Captured(a_camera(retry=Retry(first=Duration(60))), source, clock=clock) as captured:
        captured.until(lambda state: state.state == "unreachable")
        captured.stop.set()

        assert captured.thread.join(LONG_S / 2)


def test_stopping_does_not_wait_for_a_clip_that_nobody_takes():
    source = ScriptedSource([scenes(10)])
    slots, stop, log = SlotRing(("door",)), threading.Event(), logging.getLogger()
    thread = CaptureThread(a_feed(), source, slots, SystemClock(), lambda: 1.0, "bench", stop, log)
    thread.start()
    stop.set()
    slots.close()

    assert thread.join(LONG_S)


def test_a_read_that_never_returns_keeps_nobody_and_is_told_as_silence():
    clock = HandClock()
    begun, over = threading.Event(), threading.Event()

    def never() -> Pixels:
        begun.set()
        over.wait(LONG_S)
        return a_scene(1)

    captured = Captured(a_camera(), ScriptedSource([[a_scene(0), never]], clock=clock), clock=clock)
    captured.thread.start()
    assert begun.wait(LONG_S)
    captured.stop.set()
    joined = captured.thread.join(0.05)
    before = captured.state
    stuck_before_s = captured.thread.stuck_s(clock.moment())
    clock.pass_s(60)
    after, stuck_after_s = captured.state, captured.thread.stuck_s(clock.moment())
    over.set()

    assert not joined
    assert before.state == "capturing"
    assert after.state == "silent"
    assert "has not answered for 60 s" in after.detail
    assert stuck_before_s == 0
    assert stuck_after_s >= 60
    assert not after.capturing
    assert after.last_frame_age_ms is not None
    assert after.last_frame_age_ms >= 60_000
    assert captured.thread.join(LONG_S)


def test_an_opening_that_never_returns_is_told_as_silence():
    clock = HandClock()
    begun, over = threading.Event(), threading.Event()

    def connections() -> Iterator[list[Any]]:
        begun.set()
        over.wait(LONG_S)
        yield []

    captured = Captured(a_camera(), ScriptedSource(connections(), clock=clock), clock=clock)
    captured.thread.start()
    assert begun.wait(LONG_S)
    clock.pass_s(60)
    state = captured.state
    captured.stop.set()
    over.set()

    assert state.state == "silent"
    assert captured.thread.join(LONG_S)


def test_one_silent_feed_does_not_disturb_another():
    begun, over = threading.Event(), threading.Event()

    def never() -> Pixels:
        begun.set()
        over.wait(LONG_S)
        return a_scene(1)

    slots = SlotRing(("stuck", "well"))
    stuck = Captured(a_camera(id="stuck"), ScriptedSource([[never]]), slots=slots)
    stuck.thread.start()
    assert begun.wait(LONG_S)
    with Captured(a_feed(id="well"), ScriptedSource([scenes(20)]), slots=slots) as well:
        frames = well.until_ended()
    stuck.stop.set()
    over.set()

    assert [frame.feed_id for frame in frames] == ["well"] * 20
    assert stuck.thread.join(LONG_S)


def test_before_the_first_frame_there_is_no_age():
    source, clock = live([REFUSED])
    with Captured(a_camera(retry=Retry(first=Duration(60))), source, clock=clock) as captured:
        state = captured.until(lambda state: state.state == "unreachable")

    assert state.last_frame_age_ms is None
    assert (state.feed_id, state.namespace, state.device) == ("door", "home", "bench")
    assert state.fps == 0
