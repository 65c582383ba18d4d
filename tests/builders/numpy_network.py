"""Runs a graph of `scripts/models/tflite_graph.py` with NumPy alone: slow, and as the literature has it."""

import numpy as np


def computed(graph, picture):
    """All maps of the graph by number; the picture is 1 x height x width x channels."""
    maps = {graph.input: picture.astype(np.float64)}
    for step in graph.operations:
        maps[step.output] = _STEPS[step.kind](graph, step, maps)
    return maps


def outputs(graph, picture):
    maps = computed(graph, picture)
    return [maps[number] for number in graph.outputs.values()]


def _windows(values, size, step):
    """Of every place of the output the taps it sees: height x width x channels x size x size."""
    if step.is_same_size:
        extents = np.array(values.shape[1:3])
        missing = np.maximum((-(-extents // step.stride) - 1) * step.stride + size - extents, 0)
        values = np.pad(values, [(0, 0), *((int(n) // 2, int(n - n // 2)) for n in missing), (0, 0)])
    seen = np.lib.stride_tricks.sliding_window_view(values[0], (size, size), axis=(0, 1))
    return seen[:: step.stride, :: step.stride]


def _rectified(step, values):
    return np.maximum(values, 0) if step.has_relu else values


def _convolved(graph, step, maps):
    weights, bias = (graph.constants[number].astype(np.float64) for number in step.inputs[1:])
    seen = _windows(maps[step.inputs[0]], weights.shape[1], step)
    how = "yxcij,oijc->yxo" if step.kind == "CONV_2D" else "yxcij,pijc->yxc"
    return _rectified(step, np.einsum(how, seen, weights, optimize=True)[None] + bias)


def _added(_graph, step, maps):
    return _rectified(step, maps[step.inputs[0]] + maps[step.inputs[1]])


def _padded(graph, step, maps):
    return np.pad(maps[step.inputs[0]], graph.constants[step.inputs[1]])


def _resized(graph, step, maps):
    values = maps[step.inputs[0]]
    for axis, size in zip((1, 2), graph.constants[step.inputs[1]], strict=True):
        extent = values.shape[axis]
        middles = np.clip((np.arange(size) + 0.5) * extent / size - 0.5, 0, None)
        first = np.minimum(middles.astype(int), extent - 1)
        second = np.minimum(first + 1, extent - 1)
        share = (middles - first).reshape([-1 if number == axis else 1 for number in range(4)])
        values = values.take(first, axis) * (1 - share) + values.take(second, axis) * share
    return values


def _unfolded(_graph, step, maps):
    _, height, width, channels = maps[step.inputs[0]].shape
    side = step.block
    blocks = maps[step.inputs[0]].reshape(height, width, side, side, channels // side**2)
    return blocks.transpose(0, 2, 1, 3, 4).reshape(1, height * side, width * side, -1)


_STEPS = {
    "CONV_2D": _convolved,
    "DEPTHWISE_CONV_2D": _convolved,
    "ADD": _added,
    "RELU": lambda _graph, step, maps: np.maximum(maps[step.inputs[0]], 0),
    "PAD": _padded,
    "RESIZE_BILINEAR": _resized,
    "MAX_POOL_2D": lambda _graph, step, maps: _windows(maps[step.inputs[0]], step.window, step).max(
        axis=(3, 4)
    )[None],
    "DEPTH_TO_SPACE": _unfolded,
    "RESHAPE": lambda graph, step, maps: maps[step.inputs[0]].reshape(graph.shapes[step.output]),
    "CONCATENATION": lambda _graph, step, maps: np.concatenate(
        [maps[number] for number in step.inputs], step.axis
    ),
}
