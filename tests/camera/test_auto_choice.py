"""Which of several ways to decode is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.camera.auto_choice import Figures, Trial, best, reasons

figures = st.builds(Figures, st.floats(0, 1000), st.floats(0, 200))


@st.composite
def trials(draw: st.DrawFn) -> list[Trial]:
    drawn = draw(st.lists(st.none() | figures, max_size=6))
    return [Trial(f"way {number}", "", each) for number, each in enumerate(drawn)]


def a_trial(way: str, cpu_ms: float, fps: float = 25) -> Trial:
    return Trial(way, f"{way} words", Figures(cpu_ms, fps))


def test_the_cheapest_is_kept():
    assert best([a_trial("opencv", 6), a_trial("hardware", 2)]) == a_trial("hardware", 2)


def test_what_cannot_follow_the_camera_is_not_kept_however_cheap():
    assert best([a_trial("slow", 1, fps=12), a_trial("dear", 9)]) == a_trial("dear", 9)


def test_of_two_that_cost_nearly_the_same_the_first_is_kept():
    assert best([a_trial("opencv", 3.1), a_trial("other", 3.0)]) == a_trial("opencv", 3.1)


def test_what_failed_is_never_kept():
    assert best([Trial("hardware", "no device"), a_trial("opencv", 6)]) == a_trial("opencv", 6)
    assert best([Trial("hardware", "no device")]) is None


@given(trials())
def test_no_other_one_that_keeps_the_rate_is_much_cheaper(tried: list[Trial]):
    chosen = best(tried)
    good = [trial.figures for trial in tried if trial.figures is not None]
    if chosen is None:
        assert good == []
        return
    assert chosen.figures is not None
    most_fps = max(each.fps for each in good)
    assert chosen.figures.fps >= 0.9 * most_fps
    keeping = [each.cpu_ms for each in good if each.fps >= 0.9 * most_fps]
    assert chosen.figures.cpu_ms <= 1.1 * min(keeping)


@given(trials(), st.data())
def test_something_that_failed_changes_no_choice(tried: list[Trial], data: st.DataObject):
    place = data.draw(st.integers(0, len(tried)))

    assert best([*tried[:place], Trial("broken", "no device"), *tried[place:]]) == best(tried)


def test_the_reasons_name_every_way_and_begin_with_the_chosen_one():
    unpaced = Trial("clip", "ffmpeg h264", Figures(2, 0))
    tried = [a_trial("opencv", 6.04), Trial("vaapi", "no device"), unpaced]

    assert reasons(tried, unpaced) == (
        "ffmpeg h264 takes 2.0 ms of CPU a frame; opencv words takes 6.0 ms of CPU a frame at 25.0 fps;"
        " vaapi fails: no device"
    )


@pytest.mark.parametrize("cpu_ms", [0.0, 1e-9])
def test_a_cost_too_small_to_see_is_the_least(cpu_ms: float):
    assert best([a_trial("dear", 5), a_trial("free", cpu_ms)]) == a_trial("free", cpu_ms)
