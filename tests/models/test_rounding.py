import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from embedder_graph import EmbedderWeights, Filter
from rounding import LARGEST, rounded_plane, rounded_weights

planes = arrays(np.float64, st.integers(1, 49), elements=st.floats(-127, 127, width=32))


def a_filter(seed=0):
    weights = np.random.default_rng(seed).normal(size=(3, 3, 5, 4)).astype(np.float32)
    return Filter(weights, np.ones(4, np.float32), stride=2, is_padded=True)


@given(planes)
def test_a_planes_sum_is_right_to_half_a_step(steps):
    assert abs(rounded_plane(steps).sum() - steps.sum()) <= 0.5 + 1e-6


@given(planes)
def test_every_weight_becomes_a_whole_number_beside_it(steps):
    whole = rounded_plane(steps)
    assert (whole == np.round(whole)).all()
    assert (np.abs(whole - steps) <= 1).all()
    assert (np.abs(whole) <= LARGEST).all()


@given(planes)
def test_what_is_whole_already_stays(steps):
    whole = np.round(steps)
    assert (rounded_plane(whole) == whole).all()


def test_only_the_weights_next_to_the_middle_are_rounded_the_other_way():
    assert rounded_plane(np.array([0.4, 0.3, 0.1, 0.2])).tolist() == [1, 0, 0, 0]
    assert rounded_plane(np.array([-0.4, -0.3, -0.1, -0.2])).tolist() == [-1, 0, 0, 0]


def test_filters_come_to_lie_on_the_grid_of_their_output_channels():
    (item,) = rounded_weights(EmbedderWeights((a_filter(),), np.eye(4, dtype=np.float32))).filters
    step = np.abs(item.weights).max(axis=(0, 1, 2)) / LARGEST
    steps = item.weights / step
    assert np.abs(steps - np.round(steps)).max() < 1e-3
    assert np.abs(a_filter().weights).max(axis=(0, 1, 2)) == pytest.approx(step * LARGEST)


def test_an_even_area_is_answered_as_before():
    before = a_filter()
    (after,) = rounded_weights(EmbedderWeights((before,), np.eye(4, dtype=np.float32))).filters
    step = np.abs(before.weights).max(axis=(0, 1, 2)) / LARGEST
    difference = np.abs(after.weights.sum(axis=(0, 1)) - before.weights.sum(axis=(0, 1)))
    assert (difference <= 0.51 * step).all()


def test_biases_strides_and_the_product_stay():
    product = np.full((4, 4), 0.123, np.float32)
    rounded = rounded_weights(EmbedderWeights((a_filter(),), product))
    assert (rounded.product == product).all()
    assert (rounded.filters[0].bias == 1).all()
    assert (rounded.filters[0].stride, rounded.filters[0].is_padded) == (2, True)
