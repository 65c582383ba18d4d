import numpy as np
import pytest

from ranges import MAP_PERCENTILE, MapStatistics, map_ranges, rounded, steady_maximum


def the_range(least, most):
    seen = MapStatistics(np.array(least), np.array(most), np.zeros((len(least), 1)))
    return map_ranges({7: seen})[7]


def test_a_range_reaches_to_what_most_pictures_reach():
    usual, extreme = np.full(99, 4.0), [400.0]
    assert the_range(-np.concatenate([usual, extreme]), np.concatenate([usual, extreme])) == (-4, 4)


def test_a_range_holds_zero():
    assert the_range([2.0, 2.0], [3.0, 3.0]) == (0, 3)
    assert the_range([-3.0, -3.0], [-2.0, -2.0])[1] > 0


def test_a_range_has_a_width_where_nothing_was_seen():
    least, most = the_range([0.0], [0.0])
    assert least < most


def test_the_last_bits_make_no_other_range():
    assert the_range([-1.2345], [2.3456]) == the_range([-1.2345001], [2.3456001]) == (-1.23, 2.35)


@pytest.mark.parametrize(
    ("value", "wanted"), [(1234.0, 1230.0), (0.0012345, 0.00123), (-9.999, -10.0), (0.0, 0.0)]
)
def test_numbers_are_rounded_to_three_digits(value, wanted):
    assert rounded(value) == wanted


def test_a_steady_maximum_is_taken_for_each_channel():
    values = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 1000.0]])
    assert steady_maximum(values, 50).tolist() == [2, 20]
    assert steady_maximum(values, 100).tolist() == [3, 1000]
    assert MAP_PERCENTILE < 100
