"""Which pixels a polygon covers."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edged.vision.polygon import Corner, covered_pixels

WIDTH, HEIGHT = 12, 9
GRID = 8
"""Points a pixel, in each direction, that are asked whether they are in the polygon."""

COORDINATES = st.floats(-2, 14) | st.integers(-2, 14).map(float)
POLYGONS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=7)


def winds_round(corners: Sequence[Corner], x: float, y: float) -> int:
    """How often the outline runs round a point; counted edge by edge."""
    count = 0
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) > x:
            count += 1 if y0 <= y else -1
    return count


def touches(corners: Sequence[Corner], row: int, column: int) -> bool:
    """Whether the outline comes to a pixel, its border included: the edges are cut by its four sides."""
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        begin, end = 0.0, 1.0
        for start, step, low, high in ((x0, x1 - x0, column, column + 1), (y0, y1 - y0, row, row + 1)):
            if step == 0:
                begin, end = (begin, end) if low <= start <= high else (1.0, 0.0)
                continue
            enters, leaves = sorted(((low - start) / step, (high - start) / step))
            begin, end = max(begin, enters), min(end, leaves)
        if begin <= end + 1e-9:
            return True
    return False


@given(POLYGONS)
def test_every_pixel_that_has_any_of_it_is_covered(corners: list[Corner]):
    covered = covered_pixels(corners, WIDTH, HEIGHT)

    for row, column in zip(*np.nonzero(~covered), strict=True):
        for y in (row + (np.arange(GRID) + 0.5) / GRID).tolist():
            for x in (column + (np.arange(GRID) + 0.5) / GRID).tolist():
                assert not winds_round(corners, x, y), f"{x}, {y}"


@given(POLYGONS)
def test_nothing_that_it_does_not_come_to_is_covered(corners: list[Corner]):
    covered = covered_pixels(corners, WIDTH, HEIGHT)

    for row, column in zip(*np.nonzero(covered), strict=True):
        is_within = winds_round(corners, column + 0.5, row + 0.5) != 0
        assert is_within or touches(corners, int(row), int(column))


def test_a_rectangle_of_whole_pixels_covers_these_alone():
    covered = covered_pixels([(2, 1), (5, 1), (5, 4), (2, 4)], WIDTH, HEIGHT)

    assert covered.sum() == 9
    assert covered[1:4, 2:5].all()


def test_a_pixel_that_is_covered_in_part_is_covered():
    covered = covered_pixels([(2.9, 1.9), (5.1, 1.9), (5.1, 4.1), (2.9, 4.1)], WIDTH, HEIGHT)

    assert covered.sum() == 16
    assert covered[1:5, 2:6].all()


def test_a_star_has_no_hole():
    star = [(6, 0), (9, 9), (0, 3.5), (12, 3.5), (3, 9)]

    assert covered_pixels(star, WIDTH, HEIGHT)[4, 5:7].all()


def test_a_bow_tie_covers_both_its_wings():
    covered = covered_pixels([(1, 1), (11, 8), (11, 1), (1, 8)], WIDTH, HEIGHT)

    assert covered[4, 1]
    assert covered[4, 10]
    assert not covered[1, 6]
