"""The dlib face embedder as weights that a convolution network without normalisation layers needs.

Everything that is linear is folded into its convolution, in float64, once: the affine layer after it, and in
the first one, which pads nothing, the input layer's (rgb - mean) / 256 as well. So the model takes raw RGB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dlib_dat import Affine, Convolution, DatError, Floats, Layer, Network, Product

INPUT_PX = 150
EMBEDDING_SIZE = 128


@dataclass(frozen=True, slots=True)
class Stage:
    """Residual blocks of one width; the first of a stage that goes down halves the map."""

    width: int
    blocks: int
    goes_down: bool


STAGES = (
    Stage(32, 3, False),
    Stage(64, 4, True),
    Stage(128, 3, True),
    Stage(256, 3, True),
    Stage(256, 1, True),
)
"""From dlib's `dnn_face_recognition_ex.cpp`, in running order."""

CONVOLUTIONS = 1 + 2 * sum(stage.blocks for stage in STAGES)


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """A folded convolution: `weights` are height x width x in x out, as TensorFlow has them."""

    weights: Floats
    bias: Floats
    stride: int
    is_padded: bool


@dataclass(frozen=True, slots=True, eq=False)
class EmbedderWeights:
    """The filters in running order, and the last product, in x out."""

    filters: tuple[Filter, ...]
    product: Floats


def folded(network: Network) -> EmbedderWeights:
    """Fold a network as dlib wrote it; raises `DatError` where it is not the one this graph is of."""
    if network.input_px != (INPUT_PX, INPUT_PX):
        raise DatError(f"input of {network.input_px} pixels instead of {INPUT_PX}")
    linear = [layer for layer in network.layers if isinstance(layer, Convolution | Affine | Product)]
    pairs, last = linear[:-1], linear[-1]
    if len(pairs) != 2 * CONVOLUTIONS or not isinstance(last, Product):
        raise DatError(f"{len(linear)} layers with weights, and the last is {type(last).__name__}")
    filters = list(_filters(pairs))
    filters[0] = _with_input_scaling(filters[0], network.mean_rgb)
    filters[-1] = _centre_only(filters[-1])
    return EmbedderWeights(tuple(filters), last.weights)


def _filters(layers: Sequence[Layer]) -> Iterator[Filter]:
    for convolution, affine in zip(layers[::2], layers[1::2], strict=True):
        if not isinstance(convolution, Convolution) or not isinstance(affine, Affine):
            raise DatError("a convolution without its affine layer")
        gamma, beta = affine.gamma.astype(np.float64), affine.beta.astype(np.float64)
        weights = convolution.weights.astype(np.float64) * gamma[:, None, None, None]
        yield Filter(
            weights=weights.transpose(2, 3, 1, 0).astype(np.float32),
            bias=(convolution.bias.astype(np.float64) * gamma + beta).astype(np.float32),
            stride=convolution.stride,
            is_padded=convolution.padding > 0,
        )


def _with_input_scaling(first: Filter, mean_rgb: Sequence[float]) -> Filter:
    if first.is_padded:
        raise DatError("the first convolution pads, so its input's scaling cannot be folded into it exactly")
    weights = first.weights.astype(np.float64) / 256
    shift = (weights * np.asarray(mean_rgb, np.float64)[None, None, :, None]).sum(axis=(0, 1, 2))
    return Filter(
        weights.astype(np.float32), (first.bias - shift).astype(np.float32), first.stride, is_padded=False
    )


def _centre_only(last: Filter) -> Filter:
    """The last 3x3 filter works on a map of one pixel: eight of its nine taps only ever see padding."""
    if last.weights.shape[:2] != (3, 3) or not last.is_padded:
        raise DatError("the last convolution is not 3x3 with padding")
    return Filter(np.ascontiguousarray(last.weights[1:2, 1:2]), last.bias, last.stride, is_padded=False)
