import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.box import Box
from edged.tracking.path import Path


def a_box(x, size=60.0):
    return Box(x - size / 2, 170, x + size / 2, 170 + size)


def walked(*, frames_per_s, speed_px_s, seconds=2.0):
    path = Path(a_box(0))
    step = 1 / frames_per_s
    for frame in range(1, round(seconds * frames_per_s) + 1):
        path.advance(step)
        path.correct(a_box(speed_px_s * frame * step), step, contested=False)
    return path


@given(st.sampled_from([2, 5, 10, 25, 30]), st.floats(-150, 150))
def test_a_steady_walk_is_predicted_at_any_frame_rate(frames_per_s, speed_px_s):
    path = walked(frames_per_s=frames_per_s, speed_px_s=speed_px_s)
    path.advance(0.5)
    assert path.x == pytest.approx(speed_px_s * 2.5, abs=0.12 * abs(speed_px_s) + 0.1)


def test_what_is_not_seen_grows_uncertain():
    path = walked(frames_per_s=10, speed_px_s=30)
    spreads = [path.expected_spread]
    for _ in range(10):
        path.advance(0.1)
        spreads.append(path.expected_spread)
    assert spreads == sorted(spreads)
    assert spreads[-1] > 50 * spreads[0]


def test_many_short_steps_lead_where_one_long_step_does():
    short, long = walked(frames_per_s=10, speed_px_s=90), walked(frames_per_s=10, speed_px_s=90)
    for _ in range(20):
        short.advance(0.05)
    long.advance(1.0)
    assert short.x == pytest.approx(long.x)
    assert short.variance == pytest.approx(long.variance)


def test_a_contested_detection_moves_the_path_less():
    sure, contested = walked(frames_per_s=10, speed_px_s=0), walked(frames_per_s=10, speed_px_s=0)
    for path, is_contested in ((sure, False), (contested, True)):
        path.advance(0.1)
        path.correct(a_box(20), 0.1, contested=is_contested)
    assert abs(contested.x) < abs(sure.x) / 5


def test_the_size_follows_a_face_that_comes_nearer():
    path = Path(a_box(0, size=40))
    for frame in range(1, 21):
        path.advance(0.1)
        path.correct(a_box(0, size=40 + 2 * frame), 0.1, contested=False)
    assert 70 < path.size < 80


def test_a_box_without_area_still_has_a_path():
    path = Path(Box(5, 5, 5, 5))
    path.advance(1.0)
    path.correct(Box(6, 6, 6, 6), 1.0, contested=False)
    assert path.size == 1.0
