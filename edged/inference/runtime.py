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

LITERT = "ai-edge-litert"
TFLITE_RUNTIME = "tflite-runtime"
MODULES = {LITERT: "ai_edge_litert.interpreter", TFLITE_RUNTIME: "tflite_runtime.interpreter"}
"""Package to the module with its `Interpreter`, in the order in which they are tried."""

_INSTALL = "install one: `pip install ai-edge-litert`"
_CHATTER = ("INFO: ",)


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime that can be imported: the name of its package and its version."""

    name: str
    version: str
    interpreter: Any
    """The class `Interpreter`."""


def find_runtime(packages: Sequence[str] = tuple(MODULES)) -> Runtime:
    """The first of the packages that is installed; raises `ModelError` when none is or it cannot be used."""
    for package in packages:
        version = _installed_version(package)
        if version is not None:
            _refuse_other_numpy(package, version)
            return Runtime(package, version, _imported(package))
    raise ModelError(f"no TFLite runtime is installed (looked for {', '.join(packages)})", remedy=_INSTALL)


class Network:
    """One loaded model with one input, ready to run; used by one thread."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]
        self._outputs = interpreter.get_output_details()

    def output_shapes(self) -> list[tuple[int, ...]]:
        """Extents of the outputs, in the order of their numbers."""
        return [tuple(int(extent) for extent in output["shape"]) for output in self._outputs]

    def output_with(self, size: int) -> int:
        """The number of the one output whose last extent (or, of one picture, whose count) is `size`."""
        shapes = self.output_shapes()
        for sizes in ([shape[-1] for shape in shapes], [int(np.prod(shape)) for shape in shapes]):
            if sizes.count(size) == 1:
                return sizes.index(size)
        raise ModelError(f"no one output of the model has size {size}; they are {shapes}")

    def input(self) -> Floats:
        """The input's memory without the leading extent of one, to write into.

        Runs change it, so write all of it each time; and let go of it before `run`, which refuses while
        somebody holds the memory.
        """
        view: Floats = self._interpreter.tensor(self._input["index"])()[0]
        return view

    def output(self, number: int) -> Floats:
        """An output's memory without the leading extent of one; holds until let go, as with `input`."""
        view: Floats = self._interpreter.tensor(self._outputs[number]["index"])()[0]
        return view

    def run(self) -> None:
        """Compute the outputs from the input."""
        self._interpreter.invoke()


def make_network(runtime: Runtime, content: bytes, *, name: str, threads: int) -> Network:
    """Load a model from its bytes; raises `ModelError` naming the model and what the runtime said."""
    failure: Exception | None = None
    with _captured_stderr() as said:
        try:
            interpreter = runtime.interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
        except (RuntimeError, SystemError, ValueError, TypeError, MemoryError) as error:
            failure = error
    told = [line for line in said if not line.startswith(_CHATTER)]
    if failure is not None:
        reason = " ".join(" ".join([*told, str(failure)]).split()) or type(failure).__name__
        raise ModelError(
            f"model {name}: {runtime.name} {runtime.version} cannot load it: {reason}",
            remedy=f"see that {runtime.name} and NumPy {np.__version__} go together, or take another runtime",
        ) from failure
    for line in told:
        sys.stderr.write(f"{line}\n")
    return Network(interpreter)


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
        return importlib.import_module(MODULES[package]).Interpreter
    except (ImportError, AttributeError, SystemError, OSError) as error:
        raise ModelError(
            f"{package} is installed and cannot be imported: {error}",
            remedy=f"`pip install --force-reinstall {package}`",
        ) from error


@contextlib.contextmanager
def _captured_stderr() -> Iterator[list[str]]:
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
