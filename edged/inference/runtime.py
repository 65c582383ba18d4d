"""The one file that imports the TFLite runtime, when the first model is made and not before.

`ai-edge-litert` is what `tflite-runtime` is called now; whichever is installed is taken, the newer first.
"""

import contextlib
import importlib
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edged.domain.errors import ModelError
from edged.domain.face import Floats
from edged.inference.model_file import ModelFile

LITERT = "ai-edge-litert"
TFLITE_RUNTIME = "tflite-runtime"
MODULES = {LITERT: "ai_edge_litert.interpreter", TFLITE_RUNTIME: "tflite_runtime.interpreter"}
"""Package to the module with its `Interpreter`, in the order in which they are tried."""

_INSTALL = "install one: `pip install ai-edge-litert`"
_CHATTER = ("INFO: ",)
_PICTURE_EXTENTS = 3
_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime that can be imported: the name of its package and its version."""

    name: str
    version: str
    interpreter: Any
    """The class `Interpreter`."""
    load_delegate: Any = None
    """The function of this name."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """What the numbers of a tensor are: a real number is scale x (value - zero_point).

    Attributes:
        dtype: float32, int8 or uint8.
        scale: 0 where the numbers are the real ones themselves.
    """

    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0


def find_runtime(packages: Sequence[str] = tuple(MODULES)) -> Runtime:
    """The first of the packages that is installed; raises `ModelError` when none is or it cannot be used."""
    for package in packages:
        version = _installed_version(package)
        if version is not None:
            _refuse_other_numpy(package, version)
            module = _imported(package)
            return Runtime(package, version, module.Interpreter, getattr(module, "load_delegate", None))
    raise ModelError(f"no TFLite runtime is installed (looked for {', '.join(packages)})", remedy=_INSTALL)


class Network:
    """One loaded model with one input, ready to run; used by one thread."""

    def __init__(self, interpreter: Any, delegate: str = "") -> None:
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]
        self._outputs = interpreter.get_output_details()
        self.delegate = delegate
        """Who computes, by the name of its library; empty where the CPU does."""

    def input_type(self) -> TensorType:
        """What numbers the input takes; raises `ModelError` for a kind that is not written here."""
        return _type_of(self._input, "input")

    def input_shape(self) -> tuple[int, ...]:
        """Extents of the input: 1, height, width, 3, or 1, 3, height, width."""
        return tuple(int(extent) for extent in self._input["shape"])

    def expect_square(self, side_px: int) -> None:
        """Raise `ModelError` unless the input takes one colour picture of that size."""
        if self.input_shape() not in {(1, side_px, side_px, 3), (1, 3, side_px, side_px)}:
            raise ModelError(
                f"the model's input has the shape {list(self.input_shape())}, and its card says"
                f" {side_px} x {side_px} pixels",
                remedy="write the input's side into `head.input_px` of the card",
            )
        self.input_type()

    def output_shapes(self) -> list[tuple[int, ...]]:
        """Extents of the outputs, in the order of their numbers."""
        return [tuple(int(extent) for extent in output["shape"]) for output in self._outputs]

    def output_dtypes(self) -> list[np.dtype[Any]]:
        """What the outputs' numbers are, in the order of their numbers."""
        return [np.dtype(output["dtype"]) for output in self._outputs]

    def output_with(self, size: int) -> int:
        """The number of the one output whose last extent (or, of one picture, whose count) is `size`."""
        shapes = self.output_shapes()
        for sizes in ([shape[-1] for shape in shapes], [int(np.prod(shape)) for shape in shapes]):
            if sizes.count(size) == 1:
                return sizes.index(size)
        raise ModelError(f"no one output of the model has size {size}; they are {shapes}")

    def input(self) -> Floats:
        """The input's memory as height x width x 3, of `input_type`, to write into.

        Runs change it, so write all of it each time; and let go of it before `run`, which refuses while
        somebody holds the memory.
        """
        view: Floats = self._interpreter.tensor(self._input["index"])()[0]
        is_by_channels = view.ndim == _PICTURE_EXTENTS and view.shape[0] == _CHANNELS != view.shape[2]
        return view.transpose(1, 2, 0) if is_by_channels else view

    def output(self, number: int) -> Floats:
        """An output as real numbers, without a leading extent of one.

        Of a float output it is the memory itself, which holds until let go, as with `input`; of a quantized
        one a copy.
        """
        details = self._outputs[number]
        whole = self._interpreter.tensor(details["index"])()
        view: Floats = whole[0] if whole.ndim > 1 and whole.shape[0] == 1 else whole
        if view.dtype == np.float32:
            return view
        kind = _type_of(details, "output")
        return (view.astype(np.float32) - np.float32(kind.zero_point)) * np.float32(kind.scale)

    def flat(self, number: int) -> Floats:
        """All numbers of an output, one after the other; holds as `output` does."""
        return self.output(number).reshape(-1)

    def run(self) -> None:
        """Compute the outputs from the input."""
        self._interpreter.invoke()


def make_network(
    runtime: Runtime,
    model: ModelFile | bytes,
    *,
    name: str,
    threads: int,
    delegate: Any = None,
    delegate_name: str = "",
) -> Network:
    """Load a model; raises `ModelError` naming the model and what the runtime said.

    Of a file nothing stays in memory but what the runtime made of it; the file may be closed afterwards.
    `delegate` is what the runtime's `load_delegate` gave; `delegate_name` is what people call it.
    """
    failure: Exception | None = None
    delegates = {} if delegate is None else {"experimental_delegates": [delegate]}
    with captured_stderr() as said:
        try:
            if isinstance(model, ModelFile):
                interpreter = runtime.interpreter(model_path=model.path, num_threads=threads, **delegates)
            else:
                interpreter = runtime.interpreter(model_content=model, num_threads=threads, **delegates)
            interpreter.allocate_tensors()
        except (RuntimeError, SystemError, ValueError, TypeError, MemoryError) as error:
            failure = error
    told = [line for line in said if not line.startswith(_CHATTER)]
    if failure is not None:
        reason = " ".join(" ".join([*told, str(failure)]).split()) or type(failure).__name__
        if delegate is not None:
            raise ModelError(
                f"model {name}: the delegate {delegate_name} does not take it: {reason}"
            ) from failure
        raise ModelError(
            f"model {name}: {runtime.name} {runtime.version} cannot load it: {reason}",
            remedy=f"see that {runtime.name} and NumPy {np.__version__} go together, or take another runtime",
        ) from failure
    for line in told:
        sys.stderr.write(f"{line}\n")
    network = Network(interpreter, delegate_name)
    if isinstance(model, ModelFile):
        model.release_pages()
    return network


def _type_of(details: dict[str, Any], what: str) -> TensorType:
    dtype = np.dtype(details["dtype"])
    scale, zero_point = details["quantization"]
    if dtype == np.float32:
        return TensorType(dtype)
    if dtype not in (np.int8, np.uint8) or not scale > 0:
        raise ModelError(
            f"the model's {what} is of {dtype}{'' if scale else ' without a scale'}",
            remedy="convert it so that its inputs and outputs are float32, int8 or uint8",
        )
    return TensorType(dtype, float(scale), int(zero_point))


def _installed_version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _refuse_other_numpy(package: str, version: str) -> None:
    # tflite-runtime was built against NumPy 1: with NumPy 2 it imports, after a page of warnings, and fails
    # with a SystemError when the first interpreter is made.
    if package == TFLITE_RUNTIME and int(np.__version__.split(".")[0]) >= 2:  # noqa: PLR2004
        raise ModelError(
            f"{package} {version} needs NumPy 1, and NumPy {np.__version__} is installed",
            remedy="`pip install 'numpy<2'`, or `pip install ai-edge-litert`, which works with both",
        )


def _imported(package: str) -> Any:
    try:
        module = importlib.import_module(MODULES[package])
        module.Interpreter  # noqa: B018 (a package that is broken in half is told as such)
    except (ImportError, AttributeError, SystemError, OSError) as error:
        raise ModelError(
            f"{package} is installed and cannot be imported: {error}",
            remedy=f"`pip install --force-reinstall {package}`",
        ) from error
    return module


@contextlib.contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Collect what native code writes to standard error meanwhile; Python sees no other way to its logger."""
    said: list[str] = []
    try:
        kept = os.dup(2)
    except OSError:  # a daemon without standard error
        yield said
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            said.extend(file.read().decode(errors="replace").splitlines())
