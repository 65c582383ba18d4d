"""Which frames are looked at, when, and how many that are."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.pipeline.sampling import Pacer, Rate, Sampler


def taken(fps: float, times_s: list[float]) -> list[float]:
    sampler = Sampler(fps)
    return [at_s for at_s in times_s if sampler.is_due(at_s)]


def test_a_camera_of_the_asked_rate_loses_no_frame_though_its_frames_come_early_and_late():
    times = [number / 10 + (0.02, -0.02, 0.0)[number % 3] for number in range(1, 100)]

    assert taken(10, times) == times


@pytest.mark.parametrize("rate", [11, 12, 15, 20, 25, 29.97, 30, 50, 60, 120])
def test_a_faster_camera_is_thinned_to_the_asked_rate(rate: float):
    count = len(taken(10, [number / rate for number in range(int(rate * 60))]))

    assert 599 <= count <= 601


def test_a_slower_camera_is_taken_whole():
    times = [number / 5 for number in range(50)]

    assert taken(10, times) == times


def test_after_a_pause_no_burst_makes_up_for_it():
    times = [0.0, 0.1, *(60 + number / 100 for number in range(100))]

    assert len(taken(10, times)) - 2 in {10, 11}


@given(st.lists(st.floats(0, 3600), min_size=1).map(sorted), st.floats(0.1, 60))
def test_never_are_more_frames_taken_than_fit_into_the_time(times: list[float], fps: float):
    count = len(taken(fps, times))

    # The first frame, and the part of a step that a frame may be early.
    assert count <= (times[-1] - times[0]) * fps + 2


@given(st.lists(st.floats(0, 3600)).map(sorted), st.floats(0.1, 60))
def test_the_same_times_give_the_same_frames(times: list[float], fps: float):
    assert taken(fps, times) == taken(fps, times)


def test_a_source_that_is_ahead_of_its_time_waits_for_it():
    pacer = Pacer()

    assert pacer.wait_s(0.0, now_s=100.0) == 0
    assert pacer.wait_s(0.5, now_s=100.1) == pytest.approx(0.4)


def test_a_source_that_is_a_little_late_does_not_wait_and_catches_up():
    pacer = Pacer()
    pacer.wait_s(0.0, now_s=100.0)

    assert pacer.wait_s(0.1, now_s=100.3) == 0
    assert pacer.wait_s(0.4, now_s=100.3) == pytest.approx(0.1)


def test_a_source_that_is_very_late_goes_on_from_now():
    pacer = Pacer()
    pacer.wait_s(0.0, now_s=100.0)

    assert pacer.wait_s(0.1, now_s=107.0) == 0
    assert pacer.wait_s(0.2, now_s=107.0) == pytest.approx(0.1)


def test_the_rate_is_that_of_the_last_ten_seconds():
    rate = Rate(10)
    for number in range(200):
        rate.note(number / 10)

    assert rate.per_second(19.9) == pytest.approx(10, rel=0.02)
    assert rate.per_second(24.9) == pytest.approx(5, rel=0.02)
    assert rate.per_second(60.0) == 0


def test_the_rate_of_a_feed_that_has_just_begun_is_not_diluted():
    rate = Rate(10)
    for number in range(20):
        rate.note(number / 10)

    assert rate.per_second(2.0) == pytest.approx(10)


def test_nothing_noted_is_a_rate_of_nothing():
    assert Rate().per_second(5.0) == 0


def test_another_rate_holds_from_the_next_frame_on_evenly():
    sampler = Sampler(10)
    begin = [number / 100 for number in range(100) if sampler.is_due(number / 100)]
    sampler.set_fps(2.5)
    slow = [1 + number / 100 for number in range(200) if sampler.is_due(1 + number / 100)]
    sampler.set_fps(10)
    again = [3 + number / 100 for number in range(100) if sampler.is_due(3 + number / 100)]

    assert len(begin) in {10, 11}
    assert slow[0] - begin[-1] == pytest.approx(0.4, abs=0.11)
    assert [round(later - earlier, 2) for earlier, later in pairwise(slow)] == [0.4] * 4
    assert len(again) in {10, 11}
