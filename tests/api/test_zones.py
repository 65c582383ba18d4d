"""Exclusion zones: cells of a grid over a picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.api.problem import Code, Problem
from edged.api.requests import ExclusionZones
from edged.api.zones import NOWHERE, grid_of

FRACTIONS = st.floats(0, 1)
SIZES = st.sampled_from([32, 64, 128])


def a_grid(size, *cells):
    """Of that size, with these (row, column) left out; not longer than needed."""
    rows = [[0] * (max((c for r, c in cells if r == line), default=-1) + 1) for line in range(size)]
    for row, column in cells:
        rows[row][column] = 1
    while rows and not rows[-1]:
        rows.pop()
    return grid_of(ExclusionZones(size=size, zones=tuple(map(tuple, rows))), "here")


@given(SIZES, FRACTIONS, FRACTIONS, st.data())
def test_a_point_is_left_out_by_its_own_cell_and_no_other(size, x, y, data):
    column, row = min(int(x * size), size - 1), min(int(y * size), size - 1)
    other = data.draw(st.tuples(*[st.integers(0, size - 1)] * 2).filter(lambda cell: cell != (row, column)))

    assert a_grid(size, (row, column)).leaves_out(x, y)
    assert not a_grid(size, other).leaves_out(x, y)


@given(FRACTIONS, FRACTIONS)
def test_missing_rows_and_cells_leave_nothing_out(x, y):
    assert not grid_of(ExclusionZones(zones=()), "here").leaves_out(x, y)
    assert not grid_of(ExclusionZones(zones=((),) * 3), "here").leaves_out(x, y)
    assert not NOWHERE.leaves_out(x, y)
    assert not grid_of(None, "here").leaves_out(x, y)


@pytest.mark.parametrize(
    ("zones", "words"), [(((0,),) * 33, "33 rows"), (((0,), (0,) * 40), "40 cells in a row")]
)
def test_rows_that_do_not_fit_are_refused(zones, words):
    with pytest.raises(Problem) as refused:
        grid_of(ExclusionZones(size=32, zones=zones), "classes[0].exclusionZones")

    assert refused.value.code == Code.MALFORMED
    assert refused.value.field == "classes[0].exclusionZones.zones"
    assert words in refused.value.message
