import numpy as np
import pytest

from edged.inference.card import InputScale
from edged.inference.pixel_scale import PixelScale
from edged.inference.runtime import TensorType

PICTURE = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)


@pytest.mark.parametrize(("factor", "offset"), [(1 / 127.5, -1.0), (1 / 255, 0.0)])
def test_values_are_scaled_and_shifted(factor, offset):
    target = np.full((6, 8, 3), 9, np.float32)
    PixelScale(InputScale(factor=factor, offset=offset)).write(PICTURE, target)
    assert target == pytest.approx(PICTURE * factor + offset, abs=1e-6)


def test_black_is_what_0_becomes():
    assert (PixelScale(InputScale(factor=1 / 127.5, offset=-1.0)).black == -1).all()


@pytest.mark.parametrize("part", [np.s_[2:8], np.s_[:, 1:9]], ids=["rows", "columns"])
def test_a_part_of_a_larger_input_is_filled_and_the_rest_left(part):
    square = np.full((10, 10, 3), 9, np.float32)
    picture = np.full(square[part].shape, 255, np.uint8)
    PixelScale(InputScale(factor=1 / 255)).write(picture, square[part])
    assert (square[part] == 1).all()
    assert (square == 9).sum() == square.size - picture.size


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_a_quantized_input_gets_the_nearest_step(dtype):
    scale, zero_point = 2 / 255, -1 if dtype == np.int8 else 127
    target = np.empty((6, 8, 3), dtype)
    tensor = TensorType(np.dtype(dtype), scale, zero_point)
    PixelScale(InputScale(factor=1 / 127.5, offset=-1.0), tensor).write(PICTURE, target)
    real = (target.astype(np.float64) - zero_point) * scale
    assert real == pytest.approx(PICTURE / 127.5 - 1, abs=scale / 2 + 1e-9)


def test_what_a_quantized_input_cannot_hold_is_its_nearest_value():
    target = np.empty((6, 8, 3), np.int8)
    PixelScale(InputScale(factor=100.0), TensorType(np.dtype(np.int8), 1.0, 0)).write(PICTURE, target)
    assert set(np.unique(target)) <= {0, 100, 127}


def test_channels_are_turned_round_and_scaled_each_for_itself():
    scale = InputScale(mean=(10.0, 20.0, 30.0), std=(1.0, 2.0, 4.0), order="bgr")
    target = np.empty((6, 8, 3), np.float32)
    PixelScale(scale).write(PICTURE, target)
    assert target == pytest.approx((PICTURE[:, :, ::-1] - [10.0, 20.0, 30.0]) / [1, 2, 4], abs=1e-5)
    assert PixelScale(scale).black == pytest.approx([-10, -10, -7.5])


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_an_input_whose_channels_come_first_is_filled_too(order):
    target = np.empty((3, 6, 8), np.float32)
    PixelScale(InputScale(factor=0.5, offset=1.0, order=order)).write(PICTURE, target.transpose(1, 2, 0))
    picture = PICTURE if order == "rgb" else PICTURE[:, :, ::-1]
    assert target.transpose(1, 2, 0) == pytest.approx(picture * 0.5 + 1)
