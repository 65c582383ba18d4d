"""Makes a convolution network's channels alike in size, exactly, so that one int8 scale serves them all.

Quantization gives all channels of a map one scale, that of the largest. BlazeFace's channels differ by a
factor of hundreds, so its small ones become nothing (Nagel et al., "Data-Free Quantization Through Weight
Equalization and Bias Correction", 2019). Every operation between two convolutions here is positively
homogeneous in each channel: what a channel is divided by, the weights that read it can be multiplied by.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from itertools import chain

import numpy as np

from tflite_graph import Array, Graph, GraphError, Operation

_LEAST, _MOST = 2.0**-10, 2.0**13
"""Bounds of a channel's divisor, so that a channel that never spoke in calibration is not blown up."""
_SILENT = 1e-6


def without_padding(graph: Graph) -> Graph:
    """The same graph where a PAD by one before 3x3 convolutions of stride 1 is the convolutions' own padding.

    A quantized PAD would be one more operation and one more rounding. With other strides `SAME` pads on
    other sides, so there it stays.
    """
    folded: dict[int, int] = {}
    operations = []
    for operation in graph.operations:
        if _can_be_folded(graph, operation):
            folded[operation.output] = operation.inputs[0]
            continue
        source = operation.inputs[0]
        operations.append(
            dataclasses.replace(operation, inputs=(folded[source], *operation.inputs[1:]), is_same_size=True)
            if source in folded
            else operation
        )
    return dataclasses.replace(graph, operations=tuple(operations))


def _can_be_folded(graph: Graph, operation: Operation) -> bool:
    if operation.kind != "PAD":
        return False
    around = graph.constants[operation.inputs[1]].tolist()
    return around == [[0, 0], [1, 1], [1, 1], [0, 0]] and all(
        reader.is_convolution
        and reader.stride == 1
        and not reader.is_same_size
        and graph.constants[reader.inputs[1]].shape[1:3] == (3, 3)
        for reader in graph.readers(operation.output)
    )


def divisors(graph: Graph, largest: Mapping[int, Array]) -> dict[int, Array]:
    """What to divide each channel of each map by.

    Where only depthwise convolutions read a channel, whose weights have a scale a channel, that is its
    largest value: all channels become 1. Elsewhere it is sqrt(largest value / largest weight that reads it),
    which shares the range between map and weights. Channels that are added or that one operation hands on as
    they are have one divisor; those of the input and the outputs have 1.

    Divisors are powers of two. So dividing rounds nothing, the equalised graph computes bit for bit what the
    graph does, and processors whose sums differ in the last bit find the same divisors.

    Args:
        graph: whose maps are computed from each other.
        largest: for each map the largest absolute value of each channel over the calibration pictures.
    """
    ties = _Ties(graph)
    values, weights = np.zeros(ties.count), np.zeros(ties.count)
    for tensor, channels in largest.items():
        np.maximum.at(values, ties.groups(tensor), channels)
    for operation in graph.operations:
        if operation.kind == "CONV_2D":
            reading = np.abs(graph.constants[operation.inputs[1]]).max(axis=(1, 2)).astype(np.float64)
            share = reading / np.maximum(reading.max(axis=1, keepdims=True), _SILENT)
            np.maximum.at(weights, ties.groups(operation.inputs[0]), share.max(axis=0))
    shared = np.sqrt(values / np.maximum(weights, _SILENT))
    wanted = np.clip(np.where(weights > 0, shared, values), _LEAST, _MOST)
    found = np.exp2(np.round(np.log2(wanted)))
    found[values < _SILENT] = 1
    found[ties.fixed()] = 1
    return {tensor: found[ties.groups(tensor)] for tensor in ties.tensors()}


def equalised(graph: Graph, by: Mapping[int, Array]) -> Graph:
    """The graph that computes each channel divided by its divisor, and so the very same outputs.

    Raises `GraphError` where convolutions share weights, which would then have to be two things at once.
    """
    constants = dict(graph.constants)
    read = Counter(number for operation in graph.operations for number in operation.inputs)
    for operation in graph.operations:
        if operation.is_convolution:
            _, weights, bias = operation.inputs
            if read[weights] > 1 or read[bias] > 1:
                raise GraphError(f"two operations share the weights or the bias of {graph.names[weights]}")
            before, after = by[operation.inputs[0]], by[operation.output]
            if operation.kind == "CONV_2D":
                factor = before[None, None, None, :] / after[:, None, None, None]
            else:
                factor = before / after
            constants[weights] = (graph.constants[weights].astype(np.float64) * factor).astype(np.float32)
            constants[bias] = (graph.constants[bias].astype(np.float64) / after).astype(np.float32)
    return dataclasses.replace(graph, constants=constants)


class _Ties:
    """Which channels of which maps must have the same divisor: groups by union and find."""

    def __init__(self, graph: Graph) -> None:
        self._first: dict[int, int] = {}
        self._widths: dict[int, int] = {}
        self._parents: list[int] = []
        self._fixed: list[int] = []
        self._constants = graph.constants
        self._add(graph, graph.input)
        self._fix(graph.input)
        for operation in graph.operations:
            self._add(graph, operation.output)
            self._tie(operation)
        for tensor in graph.outputs.values():
            self._fix(tensor)
        self._roots = np.array([self._root(channel) for channel in range(len(self._parents))])

    @property
    def count(self) -> int:
        """Of all channels; a group has the number of one of its channels."""
        return len(self._parents)

    def tensors(self) -> tuple[int, ...]:
        return tuple(self._first)

    def groups(self, tensor: int) -> Array:
        """The group of each channel of a map."""
        return self._roots[self._first[tensor] : self._first[tensor] + self._widths[tensor]]

    def fixed(self) -> Array:
        """The groups that may not be changed."""
        return self._roots[self._fixed]

    def _add(self, graph: Graph, tensor: int) -> None:
        self._first[tensor], self._widths[tensor] = len(self._parents), graph.shapes[tensor][-1]
        self._parents.extend(range(len(self._parents), len(self._parents) + self._widths[tensor]))

    def _fix(self, tensor: int) -> None:
        self._fixed.extend(range(self._first[tensor], self._first[tensor] + self._widths[tensor]))

    def _tie(self, operation: Operation) -> None:
        maps = [tensor for tensor in operation.inputs if tensor not in self._constants]
        if operation.is_convolution:
            return
        if operation.kind in ("DEPTH_TO_SPACE", "RESHAPE", "CONCATENATION"):
            # These mix channels with places; the outputs come next, and are as they were anyway.
            for tensor in chain(maps, [operation.output]):
                self._fix(tensor)
            return
        for tensor in maps:
            # A PAD may add channels behind those there are.
            for channel in range(self._widths[tensor]):
                self._join(self._first[tensor] + channel, self._first[operation.output] + channel)

    def _root(self, channel: int) -> int:
        while self._parents[channel] != channel:
            self._parents[channel] = self._parents[self._parents[channel]]
            channel = self._parents[channel]
        return channel

    def _join(self, one: int, other: int) -> None:
        self._parents[self._root(one)] = self._root(other)
