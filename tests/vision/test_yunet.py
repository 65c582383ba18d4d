import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.vision.keypoints import from_five
from edged.vision.yunet import decoded

CELLS, STRIDE = 8, 16

inside = st.floats(8, 120)
sides = st.floats(4, 90)


def encoded(box, points, score, cell):
    """What a model says where only one cell sees a face: the inverse of the paper's decoding."""
    count = CELLS * CELLS
    classes, objects = np.zeros(count, np.float32), np.zeros(count, np.float32)
    boxes, marks = np.zeros((count, 4), np.float32), np.zeros((count, 10), np.float32)
    row, column = divmod(cell, CELLS)
    classes[cell] = objects[cell] = score
    x, y, width, height = box
    boxes[cell] = x / STRIDE - column, y / STRIDE - row, math.log(width / STRIDE), math.log(height / STRIDE)
    marks[cell] = [number / STRIDE - (column, row)[i % 2] for i, number in enumerate(points)]
    return classes, objects, boxes, marks


def faces(outputs, min_score=0.5):
    return decoded(*outputs, stride=STRIDE, cells=CELLS, min_score=min_score)


@given(inside, inside, sides, sides, st.lists(inside, min_size=10, max_size=10), st.integers(0, 63))
def test_a_face_comes_back_as_it_was_encoded(x, y, width, height, points, cell):
    (face,) = faces(encoded((x, y, width, height), points, 0.9, cell))
    assert face.score == pytest.approx(0.9, abs=1e-6)
    assert face.box.centre == pytest.approx((x, y), abs=0.01)
    assert (face.box.width, face.box.height) == pytest.approx((width, height), rel=1e-3)
    five = list(zip(points[::2], points[1::2], strict=True))
    assert face.keypoints == pytest.approx(from_five(five), abs=0.02)


def test_the_score_is_the_root_of_class_times_object():
    outputs = encoded((50, 50, 20, 20), [0] * 10, 0.9, 3)
    outputs[1][3] = 0.4
    assert faces(outputs)[0].score == pytest.approx(0.6)
    assert faces(outputs, min_score=0.61) == []


def test_scores_out_of_range_count_as_the_nearest_in_it():
    outputs = encoded((50, 50, 20, 20), [0] * 10, 3.0, 3)
    assert faces(outputs)[0].score == 1.0
    outputs[1][3] = -2
    assert faces(outputs) == []


def test_a_size_beyond_all_measure_stays_a_number():
    outputs = encoded((50, 50, 20, 20), [0] * 10, 0.9, 3)
    outputs[2][3, 2:] = 1e9
    (face,) = faces(outputs)
    assert math.isfinite(face.box.width)
