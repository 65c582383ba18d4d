import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.vision.similarity import Similarity

numbers = st.floats(-1000, 1000)


@st.composite
def similarities(draw):
    scale, angle = draw(st.floats(0.05, 20)), draw(st.floats(-math.pi, math.pi))
    return Similarity(scale * math.cos(angle), scale * math.sin(angle), draw(numbers), draw(numbers))


POINTS = [(0.0, 0.0), (10.0, 3.0), (-4.0, 8.0)]


@given(similarities())
def test_a_similarity_is_found_again_from_what_it_does(way):
    found = Similarity.fitted(POINTS, [way.of(x, y) for x, y in POINTS])
    assert found.of(7, -2) == pytest.approx(way.of(7, -2), abs=1e-6)


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=3), similarities())
def test_nothing_brings_points_nearer_than_what_was_fitted(targets, other):
    def distance(way):
        return sum(
            math.dist(way.of(*point), target) ** 2 for point, target in zip(POINTS, targets, strict=True)
        )

    best = distance(Similarity.fitted(POINTS, targets))
    assert best <= distance(other) * (1 + 1e-9) + 1e-6


def test_points_that_are_all_one_go_to_the_middle():
    found = Similarity.fitted([(7, 7), (7, 7)], [(0, 0), (10, 4)])
    assert found.scale == 0
    assert found.of(7, 7) == (5, 2)


@given(similarities(), numbers, numbers)
def test_the_inverse_leads_back(way, x, y):
    assert way.inverse().of(*way.of(x, y)) == pytest.approx((x, y), abs=1e-4)


@given(similarities(), numbers, numbers)
def test_another_origin_and_another_unit_give_the_same_places(way, x, y):
    assert way.after_moving(3, -5).of(x - 3, y + 5) == pytest.approx(way.of(x, y), abs=1e-6)
    assert way.after_scaling(2).of(x / 2, y / 2) == pytest.approx(way.of(x, y), abs=1e-6)


@given(similarities())
def test_the_scale_is_the_length_of_what_was_one_long(way):
    assert math.dist(way.of(0, 0), way.of(0, 1)) == pytest.approx(way.scale)


def test_the_matrix_does_the_same():
    way = Similarity.fitted(POINTS, [(1, 2), (5, 9), (-8, 3)])
    assert way.matrix() @ np.array([4, 5, 1]) == pytest.approx(way.of(4, 5))
