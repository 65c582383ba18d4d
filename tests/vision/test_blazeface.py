import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.box import Box
from edged.vision.blazeface import (
    COORDINATES,
    AnchorGrid,
    Candidate,
    anchor_centres,
    decoded,
    logit,
    suppressed,
)

FULL_RANGE = (AnchorGrid(48, 1),)
SHORT_RANGE = (AnchorGrid(16, 2), AnchorGrid(8, 6))


def a_candidate(score=0.9, left=10.0, top=20.0, width=40.0, height=40.0):
    """A face with all its keypoints in the middle."""
    box = Box(left, top, left + width, top + height)
    return Candidate(score, box, box.centre * 6)


@st.composite
def some_candidates(draw):
    places, sides = st.floats(0, 150), st.floats(0, 60)
    found = draw(
        st.lists(
            st.builds(a_candidate, st.floats(0.1, 1), places, places, sides, sides), min_size=1, max_size=30
        )
    )
    return sorted(found, key=lambda candidate: -candidate.score)


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


def test_overlapping_candidates_become_their_mean_weighted_by_score():
    (face,) = suppressed([a_candidate(0.9, left=10), a_candidate(0.6, left=14)], 0.3)
    assert face.score == 0.9
    assert face.box.x_min == pytest.approx(10 * 0.6 + 14 * 0.4)
    assert face.box.y_max == pytest.approx(60)
    assert face.keypoints == pytest.approx((30 * 0.6 + 34 * 0.4, 40) * 6)


def test_faces_apart_stay_apart():
    apart = [a_candidate(0.9, left=10), a_candidate(0.6, left=80)]
    assert list(suppressed(apart, 0.3)) == apart


def test_equal_boxes_without_area_are_looked_at_once_each():
    flat = [a_candidate(0.9, width=0, height=0), a_candidate(0.8, width=0, height=0)]
    assert list(suppressed(flat, 0.3)) == flat


def test_no_candidates_are_no_faces():
    assert list(suppressed([], 0.3)) == []


@given(some_candidates(), st.floats(0, 1))
def test_the_best_candidate_stays_best_and_no_score_is_invented(found, max_iou):
    scores = [face.score for face in suppressed(found, max_iou)]
    assert scores[0] == found[0].score
    assert scores == sorted(scores, reverse=True)
    assert set(scores) <= {candidate.score for candidate in found}


@given(some_candidates(), st.floats(0, 1))
def test_merged_faces_lie_within_what_they_were_merged_from(found, max_iou):
    for face in suppressed(found, max_iou):
        assert min(c.box.x_min for c in found) - 1e-9 <= face.box.x_min
        assert face.box.x_max <= max(c.box.x_max for c in found) + 1e-9
        assert face.box.width <= max(c.box.width for c in found) + 1e-9
        assert min(min(c.keypoints) for c in found) - 1e-9 <= min(face.keypoints)
        assert max(face.keypoints) <= max(max(c.keypoints) for c in found) + 1e-9


@given(some_candidates(), st.floats(0, 1))
def test_no_candidate_is_lost(found, max_iou):
    """Every candidate overlaps the head of some cluster: a face with its own score, at its own place."""
    heads = {face.score for face in suppressed(found, max_iou)}
    for candidate in found:
        assert candidate.score in heads or any(
            head.score in heads and head.box.iou(candidate.box) > max_iou for head in found
        )


@given(some_candidates())
def test_what_is_suppressed_once_stays_so_when_nothing_overlaps(found):
    once = list(suppressed(found, 0.3))
    if all(a.box.iou(b.box) <= 0.3 for a in once for b in once if a is not b):
        assert list(suppressed(once, 0.3)) == once
