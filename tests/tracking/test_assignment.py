import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.tracking.assignment import least_cost_pairs


@st.composite
def matrices(draw, most=5):
    rows = draw(st.integers(1, most))
    columns = draw(st.integers(1, most))
    cost = st.floats(-100, 100) | st.integers(0, 3).map(float)
    return [[draw(cost) for _ in range(columns)] for _ in range(rows)]


def least_sum(costs):
    if len(costs) > len(costs[0]):
        costs = list(zip(*costs, strict=True))
    return min(
        sum(row[column] for row, column in zip(costs, columns, strict=True))
        for columns in itertools.permutations(range(len(costs[0])), len(costs))
    )


@given(matrices())
def test_no_other_pairing_costs_less(costs):
    total = sum(costs[row][column] for row, column in least_cost_pairs(costs))
    assert total == pytest.approx(least_sum(costs), abs=1e-9)


@given(matrices(most=9))
def test_every_row_or_every_column_is_paired_once(costs):
    pairs = least_cost_pairs(costs)
    assert len(pairs) == min(len(costs), len(costs[0]))
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert pairs == sorted(pairs)


@given(matrices(most=7), st.floats(-50, 50))
def test_a_constant_on_all_costs_changes_no_total(costs, constant):
    raised = [[cost + constant for cost in row] for row in costs]
    total = sum(costs[row][column] for row, column in least_cost_pairs(raised))
    assert total == pytest.approx(sum(costs[r][c] for r, c in least_cost_pairs(costs)), abs=1e-6)


def test_the_cheapest_single_pair_is_given_up_for_the_cheaper_whole():
    assert least_cost_pairs([[1.0, 2.0], [2.0, 9.0]]) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("nothing", [[], [[], []]])
def test_nothing_to_pair_gives_no_pairs(nothing):
    assert least_cost_pairs(nothing) == []


@pytest.mark.parametrize(
    "costs",
    [[[1.0, 2.0], [1.0]], [[1.0, float("inf")]], [[float("nan")]]],
    ids=["ragged", "infinite", "no number"],
)
def test_costs_that_cannot_be_compared_are_refused(costs):
    with pytest.raises(ValueError, match="costs"):
        least_cost_pairs(costs)
