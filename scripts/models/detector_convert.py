"""Builds a detector's graph in plain TensorFlow and converts it to int8, the same bytes every time.

The converter is not given pictures: what it would find in them depends on the processor's last bits. The maps
of the graph carry their ranges as `fake_quant` operations instead, and where there are none it stays float.
"""

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from equalisation import divisors, equalised, without_padding
from ranges import CHANNEL_PERCENTILE, MapStatistics, Range, map_ranges, steady_maximum
from tflite_graph import Array, Graph, Operation, read_graph


def as_int8(
    content: bytes, pictures: Sequence[Array], stays_float: Callable[[Graph], Collection[int]]
) -> bytes:
    """The detector with int8 weights and activations, except where it stays float.

    Args:
        content: of the float TFLite file.
        pictures: calibration pictures as the model takes them, each 1 x height x width x 3 float32.
        stays_float: of a graph, the maps that are not quantized.
    """
    graph = equalised_graph(content, pictures)
    ranges = map_ranges(statistics(graph, pictures))
    kept = stays_float(graph)
    return converted(graph, {number: found for number, found in ranges.items() if number not in kept})


def equalised_graph(content: bytes, pictures: Sequence[Array]) -> Graph:
    """The float detector with its padding folded and its channels made alike, by what the pictures show."""
    graph = without_padding(read_graph(content))
    largest = {
        number: steady_maximum(seen.channels, CHANNEL_PERCENTILE)
        for number, seen in statistics(graph, pictures).items()
    }
    return equalised(graph, divisors(graph, largest))


def statistics(graph: Graph, pictures: Sequence[Array]) -> dict[int, MapStatistics]:
    """How large the values of each map become, picture by picture."""

    @tf.function
    def extremes(picture: Any) -> dict[str, Any]:
        return {
            str(number): (
                tf.reduce_min(value),
                tf.reduce_max(value),
                tf.reduce_max(tf.abs(value), list(range(value.shape.rank - 1))),
            )
            for number, value in _maps(graph, picture).items()
        }

    seen = [extremes(tf.constant(picture)) for picture in pictures]
    return {
        int(number): MapStatistics(
            *(np.array([found[number][which] for found in seen]) for which in range(3))
        )
        for number in seen[0]
    }


def outputs(graph: Graph, picture: Array) -> dict[str, Array]:
    """What the graph computes of one picture, by the outputs' names."""
    maps = _maps(graph, tf.constant(picture))
    return {name: maps[number].numpy() for name, number in graph.outputs.items()}


def converted(graph: Graph, ranges: Mapping[int, Range]) -> bytes:
    """The graph as a TFLite file; maps with a range are int8, the others float."""

    def ranged(number: int, value: Any) -> Any:
        if number not in ranges:
            return value
        least, most = ranges[number]
        return tf.quantization.fake_quant_with_min_max_args(value, min=least, max=most, num_bits=8)

    @tf.function(input_signature=[tf.TensorSpec(graph.shapes[graph.input], tf.float32, name="rgb")])
    def detect(rgb: Any) -> dict[str, Any]:
        maps = _maps(graph, rgb, ranged)
        return {name: maps[number] for name, number in graph.outputs.items()}

    converter = tf.lite.TFLiteConverter.from_concrete_functions([detect.get_concrete_function()], detect)
    converter.optimizations = [tf.lite.Optimize.DEFAULT] if ranges else []
    with warnings.catch_warnings():
        # It misses the statistics of the input, which the graph has as the input's own range.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        return bytes(converter.convert())


def _maps(
    graph: Graph, picture: Any, changed: Callable[[int, Any], Any] = lambda _number, value: value
) -> dict[int, Any]:
    """All maps that are computed of a picture, by number; each is `changed` before others read it."""
    maps = {graph.input: changed(graph.input, picture)}
    for operation in graph.operations:
        maps[operation.output] = changed(operation.output, _STEPS[operation.kind](graph, operation, maps))
    return maps


def _convolved(graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    picture, weights, bias = operation.inputs
    if operation.kind == "CONV_2D":
        convolution, values = tf.nn.conv2d, graph.constants[weights].transpose(1, 2, 3, 0)
    else:
        convolution, values = tf.nn.depthwise_conv2d, graph.constants[weights][0][..., None]
    strides = [1, operation.stride, operation.stride, 1]
    result = convolution(maps[picture], tf.constant(values.copy()), strides, _padding(operation))
    return _rectified(operation, tf.nn.bias_add(result, tf.constant(graph.constants[bias])))


def _added(_graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    first, second = operation.inputs
    return _rectified(operation, maps[first] + maps[second])


def _rectified(operation: Operation, value: Any) -> Any:
    return tf.nn.relu(value) if operation.has_relu else value


def _relu(_graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    return tf.nn.relu(maps[operation.inputs[0]])


def _padded(graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    return tf.pad(maps[operation.inputs[0]], tf.constant(graph.constants[operation.inputs[1]]))


def _resized(graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    size = tf.constant(graph.constants[operation.inputs[1]])
    return tf.raw_ops.ResizeBilinear(images=maps[operation.inputs[0]], size=size, half_pixel_centers=True)


def _pooled(_graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    return tf.nn.max_pool2d(
        maps[operation.inputs[0]], operation.window, operation.stride, _padding(operation)
    )


def _unfolded(_graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    return tf.nn.depth_to_space(maps[operation.inputs[0]], operation.block)


def _reshaped(graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    return tf.reshape(maps[operation.inputs[0]], graph.shapes[operation.output])


def _joined(_graph: Graph, operation: Operation, maps: Mapping[int, Any]) -> Any:
    return tf.concat([maps[number] for number in operation.inputs], operation.axis)


def _padding(operation: Operation) -> str:
    return "SAME" if operation.is_same_size else "VALID"


_STEPS: Mapping[str, Callable[[Graph, Operation, Mapping[int, Any]], Any]] = {
    "CONV_2D": _convolved,
    "DEPTHWISE_CONV_2D": _convolved,
    "ADD": _added,
    "RELU": _relu,
    "PAD": _padded,
    "RESIZE_BILINEAR": _resized,
    "MAX_POOL_2D": _pooled,
    "DEPTH_TO_SPACE": _unfolded,
    "RESHAPE": _reshaped,
    "CONCATENATION": _joined,
}
