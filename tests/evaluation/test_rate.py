import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.evaluation.rate import exact_rate, resampled_rate, resampled_value


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.30850),
        (5, 10, 0.18709, 0.81291),
        (1, 100, 0.00025, 0.05446),
        (10, 10, 0.69150, 1.0),
        (3, 1000, 0.00062, 0.00874),
    ],
)
def test_the_exact_interval_is_that_of_clopper_and_pearson(events, trials, low, high):
    rate = exact_rate(events, trials)

    assert (rate.low, rate.high) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))
    assert rate.interval == "exact"


def test_without_an_event_the_upper_end_is_near_the_rule_of_three_for_both_sides():
    assert exact_rate(0, 10_000).high == pytest.approx(3.69 / 10_000, rel=0.01)


def test_trials_that_repeat_others_prove_nothing_new():
    assert exact_rate(0, 10_000, independent=10).high == exact_rate(0, 10).high


def test_without_a_trial_nothing_is_known():
    rate = exact_rate(0, 0)

    assert (rate.low, rate.high) == (0.0, 1.0)


def test_without_an_event_resamples_do_not_pretend_to_certainty():
    rate = resampled_rate(0, 100, [0.0] * 50)

    assert rate.interval == "exact"
    assert rate.high > 0.03


def test_resamples_make_the_interval_of_a_mixed_rate():
    rate = resampled_rate(50, 100, [number / 100 for number in range(40, 61)])

    assert rate.interval == "bootstrap"
    assert (rate.low, rate.high) == (pytest.approx(0.405), pytest.approx(0.595))


def test_a_mean_that_is_perfect_is_not_certain_either():
    assert resampled_value(1.0, 20, [1.0] * 10).low < 0.9


def test_a_ratio_keeps_its_interval_in_the_new_unit():
    ratio = resampled_rate(2, 1000, [0.001, 0.002, 0.004]).over(0.001)

    assert ratio.value == pytest.approx(2.0)
    assert ratio.low == pytest.approx(1.05)


def test_the_complement_turns_misses_into_hits():
    hits = resampled_rate(10, 100, [0.05, 0.1, 0.2]).complement()

    assert (hits.value, hits.events) == (pytest.approx(0.9), 90)
    assert hits.low < hits.value < hits.high


@given(st.integers(0, 60), st.integers(1, 60))
def test_an_exact_interval_holds_its_rate_and_narrows_with_more_trials(events, trials):
    events = min(events, trials)
    rate, more = exact_rate(events, trials), exact_rate(events * 4, trials * 4)

    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert more.high - more.low < rate.high - rate.low
