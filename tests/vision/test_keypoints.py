import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.box import Box
from edged.vision.keypoints import from_five, upright_in

UPRIGHT = ((40.0, 50.0), (80.0, 50.0), (60.0, 70.0), (45.0, 90.0), (75.0, 90.0))


def pairs(numbers):
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_eyes_and_nose_stay_and_the_mouth_is_between_its_corners():
    right_eye, left_eye, nose, mouth, right_ear, left_ear = pairs(from_five(UPRIGHT))
    assert (right_eye, left_eye, nose) == UPRIGHT[:3]
    assert mouth == (60, 90)
    assert right_ear == pytest.approx((18, 61.2))
    assert left_ear == pytest.approx((102, 61.2))


@given(st.floats(-math.pi, math.pi), st.floats(0.2, 5), st.floats(-100, 100), st.floats(-100, 100))
def test_estimated_ears_turn_grow_and_move_with_the_face(angle, scale, x, y):
    cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale

    def moved(points):
        return [(cosine * u - sine * v + x, sine * u + cosine * v + y) for u, v in points]

    after = pairs(from_five(moved(UPRIGHT)))
    for found, wanted in zip(after, moved(pairs(from_five(UPRIGHT))), strict=True):
        assert found == pytest.approx(wanted, abs=1e-6)


def test_a_box_alone_holds_an_upright_face():
    right_eye, left_eye, nose, mouth, right_ear, left_ear = pairs(upright_in(Box(100, 50, 200, 150)))
    assert right_eye[1] == left_eye[1] < nose[1] < mouth[1] < 150
    assert 100 < right_ear[0] < right_eye[0] < nose[0] < left_eye[0] < left_ear[0] < 200
    assert right_eye == pytest.approx((130, 85))
