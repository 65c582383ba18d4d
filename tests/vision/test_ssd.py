import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.box import Box
from edged.vision.keypoints import upright_in
from edged.vision.ssd import decoded

PX = 300
edges = st.floats(-0.2, 1.0)
sides = st.floats(0.01, 0.5)


def faces(boxes, scores, classes=None, count=None, face_class=0, min_score=0.5):
    return decoded(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        None if classes is None else np.array(classes, np.float32),
        count=len(scores) if count is None else count,
        face_class=face_class,
        input_px=PX,
        min_score=min_score,
    )


@given(edges, edges, sides, sides)
def test_a_box_comes_back_as_it_was_encoded(left, top, width, height):
    (face,) = faces([[top, left, top + height, left + width]], [0.75], [0])
    wanted = Box(left * PX, top * PX, (left + width) * PX, (top + height) * PX)
    found = (face.box.x_min, face.box.y_min, face.box.x_max, face.box.y_max)
    assert found == pytest.approx((wanted.x_min, wanted.y_min, wanted.x_max, wanted.y_max), abs=0.01)
    assert face.score == 0.75
    assert face.keypoints == upright_in(face.box)


SQUARE = [0.1, 0.1, 0.3, 0.3]


def test_what_is_left_over_beyond_the_count_is_no_detection():
    assert len(faces([SQUARE] * 3, [0.9, 0.8, 0.7], [0, 0, 0], count=2)) == 2
    assert faces([SQUARE], [0.9], [0], count=0) == []
    assert len(faces([SQUARE], [0.9], [0], count=50)) == 1


def test_only_the_class_of_faces_counts():
    scores, classes = [0.9, 0.8, 0.7], [0, 1, 1]
    assert [face.score for face in faces([SQUARE] * 3, scores, classes, face_class=1)] == [
        pytest.approx(0.8),
        pytest.approx(0.7),
    ]
    assert len(faces([SQUARE] * 3, scores, classes, face_class=None)) == 3
    assert len(faces([SQUARE] * 3, scores, None, face_class=1)) == 3


def test_faces_come_best_first_and_none_below_the_least_score():
    found = faces([SQUARE] * 4, [0.6, 0.9, 0.4, np.nan], [0] * 4)
    assert [round(face.score, 3) for face in found] == [0.9, 0.6]
