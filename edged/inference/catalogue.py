"""Finds the models and their cards, and refuses a file that is not the one its card is about."""

from pathlib import Path
from typing import TypeVar

import msgspec

from edged.domain.errors import ModelError
from edged.inference.card import DetectorHead, ModelCard, Role
from edged.inference.model_file import ModelFile

AUTO = "auto"

_PACKAGE = Path(__file__).resolve().parent.parent
_SHIPPED = (_PACKAGE / "_models", _PACKAGE.parent / "models")
"""Where a wheel has them, and where a checkout does."""

_REINSTALL = "install edged again, or make the models again with `scripts/models/make`"


class Catalogue:
    """The shipped models, and before them those of a folder of somebody's own. Reads nothing before asked.

    A card in the own folder hides the shipped one of its name, also when it is broken: nobody is to run
    another model than they think.

    Attributes:
        directory: the own folder; without one, that of the shipped models.
    """

    def __init__(self, directory: str | None = None) -> None:
        shipped = shipped_directory()
        self.directory = shipped if directory is None else Path(directory)
        self._shipped = shipped
        self._folders = (self.directory, *([] if directory is None else [shipped]))

    def names(self) -> tuple[str, ...]:
        """Of all cards, in order; raises `ModelError` where a folder has none."""
        names: set[str] = set()
        for folder in self._folders:
            found = _names_in(folder)
            if not found:
                remedy = (
                    _REINSTALL if folder == self._shipped else "`edged models add` makes a card for a model"
                )
                raise ModelError(f"no model's card is in {folder}", remedy=remedy)
            names |= found
        return tuple(sorted(names))

    def hiding(self) -> tuple[str, ...]:
        """The shipped models that cards of the own folder hide."""
        if self._same_folders():
            return ()
        return tuple(sorted(_names_in(self.directory) & _names_in(self._shipped)))

    def is_shipped(self, card: ModelCard) -> bool:
        """Whether the card came with edged."""
        return self.folder_of(card.name) == self._shipped

    def folder_of(self, name: str) -> Path:
        """The folder whose card of that name counts."""
        return next((folder for folder in self._folders if name in _names_in(folder)), self.directory)

    def _mending(self, name: str) -> str:
        if name in _names_in(self._shipped):
            return _REINSTALL
        return "put the file right, or make its card anew with `edged models add`"

    def _same_folders(self) -> bool:
        return len({folder.resolve() for folder in self._folders}) == 1

    def cards(self) -> tuple[ModelCard, ...]:
        """All cards, by name; raises `ModelError` where one cannot be read or there is none."""
        return tuple(self._read(name) for name in self.names())

    def card(self, name: str, role: Role | None = None) -> ModelCard:
        """The card of that name (and role); raises `ModelError`, with the names there are, without it."""
        if name not in self.names():
            raise ModelError(
                f"there is no model {name!r} in {' or '.join(map(str, self._folders))}",
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

    def detector_for(self, name: str, runtime: str) -> ModelCard:
        """The detector of that name; of the name `auto`, the shipped one for far faces that fits the runtime.

        One that is made for this runtime alone comes before one that is made for several.
        """
        if name != AUTO:
            return self.card(name, "detector")
        fitting = [
            card
            for card in (self._read(name) for name in sorted(_names_in(self._shipped)))
            if isinstance(card.head, DetectorHead) and card.head.reach == "far" and runtime in card.runtimes
        ]
        if not fitting:
            raise ModelError(
                f"no detector in {self._shipped} is made for {runtime}",
                remedy="name one at `models.detector` in the configuration",
            )
        return min(fitting, key=lambda card: len(card.runtimes))

    def embedder_for(self, name: str, runtime: str) -> ModelCard:
        """The embedder of that name; of the name `auto`, the first shipped one made for the runtime.

        A model of somebody's own is never taken by itself: who is enrolled would not be known to it.
        """
        if name != AUTO:
            return self.card(name, "embedder")
        for card in (self._read(name) for name in sorted(_names_in(self._shipped))):
            if card.role == "embedder" and runtime in card.runtimes:
                return card
        raise ModelError(
            f"no embedder in {self._shipped} is made for {runtime}",
            remedy="name one at `models.embedder` in the configuration",
        )

    def opened(self, card: ModelCard) -> ModelFile:
        """A model's file, to be closed by the caller; raises `ModelError` where it is not the card's one."""
        path = self.path_of(card)
        try:
            model = ModelFile(path)
        except FileNotFoundError as error:
            raise ModelError(
                f"model {card.name}: its file {path} is missing (SHA-256 {card.sha256})",
                remedy=self._mending(card.name),
            ) from error
        except OSError as error:
            raise self._unreadable(card, path, error) from error
        try:
            self._prove(card, path, model)
        except BaseException:
            model.close()
            raise
        return model

    def _prove(self, card: ModelCard, path: Path, model: ModelFile) -> None:
        try:
            found = model.sha256()
        except OSError as error:
            raise self._unreadable(card, path, error) from error
        if found != card.sha256:
            raise ModelError(
                f"model {card.name}: {path} is {_difference(model.size, card.bytes)}: "
                f"SHA-256 {found} instead of {card.sha256}",
                remedy=self._mending(card.name),
            )

    def path_of(self, card: ModelCard) -> Path:
        """Where the model's file should be."""
        return self.folder_of(card.name) / card.file

    def bytes_beside(self, card: ModelCard, file: str) -> bytes:
        """The bytes of a file that the card names besides the model; raises `ModelError`."""
        path = self.folder_of(card.name) / file
        try:
            return path.read_bytes()
        except OSError as error:
            raise self._unreadable(card, path, error) from error

    def _unreadable(self, card: ModelCard, path: Path, error: OSError) -> ModelError:
        return ModelError(f"model {card.name}: {path}: {error.strerror}", remedy=self._mending(card.name))

    def _read(self, name: str) -> ModelCard:
        file = self.folder_of(name) / f"{name}.json"
        try:
            card = msgspec.json.decode(file.read_bytes(), type=ModelCard)
        except OSError as error:
            raise ModelError(
                f"card of model {name}, {file}: {error.strerror}", remedy=self._mending(name)
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ModelError(f"card of model {name}, {file}: {error}", remedy=self._mending(name)) from error
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


def _names_in(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("*.json")}


def _difference(found: int, wanted: int | None) -> str:
    if found == 0:
        return "empty"
    if wanted is None:
        return "altered"
    if found < wanted:
        return f"truncated ({found} of {wanted} bytes)"
    return f"altered ({found} bytes, its card says {wanted})" if found > wanted else "altered"


def shipped_directory() -> Path:
    """The folder of the models that came with edged; raises `ModelError` where it is not."""
    for directory in _SHIPPED:
        if directory.is_dir():
            return directory
    raise ModelError(f"the models are not at {' or '.join(map(str, _SHIPPED))}", remedy=_REINSTALL)
