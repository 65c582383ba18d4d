"""A delegate: somebody's shared object that computes a model instead of the CPU, such as `libedgetpu.so.1`.

Its interface is TensorFlow's `tensorflow/lite/delegates/external/external_delegate_interface.h`.
"""

import ctypes
import logging
from pathlib import Path
from typing import Any, Final

from edged.domain.errors import ModelError
from edged.inference.card import ModelCard
from edged.inference.catalogue import Catalogue
from edged.inference.model_file import ModelFile
from edged.inference.runtime import Network, Runtime, captured_stderr, make_network
from edged.settings import recognition as settings

SYMBOLS: Final = ("tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate")
_QUANTIZED: Final = frozenset({"int8", "uint8"})

_LOG: Final = logging.getLogger(__name__)


class NetworkLoader:
    """Loads models, each with the delegate of the settings where it is for that model.

    Attributes:
        remarks: what a person should know of a delegate that is not used though it was asked for.
    """

    def __init__(self, catalogue: Catalogue, runtime: Runtime, chosen: settings.Models) -> None:
        self._catalogue = catalogue
        self._runtime = runtime
        self._chosen = chosen
        self.remarks: list[str] = []

    def load(self, card: ModelCard) -> Network:
        """One model, checked against its card and loaded.

        Raises `ModelError` where it cannot be loaded, or the delegate cannot and is required.
        """
        with self._catalogue.opened(card) as model:
            path = self._chosen.delegate
            if path is not None and self._is_for(card):
                try:
                    delegate = load_delegate(self._runtime, path, self._chosen.delegate_options)
                    return self._made(card, model, delegate, Path(path).name)
                except ModelError as error:
                    self._allow_the_cpu(card, error)
            return self._made(card, model)

    def _allow_the_cpu(self, card: ModelCard, error: ModelError) -> None:
        if self._chosen.delegate_required:
            raise ModelError(
                f"model {card.name}: {error.what}",
                remedy="mend the delegate, or allow the CPU with `models.delegate_required: false`",
            ) from error
        self.remarks.append(f"model {card.name} runs on the CPU: {error.what}")
        _LOG.error("%s", self.remarks[-1])

    def _made(self, card: ModelCard, model: ModelFile, delegate: Any = None, name: str = "") -> Network:
        return make_network(
            self._runtime,
            model,
            name=card.name,
            threads=self._chosen.threads,
            delegate=delegate,
            delegate_name=name,
        )

    def _is_for(self, card: ModelCard) -> bool:
        if self._chosen.delegate_models:
            return card.role in self._chosen.delegate_models
        is_quantized = any(tensor.dtype in _QUANTIZED for tensor in card.inputs)
        return card.role != "landmarks" and is_quantized


def load_delegate(runtime: Runtime, path: str, options: tuple[str, ...]) -> Any:
    """What the runtime takes as a delegate.

    Args:
        runtime: the runtime that is to use it.
        path: of the shared object, or its bare name, which the system's loader looks for.
        options: `name=value` each.

    Raises `ModelError` with what is wrong with the file or what the delegate itself said.
    """
    library = _opened(path)
    missing = [symbol for symbol in SYMBOLS if not hasattr(library, symbol)]
    if missing:
        raise ModelError(f"{path} is no delegate: it lacks {' and '.join(missing)}")
    if runtime.load_delegate is None:
        raise ModelError(f"{runtime.name} {runtime.version} cannot load delegates")
    named = dict(option.split("=", 1) for option in options)
    failure: Exception | None = None
    delegate = None
    with captured_stderr() as said:
        try:
            delegate = runtime.load_delegate(path, named)
        except (ValueError, RuntimeError, OSError) as error:
            failure = error
    if failure is not None:
        told = " ".join([*said, *str(failure).partition("\n")[2:]]).strip()
        why = told or "it gives no reason; is its device there, and may this user use it?"
        raise ModelError(f"the delegate {path} does not start: {why}") from failure
    return delegate


def _opened(path: str) -> ctypes.CDLL:
    if "/" in path and not Path(path).is_file():
        raise ModelError(f"the delegate {path} is not there")
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ModelError(f"the delegate {path} cannot be loaded: {error}") from error
