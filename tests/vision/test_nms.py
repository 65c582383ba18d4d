import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.box import Box
from edged.vision.nms import MOST_CANDIDATES, Candidate, best_first, merged, suppressed


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


def test_overlapping_candidates_become_their_mean_weighted_by_score():
    (face,) = merged([a_candidate(0.9, left=10), a_candidate(0.6, left=14)], 0.3)
    assert face.score == 0.9
    assert face.box.x_min == pytest.approx(10 * 0.6 + 14 * 0.4)
    assert face.box.y_max == pytest.approx(60)
    assert face.keypoints == pytest.approx((30 * 0.6 + 34 * 0.4, 40) * 6)


def test_faces_apart_stay_apart():
    apart = [a_candidate(0.9, left=10), a_candidate(0.6, left=80)]
    assert list(merged(apart, 0.3)) == apart


def test_equal_boxes_without_area_are_looked_at_once_each():
    flat = [a_candidate(0.9, width=0, height=0), a_candidate(0.8, width=0, height=0)]
    assert list(merged(flat, 0.3)) == flat


def test_no_candidates_are_no_faces():
    assert list(merged([], 0.3)) == []


@given(some_candidates(), st.floats(0, 1))
def test_the_best_candidate_stays_best_and_no_score_is_invented(found, max_iou):
    scores = [face.score for face in merged(found, max_iou)]
    assert scores[0] == found[0].score
    assert scores == sorted(scores, reverse=True)
    assert set(scores) <= {candidate.score for candidate in found}


@given(some_candidates(), st.floats(0, 1))
def test_merged_faces_lie_within_what_they_were_merged_from(found, max_iou):
    for face in merged(found, max_iou):
        assert min(c.box.x_min for c in found) - 1e-9 <= face.box.x_min
        assert face.box.x_max <= max(c.box.x_max for c in found) + 1e-9
        assert face.box.width <= max(c.box.width for c in found) + 1e-9
        assert min(min(c.keypoints) for c in found) - 1e-9 <= min(face.keypoints)
        assert max(face.keypoints) <= max(max(c.keypoints) for c in found) + 1e-9


@given(some_candidates(), st.floats(0, 1))
def test_no_candidate_is_lost(found, max_iou):
    """Every candidate overlaps the head of some cluster: a face with its own score, at its own place."""
    heads = {face.score for face in merged(found, max_iou)}
    for candidate in found:
        assert candidate.score in heads or any(
            head.score in heads and head.box.iou(candidate.box) > max_iou for head in found
        )


@given(some_candidates())
def test_what_is_suppressed_once_stays_so_when_nothing_overlaps(found):
    once = list(merged(found, 0.3))
    if all(a.box.iou(b.box) <= 0.3 for a in once for b in once if a is not b):
        assert list(merged(once, 0.3)) == once


def test_plain_suppression_keeps_the_best_as_it_is():
    best, worse, apart = a_candidate(0.9), a_candidate(0.6, left=14), a_candidate(0.5, left=90)
    assert list(suppressed([best, worse, apart], 0.3)) == [best, apart]


@given(some_candidates(), st.floats(0, 1))
def test_plain_suppression_leaves_no_two_that_overlap_and_drops_none_without_a_better_one(found, max_iou):
    kept = list(suppressed(found, max_iou))
    assert kept[0] == found[0]
    assert all(a.box.iou(b.box) <= max_iou for i, a in enumerate(kept) for b in kept[:i])
    assert list(suppressed(kept, max_iou)) == kept
    for candidate in found:
        assert candidate in kept or any(
            better.score >= candidate.score and better.box.iou(candidate.box) > max_iou for better in kept
        )


def test_the_best_come_first_and_only_so_many():
    many = [a_candidate(n / 1000) for n in range(MOST_CANDIDATES + 50)]
    found = best_first(many)
    assert len(found) == MOST_CANDIDATES
    assert [one.score for one in found] == sorted((one.score for one in many), reverse=True)[:MOST_CANDIDATES]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_face(odd):
    sound = a_candidate(0.5)
    broken = [
        Candidate(odd, sound.box, sound.keypoints),
        Candidate(0.9, Box(0, 0, odd, 9), sound.keypoints),
        Candidate(0.9, sound.box, (odd,) * 12),
    ]
    assert best_first([*broken, sound]) == [sound]
