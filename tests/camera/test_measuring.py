"""What a source costs while its frames are taken."""

import pytest

from builders.capture import HandClock
from edged.camera.auto_choice import Figures
from edged.camera.measuring import Measurement
from edged.domain.frame import Pixels


class Idle:
    """A source whose decoding nobody needs to see."""

    is_live = True
    decoder = "idle"
    tasks = ("0/gone",)

    def open(self) -> None: ...

    def grab(self) -> None: ...

    def retrieve(self) -> Pixels:
        raise NotImplementedError

    def close(self) -> None: ...


def measured(frames: int, step_s: float, **limits: int) -> tuple[int, Figures | None]:
    """Takes frames until there are figures, at most so many; gives how many were taken, and the figures."""
    clock = HandClock()
    measurement = Measurement(Idle(), clock, **limits)
    for number in range(1, frames + 1):
        clock.pass_s(step_s)
        if (figures := measurement.frame()) is not None:
            return number, figures
    return frames, None


def test_the_warm_up_is_not_counted():
    # Ten frames of it, then one that begins the four seconds.
    taken, figures = measured(100, 0.1, warm_up_ms=1000, measure_ms=4000)

    assert taken == 50
    assert figures is not None
    assert figures.fps == pytest.approx(10)


def test_a_rate_is_that_of_the_frames_that_come():
    _, figures = measured(1000, 1 / 25, warm_up_ms=0, measure_ms=2000)

    assert figures is not None
    assert figures.fps == pytest.approx(25)
    assert figures.cpu_ms >= 0


def test_there_are_no_figures_before_it_is_time():
    assert measured(30, 0.1, warm_up_ms=1000, measure_ms=4000) == (30, None)


def test_without_a_frame_that_counts_there_is_nothing_to_tell():
    clock = HandClock()
    measurement = Measurement(Idle(), clock, warm_up_ms=0)

    assert measurement.figures() is None
    measurement.frame()
    assert measurement.figures() is None
