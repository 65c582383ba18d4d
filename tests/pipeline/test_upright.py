"""A camera's picture as the rest of the house sees it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.frame import Pixels
from edged.pipeline.upright import Upright
from edged.settings.feeds import Crop, Mask, Point


def a_picture(height: int = 4, width: int = 6) -> Pixels:
    return np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize(("rotate", "turns"), [(0, 0), (90, -1), (180, 2), (270, 1)])
def test_degrees_are_clockwise(rotate: int, turns: int):
    assert np.array_equal(Upright(rotate, None)(a_picture()), np.rot90(a_picture(), turns))


def test_the_crop_is_cut_from_the_upright_picture():
    # Turned by 90 degrees it is 4 wide and 6 high.
    cut = Upright(90, Crop(x_min=0.5, y_min=0.0, x_max=1.0, y_max=0.5))(a_picture(4, 6))

    assert np.array_equal(cut, np.rot90(a_picture(4, 6), -1)[0:3, 2:4])


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, Crop(x_min=0.2, y_min=0.1, x_max=0.9, y_max=0.8)])
def test_what_comes_out_is_contiguous_and_read_only(rotate: int, crop: Crop | None):
    picture = Upright(rotate, crop)(a_picture(40, 60))

    assert picture.flags.c_contiguous
    assert not picture.flags.writeable


FRACTIONS = st.floats(0, 1)


@given(x=st.tuples(FRACTIONS, FRACTIONS).map(sorted), y=st.tuples(FRACTIONS, FRACTIONS).map(sorted))
def test_a_crop_is_never_empty_and_never_outside(x: list[float], y: list[float]):
    cut = Upright(0, Crop(x_min=x[0], x_max=x[1], y_min=y[0], y_max=y[1]))(a_picture(5, 7))

    assert 1 <= cut.shape[0] <= 5
    assert 1 <= cut.shape[1] <= 7


CORNERS = st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=3, max_size=6)
TWO_MASKS = st.lists(CORNERS, min_size=1, max_size=2)


def masks_of(polygons: list[list[tuple[float, float]]]) -> tuple[Mask, ...]:
    return tuple(Mask(points=tuple(Point(x=x, y=y) for x, y in corners)) for corners in polygons)


@given(polygons=TWO_MASKS, rotate=st.sampled_from([0, 90, 180, 270]))
def test_a_mask_lies_on_the_upright_picture_before_it_is_cut(polygons: list[Any], rotate: int):
    crop = Crop(x_min=0.3, y_min=0.25, x_max=0.9, y_max=1.0)
    picture = np.full((12, 20, 3), 255, np.uint8)

    masked = Upright(rotate, None, masks_of(polygons))(picture.copy())
    cut = Upright(rotate, crop, masks_of(polygons))(picture.copy())

    assert np.array_equal(cut, Upright(0, crop)(masked.copy()))
    assert not cut.flags.writeable
    assert cut.flags.c_contiguous


def test_the_picture_of_another_size_is_masked_too():
    upright = Upright(0, None, masks_of([[(0, 0), (0.5, 0), (0.5, 1), (0, 1)]]))

    for width in (10, 40, 10):
        masked = upright(np.full((8, width, 3), 9, np.uint8))
        assert not masked[:, : width // 2].any()
        assert (masked[:, width // 2 :] == 9).all()


def test_a_picture_that_may_not_be_written_is_copied():
    picture = np.full((8, 10, 3), 9, np.uint8)
    picture.flags.writeable = False

    masked = Upright(0, None, masks_of([[(0, 0), (1, 0), (1, 1)]]))(picture)

    assert not masked[0, 9].any()
    assert (picture == 9).all()


def test_a_mask_outside_the_cut_changes_nothing():
    masks = masks_of([[(0, 0), (0.2, 0), (0.2, 1)]])

    cut = Upright(0, Crop(x_min=0.5), masks)(np.full((8, 10, 3), 9, np.uint8))

    assert (cut == 9).all()
