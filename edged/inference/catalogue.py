"""Finds the models and their cards, and refuses a file that is not the one its card is about."""

import hashlib
from pathlib import Path
from typing import TypeVar

import msgspec

from edged.domain.errors import ModelError
from edged.inference.card import ModelCard, Role

AUTO = "auto"

_PACKAGE = Path(__file__).resolve().parent.parent
_SHIPPED = (_PACKAGE / "_models", _PACKAGE.parent / "models")
"""Where a wheel has them, and where a checkout does."""

_REINSTALL = "install edged again, or make the models again with `scripts/models/make`"


class Catalogue:
    """The models of one folder. Reads nothing before it is asked."""

    def __init__(self, directory: str | None = None) -> None:
        self.directory = Path(directory) if directory is not None else _shipped_directory()

    def names(self) -> tuple[str, ...]:
        """Of all cards, in order; raises `ModelError` where there is none."""
        names = tuple(sorted(file.stem for file in self.directory.glob("*.json")))
        if not names:
            raise ModelError(f"no model's card is in {self.directory}", remedy=_REINSTALL)
        return names

    def cards(self) -> tuple[ModelCard, ...]:
        """All cards, by name; raises `ModelError` where one cannot be read or there is none."""
        return tuple(self._read(name) for name in self.names())

    def card(self, name: str, role: Role | None = None) -> ModelCard:
        """The card of that name (and role); raises `ModelError`, with the names there are, without it."""
        if name not in self.names():
            raise ModelError(
                f"there is no model {name!r} in {self.directory}",
                remedy=f"there are: {', '.join(self.names())}",
            )
        card = self._read(name)
        if role not in (None, card.role):
            fitting = ", ".join(other.name for other in self.cards() if other.role == role)
            raise ModelError(
                f"model {name} is no {role} model (its role is {card.role})",
                remedy=f"{role} models are: {fitting or 'none'}",
            )
        return card

    def embedder_for(self, name: str, runtime: str) -> ModelCard:
        """The embedder of that name; of the name `auto`, the first that was made for the runtime."""
        if name != AUTO:
            return self.card(name, "embedder")
        for card in self.cards():
            if card.role == "embedder" and runtime in card.runtimes:
                return card
        raise ModelError(
            f"no embedder in {self.directory} is made for {runtime}",
            remedy="name one at `models.embedder` in the configuration",
        )

    def content(self, card: ModelCard) -> bytes:
        """The bytes of a model; raises `ModelError` where they are not those its card is about."""
        path = self.directory / card.file
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise ModelError(
                f"model {card.name}: its file {path} is missing (SHA-256 {card.sha256})", remedy=_REINSTALL
            ) from error
        except OSError as error:
            raise ModelError(f"model {card.name}: {path}: {error.strerror}", remedy=_REINSTALL) from error
        found = hashlib.sha256(content).hexdigest()
        if found != card.sha256:
            raise ModelError(
                f"model {card.name}: {path} is {_difference(len(content), card.bytes)}: "
                f"SHA-256 {found} instead of {card.sha256}",
                remedy=_REINSTALL,
            )
        return content

    def _read(self, name: str) -> ModelCard:
        file = self.directory / f"{name}.json"
        try:
            card = msgspec.json.decode(file.read_bytes(), type=ModelCard)
        except OSError as error:
            raise ModelError(f"card of model {name}, {file}: {error.strerror}", remedy=_REINSTALL) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ModelError(f"card of model {name}, {file}: {error}", remedy=_REINSTALL) from error
        if card.name != name:
            raise ModelError(
                f"card of model {name}, {file}: it is about {card.name!r}",
                remedy="name the file as the model",
            )
        return card


Head = TypeVar("Head")


def head_of(card: ModelCard, kind: type[Head]) -> Head:
    """The card's head, when it is of that kind; raises `ModelError` otherwise."""
    if not isinstance(card.head, kind):
        raise ModelError(
            f"model {card.name} has a head {type(card.head).__name__}, and a {kind.__name__} is needed",
            remedy=f"choose a model of another role than {card.role}",
        )
    return card.head


def _difference(found: int, wanted: int) -> str:
    if found == 0:
        return "empty"
    if found < wanted:
        return f"truncated ({found} of {wanted} bytes)"
    return f"altered ({found} bytes, its card says {wanted})" if found > wanted else "altered"


def _shipped_directory() -> Path:
    for directory in _SHIPPED:
        if directory.is_dir():
            return directory
    raise ModelError(f"the models are not at {' or '.join(map(str, _SHIPPED))}", remedy=_REINSTALL)
