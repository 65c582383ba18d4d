import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.vision.letterbox import Letterbox, shrunk

sizes = st.integers(1, 8000)
placings = st.builds(Letterbox.fitted, sizes, sizes, st.sampled_from([128, 192]))


@given(placings, st.floats(-1, 2), st.floats(-1, 2))
def test_a_point_comes_back_from_the_square_where_it_was(placed, right, down):
    point = (right * placed.frame_width_px, down * placed.frame_height_px)
    assert placed.to_frame(*placed.to_square(*point)) == pytest.approx(point, rel=1e-9, abs=1e-6)


@given(placings)
def test_the_corners_of_the_frame_are_the_corners_of_its_picture_in_the_square(placed):
    assert placed.to_square(0, 0) == (placed.left_px, placed.top_px)
    right_bottom = (placed.left_px + placed.width_px, placed.top_px + placed.height_px)
    assert placed.to_frame(*right_bottom) == (placed.frame_width_px, placed.frame_height_px)


@given(placings)
def test_the_picture_fills_the_square_in_one_direction_and_lies_in_the_middle_in_the_other(placed):
    assert max(placed.width_px, placed.height_px) == placed.side_px
    assert min(placed.width_px, placed.height_px) >= 1
    bars = (placed.side_px - placed.width_px, placed.side_px - placed.height_px)
    assert (placed.left_px, placed.top_px) == (bars[0] // 2, bars[1] // 2)


def test_a_vga_frame_has_bars_above_and_below():
    placed = Letterbox.fitted(640, 480, 192)
    assert (placed.width_px, placed.height_px, placed.left_px, placed.top_px) == (192, 144, 0, 24)


@pytest.mark.parametrize(
    ("width", "height"), [(640, 480), (1280, 720), (480, 640), (1919, 1079), (300, 200), (90, 60)]
)
def test_a_spot_is_found_again_where_it_was_in_the_frame(width, height):
    frame = np.zeros((height, width, 3), np.uint8)
    x, y, radius = 0.3 * width, 0.6 * height, 0.06 * width
    cv2.circle(frame, (round(x), round(y)), round(radius), (255, 255, 255), -1)
    placed = Letterbox.fitted(width, height, 192)
    weights = shrunk(frame, placed.width_px, placed.height_px)[:, :, 0].astype(np.float64)
    rows, columns = np.indices(weights.shape)
    middle_x = ((columns + 0.5) * weights).sum() / weights.sum() + placed.left_px
    middle_y = ((rows + 0.5) * weights).sum() / weights.sum() + placed.top_px
    found = placed.to_frame(middle_x, middle_y)
    pixel = width / placed.width_px
    assert found == pytest.approx([round(x) + 0.5, round(y) + 0.5], abs=max(0.75, 0.35 * pixel))


@given(st.integers(2, 900), st.integers(2, 900), st.integers(0, 255))
def test_one_colour_stays_one_colour_in_any_size(width, height, value):
    frame = np.full((height, width, 3), value, np.uint8)
    small = shrunk(frame, 64, 48)
    assert small.shape == (48, 64, 3)
    assert (small == value).all()


def test_fine_noise_is_averaged_and_not_just_sampled():
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    # Four pixels for one: the spread of independent values halves.
    assert shrunk(noise, 192, 108).std() == pytest.approx(noise.std() / 2, rel=0.05)
