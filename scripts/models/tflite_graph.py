"""Reads a TFLite file as a plain graph with plain weights: nothing is packed or sparse any more.

The format is that of TensorFlow Lite's `schema.fbs`, version 3; ai-edge-litert carries its classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

Array = NDArray[Any]

_KINDS = {number: kind for kind, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
}
_ACTIVATIONS = {
    schema.ActivationFunctionType.NONE: False,
    schema.ActivationFunctionType.RELU: True,
}

RESHAPING = {"PAD", "RESIZE_BILINEAR", "DEPTH_TO_SPACE", "RESHAPE", "MAX_POOL_2D", "CONCATENATION"}
COMPUTING = {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "RELU"}
_UNPACKING = {"DEQUANTIZE", "DENSIFY"}


class GraphError(ValueError):
    """The file is not a graph of the kind that this reader knows."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step. Fields that its kind does not use keep their defaults.

    Attributes:
        kind: as the schema calls it, such as `CONV_2D`.
        inputs: numbers of tensors; of a convolution the picture, the weights and the bias.
        output: number of the tensor it makes.
        has_relu: negative results become 0.
        is_same_size: padding `SAME` instead of `VALID`.
        stride: of a convolution or a pool, both ways.
        window: side of a pool.
        block: side of the block that `DEPTH_TO_SPACE` makes of channels.
        axis: of a concatenation.
    """

    kind: str
    inputs: tuple[int, ...]
    output: int
    has_relu: bool = False
    is_same_size: bool = False
    stride: int = 1
    window: int = 1
    block: int = 1
    axis: int = 0

    @property
    def is_convolution(self) -> bool:
        """Whether it has weights and a bias."""
        return self.kind in ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A network with one input.

    Attributes:
        operations: in running order.
        constants: of tensors that are not computed, by number. Weights of `CONV_2D` are out x height x width
            x in, of `DEPTHWISE_CONV_2D` 1 x height x width x channels.
        shapes: of all tensors, by number.
        names: of all tensors, by number.
        input: number of the tensor that is given.
        outputs: name and number of those that are asked for, in the file's order.
    """

    operations: tuple[Operation, ...]
    constants: Mapping[int, Array]
    shapes: Mapping[int, tuple[int, ...]]
    names: Mapping[int, str]
    input: int
    outputs: Mapping[str, int]

    def following(self, tensor: int) -> set[int]:
        """The maps that are computed from a map, directly or by way of others, and it itself."""
        found = {tensor}
        for operation in self.operations:
            if found.intersection(operation.inputs):
                found.add(operation.output)
        return found

    def readers(self, tensor: int) -> tuple[Operation, ...]:
        """The operations that read a tensor."""
        return tuple(operation for operation in self.operations if tensor in operation.inputs)


def read_graph(content: bytes) -> Graph:
    """The graph of a TFLite file; raises `GraphError` for what this reader does not know."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    subgraph = model.subgraphs[0]
    constants: dict[int, Array] = {
        number: _constant(tensor, model.buffers[tensor.buffer].data)
        for number, tensor in enumerate(subgraph.tensors)
        if model.buffers[tensor.buffer].data is not None and len(model.buffers[tensor.buffer].data)
    }
    operations = []
    for operator in subgraph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = _KINDS[max(code.builtinCode, code.deprecatedBuiltinCode)]
        inputs, output = tuple(map(int, operator.inputs)), int(operator.outputs[0])
        if kind in _UNPACKING and inputs[0] in constants:
            constants[output] = constants[inputs[0]].astype(_DTYPES[subgraph.tensors[output].type])
        else:
            operations.append(_operation(kind, inputs, output, operator.builtinOptions))
    return Graph(
        tuple(operations),
        constants,
        {number: tuple(map(int, tensor.shape)) for number, tensor in enumerate(subgraph.tensors)},
        {number: tensor.name.decode() for number, tensor in enumerate(subgraph.tensors)},
        int(subgraph.inputs[0]),
        {subgraph.tensors[number].name.decode(): int(number) for number in subgraph.outputs},
    )


def densified(values: Array, shape: tuple[int, ...], sparsity: Any) -> Array:
    """All values of a sparse tensor, zeros where the file has none.

    The file keeps them as the leaves of a tree. Each of its levels is a dimension of the tensor, or one of
    the blocks that it is cut into; a dense level has all its branches, a sparse one names those it has.
    Leaves and branches are in the order of the values, so a level only needs to know the branches of the
    last.
    """
    rank, block_map = len(shape), [] if sparsity.blockMap is None else list(map(int, sparsity.blockMap))
    order = list(map(int, sparsity.traversalOrder))
    block = dict.fromkeys(range(rank), 1)
    for level, dimension in zip(sparsity.dimMetadata, order, strict=True):
        if dimension >= rank:
            block[block_map[dimension - rank]] = level.denseSize
    places = np.zeros((1, rank), np.int64)
    for level, dimension in zip(sparsity.dimMetadata, order, strict=True):
        if level.format == schema.DimensionType.DENSE:
            parents = np.repeat(np.arange(len(places)), level.denseSize)
            along = np.tile(np.arange(level.denseSize), len(places))
        else:
            segments, along = _numbers(level.arraySegments), _numbers(level.arrayIndices)
            parents = np.repeat(np.arange(len(places)), np.diff(segments))
        places = places[parents]
        if dimension < rank:
            places[:, dimension] += along * block[dimension]
        else:
            places[:, block_map[dimension - rank]] += along
    dense = np.zeros(shape, values.dtype)
    dense[tuple(places.T)] = values
    return dense


def _constant(tensor: Any, data: Any) -> Array:
    if tensor.type not in _DTYPES:
        raise GraphError(f"constant {tensor.name.decode()} is of type {tensor.type}")
    values = np.frombuffer(bytes(data), _DTYPES[tensor.type])
    shape = () if tensor.shape is None else tuple(map(int, tensor.shape))
    return values.reshape(shape) if tensor.sparsity is None else densified(values, shape, tensor.sparsity)


def _numbers(vector: Any) -> Array:
    return np.asarray(vector.values, np.int64)


def _operation(kind: str, inputs: tuple[int, ...], output: int, options: Any) -> Operation:
    if kind not in RESHAPING | COMPUTING:
        raise GraphError(f"operation {kind} is not known")
    activation = getattr(options, "fusedActivationFunction", schema.ActivationFunctionType.NONE)
    if activation not in _ACTIVATIONS:
        raise GraphError(f"activation {activation} of {kind} is not known")
    if getattr(options, "dilationWFactor", 1) != 1 or getattr(options, "depthMultiplier", 1) not in (0, 1):
        raise GraphError(f"{kind} with gaps or with several filters a channel is not known")
    if kind == "RESIZE_BILINEAR" and not (options.halfPixelCenters and not options.alignCorners):
        raise GraphError("only resizing by the middles of pixels is known")
    return Operation(
        kind,
        inputs,
        output,
        has_relu=_ACTIVATIONS[activation] or kind == "RELU",
        is_same_size=getattr(options, "padding", schema.Padding.VALID) == schema.Padding.SAME,
        stride=getattr(options, "strideW", 1),
        window=getattr(options, "filterWidth", 1),
        block=getattr(options, "blockSize", 1),
        axis=getattr(options, "axis", 0),
    )
