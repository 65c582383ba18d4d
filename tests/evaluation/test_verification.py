from statistics import NormalDist

import numpy as np
import pytest

from builders.evaluation import a_face_set, pair_scores_of
from edged.evaluation.pairs import pair_scores
from edged.evaluation.sorted_scores import SortedScores
from edged.evaluation.verification import histogram_of, verify

NORMAL = NormalDist()


def two_gaussians(distance, count=100_000):
    """Scores at the quantiles of two normal distributions so many deviations apart: no chance in it."""
    shares = (np.arange(count) + 0.5) / count
    places = np.array([NORMAL.inv_cdf(share) for share in shares.tolist()])
    return pair_scores_of((places + distance) * 0.1, places * 0.1)


def test_hit_rates_of_two_gaussians_are_the_analytic_ones():
    found = verify(two_gaussians(3.0), "test", resamples=20, seed=1)

    for hit in found.hits[:3]:
        expected = NORMAL.cdf(3.0 - NORMAL.inv_cdf(1 - hit.false_accept_rate))
        assert hit.hit_rate.value == pytest.approx(expected, abs=0.01)


def test_area_and_equal_error_rate_of_two_gaussians_are_the_analytic_ones():
    found = verify(two_gaussians(2.0), "test", resamples=20, seed=1)

    assert found.area.value == pytest.approx(NORMAL.cdf(2.0 / np.sqrt(2)), abs=1e-3)
    assert found.equal_error_rate.value == pytest.approx(NORMAL.cdf(-1.0), abs=1e-3)
    assert found.area.low < found.area.value < found.area.high


def test_the_roc_never_falls_and_its_band_holds_it():
    found = verify(pair_scores(a_face_set([3] * 30)), "test", resamples=20, seed=1)

    rates = [point.hit_rate for point in found.curve]
    assert rates == sorted(rates)
    assert all(point.low <= point.hit_rate <= point.high for point in found.curve)


def test_a_rate_that_the_pairs_cannot_resolve_accepts_no_stranger_and_says_so():
    found = verify(pair_scores_of([0.9] * 10, [0.1, 0.5, 0.5, 0.3]), "test", resamples=5, seed=1)

    strictest = found.hits[-1]
    assert (strictest.impostors_above, strictest.is_solid) == (0, False)
    assert strictest.threshold == pytest.approx(0.5)


def test_equal_scores_of_strangers_and_friends_count_against_recognition():
    found = verify(pair_scores_of([0.5] * 10, [0.5] * 10), "test", resamples=5, seed=1)

    assert [hit.hit_rate.value for hit in found.hits] == [0.0] * 4


def test_pairs_without_a_score_are_misses():
    genuine = SortedScores.of(np.array([0.9, -np.inf]), np.array([0, 1], np.int32))

    found = verify(pair_scores_of([0.9], [0.1] * 100), "test", genuine=genuine, resamples=5, seed=1)

    assert found.genuine == 2
    assert [hit.hit_rate.value for hit in found.hits] == [0.5] * 4


def test_intervals_resample_people_so_that_one_persons_many_pairs_count_as_one_opinion():
    # One of four people gives 900 of 903 pairs, and all that fail.
    scores = np.concatenate([np.full(450, 0.2), np.full(453, 0.9)])
    people = np.concatenate([np.zeros(900), [1, 2, 3]]).astype(np.int32)
    genuine = SortedScores.of(scores, people)

    found = verify(
        pair_scores_of([0.9], [0.3] * 200, people=4), "test", genuine=genuine, resamples=200, seed=1
    )

    rate = found.hits[0].hit_rate
    assert rate.high - rate.low > 0.3


def test_the_same_seed_gives_the_same_intervals():
    scores = two_gaussians(1.0, count=2000)

    assert verify(scores, "t", resamples=10, seed=4) == verify(scores, "t", resamples=10, seed=4)


def test_beyond_the_pairs_that_are_kept_the_curve_goes_on_by_the_histogram():
    faces = a_face_set([3] * 30)
    whole = verify(pair_scores(faces), "test", resamples=3, seed=1)

    found = verify(pair_scores(faces, all_kept=100), "test", resamples=3, seed=1)

    assert found.hits[1:] == whole.hits[1:]
    for one, other in zip(found.curve, whole.curve, strict=True):
        assert one.hit_rate == pytest.approx(other.hit_rate, abs=0.03)


def test_a_histogram_has_every_score_and_no_empty_ends():
    histogram = histogram_of(np.array([0.5, 0.501, 0.9, -np.inf]))

    assert sum(histogram.counts) == 4
    assert histogram.first == pytest.approx(-1.0)
    assert histogram.counts[-1] == 1
