import numpy as np
import pytest

from edged.inference.pixel_scale import PixelScale

PICTURE = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)


@pytest.mark.parametrize(("factor", "offset"), [(1 / 127.5, -1.0), (1 / 255, 0.0)])
def test_values_are_scaled_and_shifted(factor, offset):
    target = np.full((6, 8, 3), 9, np.float32)
    PixelScale(factor, offset).write(PICTURE, target)
    assert target == pytest.approx(PICTURE * factor + offset, abs=1e-6)


def test_black_is_what_0_becomes():
    assert PixelScale(1 / 127.5, -1.0).black == -1


@pytest.mark.parametrize("part", [np.s_[2:8], np.s_[:, 1:9]], ids=["rows", "columns"])
def test_a_part_of_a_larger_input_is_filled_and_the_rest_left(part):
    square = np.full((10, 10, 3), 9, np.float32)
    picture = np.full(square[part].shape, 255, np.uint8)
    PixelScale(1 / 255, 0.0).write(picture, square[part])
    assert (square[part] == 1).all()
    assert (square == 9).sum() == square.size - picture.size
