import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edged.evaluation.resampling import multiplicities
from edged.evaluation.sorted_scores import SortedScores

SCORES = st.lists(st.integers(0, 8).map(lambda tenths: tenths / 10), min_size=1, max_size=60)
RATES = st.floats(0, 1)


def scores_of(values):
    return SortedScores.of(np.array(values), np.arange(len(values), dtype=np.int32))


def test_equal_scores_fall_together_to_the_safe_side():
    scores = scores_of([0.9, 0.8, 0.8, 0.8, 0.1])

    threshold = scores.threshold(2, scores.counted(None))

    assert threshold == 0.8
    assert scores.above(threshold) == 1


def test_where_everything_is_allowed_everything_is_above():
    scores = scores_of([0.9, 0.1])

    assert scores.threshold(2, scores.counted(None)) == -np.inf


def test_a_resample_counts_a_score_as_often_as_the_product_of_its_people():
    scores = SortedScores.of(np.array([0.9, 0.5]), np.array([[0, 1], [0, 2]], np.int32))

    assert scores.counted(np.array([2.0, 3.0, 0.0])).tolist() == [0, 6, 6]


@given(SCORES, RATES)
def test_never_more_than_allowed_lies_above_and_one_step_lower_would_be_more(values, rate):
    scores = scores_of(values)
    allowed = rate * len(values)

    threshold = scores.threshold(allowed, scores.counted(None))

    assert scores.above(threshold) <= allowed * (1 + 1e-9)
    lower = [value for value in values if value < threshold]
    if np.isfinite(threshold):
        assert scores.above(max(lower, default=-1.0)) > allowed


@given(SCORES, RATES, RATES)
def test_allowing_more_never_raises_the_threshold(values, one, other):
    scores = scores_of(values)
    counted = scores.counted(None)
    less, more = sorted([one * len(values), other * len(values)])

    assert scores.threshold(more, counted) <= scores.threshold(less, counted)


def test_resamples_draw_as_many_people_as_there_are_and_the_same_ones_for_a_seed():
    drawn = list(multiplicities(7, 5, seed=3))

    assert [weights.sum() for weights in drawn] == [7] * 5
    assert all((a == b).all() for a, b in zip(drawn, multiplicities(7, 5, seed=3), strict=True))


def test_a_single_person_is_not_resampled():
    assert list(multiplicities(1, 5, seed=3)) == []
