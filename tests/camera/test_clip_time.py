"""The time of a clip's frames."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.camera.clip_time import ClipTime


def a_clip(fps: float = 10) -> ClipTime:
    time = ClipTime()
    time.begin_round(fps)
    return time


def test_time_is_what_the_container_says_counted_from_the_first_frame():
    time = a_clip()

    assert [time.of_frame(position) for position in (5.0, 5.1, 5.25)] == pytest.approx([0, 0.1, 0.25])


def test_a_stream_that_says_nothing_goes_on_by_its_rate():
    time = a_clip(fps=10)

    assert [time.of_frame(0.0) for _ in range(4)] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_loop_goes_on_where_the_round_before_ended():
    time = a_clip(fps=10)
    first = [time.of_frame(position) for position in (0.0, 0.1)]
    time.begin_round(10)

    assert first + [time.of_frame(position) for position in (0.0, 0.1)] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_opened_anew_it_begins_at_nought():
    time = a_clip()
    time.of_frame(0.0)
    time.of_frame(9.0)
    time.restart()
    time.begin_round(10)

    assert time.of_frame(3.0) == 0


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), min_size=1, max_size=4),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_time_only_goes_forward_whatever_the_container_says(rounds: list[list[float]], fps: float):
    time = ClipTime()
    seen = []
    for positions in rounds:
        time.begin_round(fps)
        seen += [time.of_frame(position) for position in positions]

    assert all(later > earlier for earlier, later in pairwise(seen))
