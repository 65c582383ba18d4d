"""A camera's picture as the rest of the house sees it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.frame import Pixels
from edged.pipeline.upright import upright
from edged.settings.feeds import Crop


def a_picture(height: int = 4, width: int = 6) -> Pixels:
    return np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize(("rotate", "turns"), [(0, 0), (90, -1), (180, 2), (270, 1)])
def test_degrees_are_clockwise(rotate: int, turns: int):
    assert np.array_equal(upright(a_picture(), rotate, None), np.rot90(a_picture(), turns))


def test_the_crop_is_cut_from_the_upright_picture():
    # Turned by 90 degrees it is 4 wide and 6 high.
    cut = upright(a_picture(4, 6), 90, Crop(x_min=0.5, y_min=0.0, x_max=1.0, y_max=0.5))

    assert np.array_equal(cut, np.rot90(a_picture(4, 6), -1)[0:3, 2:4])


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, Crop(x_min=0.2, y_min=0.1, x_max=0.9, y_max=0.8)])
def test_what_comes_out_is_contiguous_and_read_only(rotate: int, crop: Crop | None):
    picture = upright(a_picture(40, 60), rotate, crop)

    assert picture.flags.c_contiguous
    assert not picture.flags.writeable


FRACTIONS = st.floats(0, 1)


@given(x=st.tuples(FRACTIONS, FRACTIONS).map(sorted), y=st.tuples(FRACTIONS, FRACTIONS).map(sorted))
def test_a_crop_is_never_empty_and_never_outside(x: list[float], y: list[float]):
    cut = upright(a_picture(5, 7), 0, Crop(x_min=x[0], x_max=x[1], y_min=y[0], y_max=y[1]))

    assert 1 <= cut.shape[0] <= 5
    assert 1 <= cut.shape[1] <= 7
