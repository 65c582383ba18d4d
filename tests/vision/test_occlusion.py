import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.chips import SKIN, a_drawn_face, in_grey, seen, with_mask, with_sunglasses
from edged.domain.face import CHIP_SIZE_PX
from edged.vision.occlusion import cover_of

CHIP = (CHIP_SIZE_PX, CHIP_SIZE_PX, 3)


def test_a_bare_face_is_not_covered():
    assert cover_of(a_drawn_face()).occlusion < 0.2


@pytest.mark.parametrize("colour", [(20, 20, 22), (70, 50, 35), (10, 10, 60)])
def test_dark_glasses_cover_the_eyes_and_not_the_mouth(colour):
    cover = cover_of(with_sunglasses(a_drawn_face(), colour))
    assert cover.eyes > 0.8
    assert cover.mouth < 0.2


@pytest.mark.parametrize("colour", [(120, 170, 200), (25, 25, 28), (235, 235, 235), SKIN])
def test_a_mask_covers_the_mouth(colour):
    assert cover_of(with_mask(a_drawn_face(), colour)).mouth > 0.5


def test_it_needs_no_colours():
    assert cover_of(in_grey(a_drawn_face())).occlusion < 0.2
    assert cover_of(in_grey(with_sunglasses(a_drawn_face()))).eyes > 0.8
    assert cover_of(in_grey(with_mask(a_drawn_face()))).mouth > 0.5


@pytest.mark.parametrize("lit", [0.15, 0.4, 1.2])
@pytest.mark.parametrize("blur_px", [1.0, 3.0])
def test_light_and_blur_change_no_verdict(lit, blur_px):
    bare = seen(a_drawn_face(), lit=lit, blur_px=blur_px)
    masked = seen(with_mask(a_drawn_face()), lit=lit, blur_px=blur_px)
    assert cover_of(bare).occlusion < 0.5 < cover_of(masked).occlusion


def test_light_from_one_side_covers_nothing():
    from_left = a_drawn_face() * np.linspace(0.3, 1.2, CHIP_SIZE_PX)[None, :, None]
    assert cover_of(np.clip(from_left, 0, 255).astype(np.uint8)).occlusion < 0.5


def test_glasses_with_clear_lenses_cover_nothing():
    worn = a_drawn_face()
    for x in (48, 102):
        cv2.ellipse(worn, (x, 49), (22, 17), 0, 0, 360, (40, 40, 40), 2)
    assert cover_of(seen(worn)).occlusion < 0.3


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_nothing_is_judged_without_trouble(value):
    cover = cover_of(np.full(CHIP, value, np.uint8))
    assert 0 <= cover.eyes <= 1
    assert 0 <= cover.mouth <= 1


@given(st.integers(0, 1000))
def test_each_part_is_a_share(seed):
    cover = cover_of(np.random.default_rng(seed).integers(0, 256, CHIP).astype(np.uint8))
    assert 0 <= cover.eyes <= 1
    assert 0 <= cover.mouth <= 1
    assert cover.occlusion == max(cover.eyes, cover.mouth)


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_the_darker_the_glasses_the_more_they_cover(one, other):
    darker, lighter = sorted((one, other))

    def shaded(share):
        chip = a_drawn_face().astype(np.float32)
        chip[36:62, 30:120] *= share
        return np.round(chip).astype(np.uint8)

    assert cover_of(shaded(darker)).eyes >= cover_of(shaded(lighter)).eyes - 0.02
