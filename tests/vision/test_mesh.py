import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.box import Box
from edged.domain.face import Detection
from edged.vision.mesh import MeshCrop


def a_detection(x=300.0, y=200.0, width=80.0, height=100.0, eyes_deg=0.0):
    keypoints = np.zeros((6, 2), np.float32)
    middle = np.array([x, y])
    half = np.array([math.cos(math.radians(eyes_deg)), math.sin(math.radians(eyes_deg))]) * 20
    keypoints[:2] = middle - half, middle + half
    return Detection(Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2), keypoints, 0.9)


def a_crop(**face):
    return MeshCrop.around(a_detection(**face), side_px=192, factor=1.5)


@given(st.floats(-180, 180), st.floats(1, 900), st.floats(-500, 2500))
def test_the_middle_of_the_square_is_the_middle_of_the_box(eyes_deg, width, x):
    crop = a_crop(x=x, width=width, height=width / 2, eyes_deg=eyes_deg)
    middle = crop.placed(np.array([[96, 96, 0]], np.float32))[0]
    assert middle[:2] == pytest.approx([x, 200], abs=0.01)


def test_the_side_is_one_and_a_half_times_the_longer_side_of_the_box():
    corners = a_crop(width=80, height=100).placed(np.array([[0, 0, 0], [192, 192, 0]], np.float32))
    assert corners[:, :2].tolist() == [[225, 125], [375, 275]]


def test_the_square_is_level_with_the_eyes():
    left, right = a_crop(eyes_deg=30).placed(np.array([[0, 96, 0], [192, 96, 0]], np.float32))[:, :2]
    assert math.degrees(math.atan2(*(right - left)[::-1])) == pytest.approx(30, abs=0.01)


@given(st.floats(-180, 180), st.floats(1, 900))
def test_depth_keeps_the_scale_of_width(eyes_deg, height):
    crop = a_crop(height=height, eyes_deg=eyes_deg)
    origin, x, z = crop.placed(np.array([[0, 0, 0], [10, 0, 0], [0, 0, 10]], np.float32))
    assert z[2] == pytest.approx(np.linalg.norm(x - origin), rel=1e-3)
    assert z[2] == pytest.approx(10 * crop.to_frame.scale, rel=1e-3)


def test_a_box_without_area_still_gives_a_square():
    assert a_crop(width=0, height=0).to_frame.scale == pytest.approx(1.5 / 192)


def test_what_is_cut_is_what_the_coordinates_say():
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[210:214, 318:322] = 255
    crop = a_crop(eyes_deg=35)
    picture = crop.cut(frame)
    assert picture.shape == (192, 192, 3)
    rows, columns = np.nonzero(picture[:, :, 0] > 127)
    spot = np.array([[columns.mean(), rows.mean(), 0]], np.float32)
    assert crop.placed(spot)[0, :2] == pytest.approx([319.5, 211.5], abs=0.5)


def test_outside_the_frame_is_black():
    picture = a_crop(x=0, y=0).cut(np.full((480, 640, 3), 9, np.uint8))
    assert picture[:90].max() == 0
    assert picture[100:, 100:].min() == 9


def test_the_crop_is_rgb():
    red = np.zeros((480, 640, 3), np.uint8)
    red[:, :, 2] = 200
    assert a_crop().cut(red)[96, 96].tolist() == [200, 0, 0]
