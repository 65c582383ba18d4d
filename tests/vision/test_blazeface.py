import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.box import Box
from edged.vision.blazeface import (
    COORDINATES,
    AnchorGrid,
    anchor_centres,
    decoded,
    logit,
)

FULL_RANGE = (AnchorGrid(48, 1),)
SHORT_RANGE = (AnchorGrid(16, 2), AnchorGrid(8, 6))


def outputs(count, logits):
    """What a model with so many anchors says: empty boxes at the anchors, and the given logits."""
    values = np.full(count, -10, np.float32)
    for anchor, value in logits.items():
        values[anchor] = value
    return np.zeros((count, COORDINATES), np.float32), values


def test_the_full_range_has_an_anchor_in_the_middle_of_each_cell():
    centres = anchor_centres(FULL_RANGE, 192)
    assert len(centres) == 2304
    assert centres[:2] == ((2, 2), (6, 2))
    assert centres[48] == (2, 6)
    assert centres[-1] == (190, 190)


def test_the_short_range_has_two_anchors_a_cell_and_then_six():
    centres = anchor_centres(SHORT_RANGE, 128)
    assert len(centres) == 896
    assert centres[:3] == ((4, 4), (4, 4), (12, 4))
    assert centres[512:519] == ((8, 8),) * 6 + ((24, 8),)


@given(st.floats(0.001, 0.999))
def test_a_logit_is_what_the_sigmoid_takes_back(probability):
    assert 1 / (1 + math.exp(-logit(probability))) == pytest.approx(probability)


def test_nothing_above_the_least_score_is_no_face():
    assert decoded(*outputs(2304, {}), anchor_centres(FULL_RANGE, 192), logit(0.5)) == []


def test_a_face_is_decoded_relative_to_its_anchor():
    regressions, logits = outputs(2304, {49: math.log(4)})
    regressions[49] = [1, -1, 20, 30, *range(12)]
    (face,) = decoded(regressions, logits, anchor_centres(FULL_RANGE, 192), logit(0.5))
    assert face.score == pytest.approx(0.8)
    # The anchor of cell (1, 1) lies at (6, 6): the centre is (7, 5).
    assert face.box == Box(-3, -10, 17, 20)
    assert face.keypoints == (6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)


def test_faces_come_best_first():
    found = decoded(*outputs(4, {0: 1, 1: 3, 3: 2}), anchor_centres([AnchorGrid(2, 1)], 8), 0.0)
    assert [face.box.centre for face in found] == [(6, 2), (6, 6), (2, 2)]


def test_the_least_score_itself_is_enough():
    value = np.float32(0.25)
    assert decoded(*outputs(1, {0: value}), ((4, 4),), float(value))


def test_a_negative_size_is_an_empty_box():
    regressions, logits = outputs(1, {0: 1})
    regressions[0, 2:4] = -5
    (face,) = decoded(regressions, logits, ((4, 4),), 0.0)
    assert face.box == Box(4, 4, 4, 4)
