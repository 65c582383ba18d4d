import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.chips import a_drawn_face, in_grey
from edged.domain.face import CHIP_SIZE_PX
from edged.vision.infrared import colourfulness, is_grey


def tinted(chip, red, green, blue):
    return np.clip(chip * np.array([red, green, blue]), 0, 255).astype(np.uint8)


def as_jpeg(chip, quality):
    written = cv2.imencode(
        ".jpg", cv2.cvtColor(chip, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )[1]
    return cv2.cvtColor(cv2.imdecode(written, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def noisy(chip, deviation):
    noise = np.random.default_rng(3).normal(0, deviation, chip.shape)
    return np.clip(chip + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("lit", [0.2, 0.5, 1.0])
def test_a_face_in_colour_is_not_grey_in_any_light(lit):
    assert not is_grey(a_drawn_face(lit=lit))
    assert not is_grey(as_jpeg(a_drawn_face(lit=lit), 30))
    assert not is_grey(tinted(a_drawn_face(lit=lit), 1.1, 0.85, 0.45))


@pytest.mark.parametrize("tint", [(1, 1, 1), (1.1, 0.85, 0.95), (0.9, 1.0, 0.8)])
@pytest.mark.parametrize("quality", [95, 40])
@pytest.mark.parametrize("deviation", [0, 8])
def test_a_grey_face_is_grey_in_spite_of_white_balance_jpeg_and_noise(tint, quality, deviation):
    infrared = tinted(in_grey(a_drawn_face(lit=0.8)), *tint)
    assert is_grey(as_jpeg(noisy(infrared, deviation), quality))


@pytest.mark.parametrize("value", [0, 255])
def test_one_flat_shade_is_grey(value):
    assert is_grey(np.full((CHIP_SIZE_PX, CHIP_SIZE_PX, 3), value, np.uint8))


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_more_of_its_colour_a_picture_keeps_the_more_colourful(one, other):
    colour, grey = a_drawn_face().astype(np.float64), in_grey(a_drawn_face()).astype(np.float64)

    def keeping(share):
        return np.round(grey + share * (colour - grey)).astype(np.uint8)

    less, more = sorted((one, other))
    assert colourfulness(keeping(less)) <= colourfulness(keeping(more)) + 0.002
