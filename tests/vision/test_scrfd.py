import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.vision.keypoints import from_five
from edged.vision.scrfd import decoded

CELLS, STRIDE, PER_CELL = 8, 16, 2

numbers = st.floats(-40, 160)
sides = st.floats(4, 90)


def encoded(box, points, score, anchor):
    """What a model says where only one anchor sees a face."""
    count = CELLS * CELLS * PER_CELL
    scores = np.zeros(count, np.float32)
    distances, marks = np.zeros((count, 4), np.float32), np.zeros((count, 10), np.float32)
    row, column = divmod(anchor // PER_CELL, CELLS)
    x, y = column * STRIDE, row * STRIDE
    scores[anchor] = score
    left, top, right, bottom = box
    distances[anchor] = np.array([x - left, y - top, right - x, bottom - y]) / STRIDE
    marks[anchor] = [(number - (x, y)[i % 2]) / STRIDE for i, number in enumerate(points)]
    return scores, distances, marks


def faces(outputs, min_score=0.5):
    return decoded(*outputs, stride=STRIDE, cells=CELLS, per_cell=PER_CELL, min_score=min_score)


@given(numbers, numbers, sides, sides, st.lists(numbers, min_size=10, max_size=10), st.integers(0, 127))
def test_a_face_comes_back_as_it_was_encoded(left, top, width, height, points, anchor):
    (face,) = faces(encoded((left, top, left + width, top + height), points, 0.75, anchor))
    assert face.score == 0.75
    edges = face.box.x_min, face.box.y_min, face.box.x_max, face.box.y_max
    assert edges == pytest.approx((left, top, left + width, top + height), abs=0.01)
    five = list(zip(points[::2], points[1::2], strict=True))
    assert face.keypoints == pytest.approx(from_five(five), abs=0.02)


def test_two_anchors_of_a_cell_are_two_candidates():
    outputs = encoded((10, 10, 40, 40), [0] * 10, 0.75, 6)
    outputs[0][7] = 0.6
    assert [face.score for face in faces(outputs)] == [0.75, pytest.approx(0.6)]


def test_the_least_score_is_enough_and_less_is_not():
    outputs = encoded((10, 10, 40, 40), [0] * 10, 0.5, 6)
    assert len(faces(outputs)) == 1
    assert faces(outputs, min_score=0.51) == []


def test_distances_that_cross_are_an_empty_box():
    outputs = encoded((10, 10, 40, 40), [0] * 10, 0.9, 6)
    outputs[1][6] = -3
    (face,) = faces(outputs)
    assert (face.box.width, face.box.height) == (0, 0)
