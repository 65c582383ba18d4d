"""Rounds convolution weights to the int8 grid so that no filter plane changes its sum.

Converters round each weight to the nearest step of its output channel. The errors of a plane (the taps of one
filter that see one input channel) then add up, and even areas, where all taps see the same value, are
answered wrongly: a plain white chip came out at cosine 0.996 to the original, a face at 0.9997. Rounding a
few weights the other way, those that were nearest to the middle, makes the sums right to half a step: 0.9998
and 0.9998. A converter that is given weights that lie on its grid already leaves them where they are.
"""

import dataclasses

import numpy as np

from dlib_dat import Floats
from embedder_graph import EmbedderWeights, Filter

LARGEST = 127
"""Of symmetric int8: the largest weight of an output channel becomes this."""


def rounded_weights(weights: EmbedderWeights) -> EmbedderWeights:
    """The same network with every filter on the int8 grid of its output channels."""
    return EmbedderWeights(tuple(_rounded_filter(item) for item in weights.filters), weights.product)


def rounded_plane(steps: np.ndarray) -> np.ndarray:
    """Whole numbers, each next below or above its step, whose sum is the steps' sum, rounded."""
    whole = np.round(steps)
    missing = steps - whole
    excess = round(float(missing.sum()))
    # Each of `missing` is at most a half, so at least twice as many as are moved lean that way.
    if excess > 0:
        whole[np.argsort(-missing, kind="stable")[:excess]] += 1
    elif excess < 0:
        whole[np.argsort(missing, kind="stable")[:-excess]] -= 1
    return whole


def _rounded_filter(item: Filter) -> Filter:
    height, width, inputs, outputs = item.weights.shape
    step = np.abs(item.weights.astype(np.float64)).max(axis=(0, 1, 2)) / LARGEST
    planes = (item.weights / step).transpose(3, 2, 0, 1).reshape(outputs * inputs, height * width)
    whole = np.stack([rounded_plane(plane) for plane in planes])
    weights: Floats = (whole.reshape(outputs, inputs, height, width).transpose(2, 3, 1, 0) * step).astype(
        np.float32
    )
    return dataclasses.replace(item, weights=np.ascontiguousarray(weights))
