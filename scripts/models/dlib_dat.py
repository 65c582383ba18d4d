"""Reads a network that dlib serialised (`.dat`), without dlib.

The format, as dlib's `serialize.h` and `dnn/core.h` write it:

- an integer is a control byte (low nibble: number of bytes that follow; 0x80: negative) and the bytes of its
  magnitude, least first;
- a real number is an integer mantissa and an integer exponent of two;
- a tensor is its version, four extents and its float32 values;
- a network is written outside-in: each layer first writes the version of its class, then everything inside
  it, and only then its own details. So the versions come first, outermost layer first, then the input's
  details, then the layers' details, innermost layer first. Innermost is what runs first.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_WRAPPER = 1  # version of a tag or a skip: no details of its own
_LAYER = 2  # version of a layer on another layer
_FIRST_LAYER = 3  # version of the layer on the input
_INFINITE = 32000  # exponents from here on mean infinity and not-a-number


class DatError(ValueError):
    """The bytes are not a network of the kind this reader knows."""


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """`weights` are out x in x height x width; `bias` has one value an output channel."""

    weights: Floats
    bias: Floats
    stride: int
    padding: int


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """gamma * x + beta, one value of each a channel."""

    gamma: Floats
    beta: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A matrix product without bias; `weights` are in x out."""

    weights: Floats


@dataclass(frozen=True, slots=True)
class Pool:
    """A maximum or an average over windows; size 0 means over everything."""

    kind: str
    size: int
    stride: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A layer without parameters: `relu`, `add_prev`, or `wrapper` for a tag or a skip."""

    kind: str


Layer = Convolution | Affine | Product | Pool | Plain


@dataclass(frozen=True, slots=True)
class Network:
    """A network for metric learning.

    Attributes:
        mean_rgb: what the input layer subtracts before it divides by 256.
        input_px: rows and columns of the input.
        layers: in the order in which they run.
    """

    mean_rgb: tuple[float, float, float]
    input_px: tuple[int, int]
    layers: tuple[Layer, ...]


def read_network(data: bytes) -> Network:
    """The network in the bytes of a file; raises `DatError` for anything else."""
    stream = _Stream(data)
    stream.expect(1, stream.integer())
    stream.expect("loss_metric_2", stream.text())
    stream.real()  # margin of the loss
    stream.real()  # distance threshold of the loss
    versions = [stream.integer()]
    while versions[-1] != _FIRST_LAYER:
        if versions[-1] not in (_WRAPPER, _LAYER):
            raise DatError(f"layer version {versions[-1]} at byte {stream.at}")
        versions.append(stream.integer())
    stream.expect("input_rgb_image_sized", stream.text())
    mean = (stream.real(), stream.real(), stream.real())
    size = (stream.integer(), stream.integer())
    layers = tuple(_layer(stream, version) for version in reversed(versions))
    if stream.at != len(data):
        raise DatError(f"{len(data) - stream.at} bytes after the network's end")
    return Network(mean, size, layers)


class _Stream:
    """Takes dlib's basic values off the bytes, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self._data):
            raise DatError(f"ends at byte {len(self._data)}, in the middle of a value")
        self.at += count
        return self._data[self.at - count : self.at]

    def expect(self, wanted: object, found: object) -> None:
        if wanted != found:
            raise DatError(f"{found!r} instead of {wanted!r} before byte {self.at}")

    def integer(self) -> int:
        control = self.take(1)[0]
        magnitude = int.from_bytes(self.take(control & 0x0F), "little")
        return -magnitude if control & 0x80 else magnitude

    def real(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        if exponent >= _INFINITE:
            raise DatError(f"a number that is not finite before byte {self.at}")
        return math.ldexp(mantissa, exponent)

    def text(self) -> str:
        return self.take(self.integer()).decode("latin-1")

    def flag(self) -> bool:
        byte = self.take(1)
        if byte not in (b"0", b"1"):
            raise DatError(f"{byte!r} is no truth value, before byte {self.at}")
        return byte == b"1"

    def shape(self) -> tuple[int, int, int, int]:
        return (self.integer(), self.integer(), self.integer(), self.integer())

    def alias(self) -> tuple[int, int, int, int]:
        """A named part of a tensor: only its shape is written."""
        self.expect(1, self.integer())
        return self.shape()

    def tensor(self) -> Floats:
        self.expect(2, self.integer())
        shape = self.shape()
        return np.frombuffer(self.take(4 * math.prod(shape)), "<f4").reshape(shape).astype(np.float32)

    def skip_learning_rates(self) -> None:
        for _ in range(4):
            self.real()


def _layer(stream: _Stream, version: int) -> Layer:
    if version == _WRAPPER:
        return Plain("wrapper")
    kind = stream.text()
    if kind not in _DETAILS:
        raise DatError(f"layer {kind!r} before byte {stream.at} is not known")
    layer = _DETAILS[kind](stream)
    for _ in range(3):
        stream.flag()  # states of training
    for _ in range(3):
        stream.tensor()  # gradients and cached output, empty in a finished network
    if version == _FIRST_LAYER:
        stream.integer()  # pictures a sample
    return layer


def _convolution(stream: _Stream, *, bias_is_optional: bool) -> Convolution:
    values = stream.tensor().ravel()
    filters, _rows, _columns, stride_y, stride_x, padding_y, padding_x = (stream.integer() for _ in range(7))
    stream.expect((stride_y, padding_y), (stride_x, padding_x))
    filter_shape = stream.alias()
    stream.alias()
    stream.skip_learning_rates()
    has_bias = stream.flag() if bias_is_optional else True
    count = math.prod(filter_shape)
    bias = values[count : count + filters] if has_bias else np.zeros(filters, np.float32)
    return Convolution(values[:count].reshape(filter_shape), bias, stride_y, padding_y)


def _affine(stream: _Stream, *, has_switch: bool) -> Affine:
    values = stream.tensor().ravel()
    stream.alias()
    stream.alias()
    stream.integer()  # per channel or per value: these networks have it per channel
    if has_switch:
        stream.flag()
    half = values.size // 2
    return Affine(values[:half], values[half:])


def _product(stream: _Stream) -> Product:
    outputs, inputs = stream.integer(), stream.integer()
    values = stream.tensor()
    stream.alias()
    stream.alias()
    stream.integer()
    stream.skip_learning_rates()
    return Product(values.reshape(inputs, outputs))


def _pool(stream: _Stream, kind: str) -> Pool:
    rows, columns, stride_y, stride_x, _padding_y, _padding_x = (stream.integer() for _ in range(6))
    stream.expect((rows, stride_y), (columns, stride_x))
    return Pool(kind, rows, stride_y)


_DETAILS: dict[str, Callable[[_Stream], Any]] = {
    "con_4": lambda stream: _convolution(stream, bias_is_optional=False),
    "con_5": lambda stream: _convolution(stream, bias_is_optional=True),
    "affine_": lambda stream: _affine(stream, has_switch=False),
    "affine_2": lambda stream: _affine(stream, has_switch=True),
    "fc_2": _product,
    "max_pool_2": lambda stream: _pool(stream, "max"),
    "avg_pool_2": lambda stream: _pool(stream, "average"),
    "relu_": lambda _stream: Plain("relu"),
    "add_prev_": lambda _stream: Plain("add_prev"),
}
