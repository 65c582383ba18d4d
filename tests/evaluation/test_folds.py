import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.evaluation.folds import ScoredPairs, best_threshold, fold_accuracy

SCORED = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40)


def pairs_of(rows):
    similarity, genuine, fold = zip(*rows, strict=True)
    return ScoredPairs(np.array(similarity, float), np.array(genuine), np.array(fold))


def test_a_threshold_is_chosen_on_the_other_folds_only():
    # Fold 1 is told apart at .85, fold 0 at .5: each is judged by the other's threshold.
    pairs = pairs_of(
        [(0.6, True, 0), (0.4, False, 0), (0.9, True, 1), (0.8, False, 1), (0.9, True, 1), (0.8, False, 1)]
    )

    found = fold_accuracy(pairs, "test", resamples=10, seed=1)

    assert found.thresholds == (pytest.approx(0.85), pytest.approx(0.5))
    assert found.accuracy.value == pytest.approx(0.5)
    assert found.chosen_on_others


def test_accuracy_is_the_mean_of_the_folds_with_its_standard_error():
    rows = []
    for fold in range(10):
        rows += [(0.9, True, fold), (0.1, False, fold), (0.9, fold != 3, fold), (0.1, False, fold)]
    found = fold_accuracy(pairs_of(rows), "test", resamples=50, seed=1)

    shares = [1.0] * 9 + [0.75]
    assert found.accuracy.value == pytest.approx(np.mean(shares))
    assert found.standard_error == pytest.approx(np.std(shares, ddof=1) / np.sqrt(10))
    assert found.accuracy.low < found.accuracy.value <= found.accuracy.high


def test_a_pair_without_similarity_is_wrong_and_counted():
    pairs = pairs_of([(0.9, True, 0), (0.1, False, 0), (np.nan, False, 0), (np.nan, True, 0)])

    found = fold_accuracy(pairs, "test", resamples=10, seed=1)

    assert (found.accuracy.value, found.not_scored) == (0.5, 2)


def test_a_single_fold_says_that_its_threshold_flatters():
    found = fold_accuracy(pairs_of([(0.9, True, 0), (0.1, False, 0)]), "test", resamples=10, seed=1)

    assert not found.chosen_on_others


def test_without_both_kinds_there_is_nothing_to_say():
    assert fold_accuracy(pairs_of([(0.9, True, 0), (0.8, True, 0)]), "test", resamples=10, seed=1) is None


@given(SCORED)
def test_no_threshold_tells_more_pairs_right(rows):
    similarity = np.array([tenths / 10 for tenths, _ in rows])
    genuine = np.array([is_genuine for _, is_genuine in rows])

    def right(threshold):
        return int(((similarity > threshold) == genuine).sum())

    best = right(best_threshold(similarity, genuine))

    assert all(right(threshold / 20) <= best for threshold in range(-1, 21))
