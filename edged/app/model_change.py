"""Going over to another embedder without enrolling anybody again, and forgetting one for good."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edged.app.reembedding import Tell, embed_namespace
from edged.app.yaml_source import Entries, UnreadableError, parse
from edged.domain.errors import ModelError, StoreError, StoreFault
from edged.domain.moment import Clock
from edged.inference.card import ModelCard, embedding_hash
from edged.inference.catalogue import AUTO, Catalogue
from edged.inference.runtime import find_runtime
from edged.pipeline.ports import Embedder
from edged.settings import recognition as settings
from edged.store.embedder_record import ChosenEmbedder, EmbedderRecord, read_record, write_record
from edged.store.namespace_files import namespace_path, namespaces_in
from edged.store.namespace_models import (
    Forgotten,
    Survey,
    embeddings_by_model,
    forget_model,
    require_unshared,
    survey,
)
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key

_PASSES: Final = 5
"""How often faces that were added meanwhile are embedded too before the choice is written."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The databases of one data folder, opened one at a time.

    Attributes:
        path: the folder.
        clock: for stamps and rates.
        new_id: gives a fresh UUID at each call.
        key: the one that pictures and embeddings are encrypted with.
    """

    path: Path
    clock: Clock
    new_id: Callable[[], str]
    key: Key | None = None

    def namespaces(self) -> list[str]:
        """Those that have a database, by name."""
        return namespaces_in(self.path)

    @contextmanager
    def opened(self, namespace: str, *, read_only: bool = False) -> Iterator[NamespaceStore]:
        """A namespace's store while the body lasts; raises StoreError."""
        path = namespace_path(self.path, namespace)
        with NamespaceStore.open(path, self.clock, self.new_id, read_only=read_only, key=self.key) as store:
            yield store


def in_force(folder: DataFolder, chosen: settings.Models) -> ChosenEmbedder | None:
    """The embedder that a daemon with these settings uses now; None where it has no card any more."""
    record = _record_if_sound(folder)
    if chosen.embedder == AUTO and record is not None:
        return record.chosen
    try:
        card = Catalogue(chosen.directory).embedder_for(chosen.embedder, find_runtime().name)
    except ModelError:
        return None
    return _choice(card)


def surveys(folder: DataFolder, model_hash: str, *, read_only: bool = True) -> dict[str, Survey]:
    """What going over to a model would mean, by namespace; changes nothing. Raises StoreError.

    Where writing is what comes next, `read_only=False` lets databases of an older edged be migrated first.
    """
    found = {}
    for namespace in folder.namespaces():
        with folder.opened(namespace, read_only=read_only) as store:
            found[namespace] = survey(store, model_hash)
    return found


def counts(folder: DataFolder) -> dict[str, int]:
    """How many faces have an embedding of each model, by its hash; raises StoreError."""
    total: dict[str, int] = {}
    for namespace in folder.namespaces():
        with folder.opened(namespace, read_only=True) as store:
            for model_hash, count in embeddings_by_model(store).items():
                total[model_hash] = total.get(model_hash, 0) + count
    return total


def change_over(
    folder: DataFolder, card: ModelCard, embedder: Embedder, before: ChosenEmbedder | None, tell: Tell
) -> int:
    """Embed every kept chip of every namespace, then choose the model; returns how many faces were embedded.

    Until the last step, which is one rename, the model that was in force stays so: a crash or an error before
    it changes nothing that anybody sees, and what was embedded by then need not be embedded again. The
    embeddings of the other models are kept, so that going back takes no time. Raises StoreError.
    """
    done = 0
    for _ in range(_PASSES):
        new = 0
        for namespace in folder.namespaces():
            with folder.opened(namespace) as store:
                new += embed_namespace(namespace, store, embedder, folder.clock, tell)
        done += new
        if not new:
            break
    choice = _choice(card)
    record = _record_if_sound(folder)
    previous = before if before != choice else (record.previous if record else None)
    write_record(folder.path, EmbedderRecord(chosen=choice, previous=previous))
    return done


def previous_choice(folder: DataFolder) -> ChosenEmbedder:
    """The embedder before the present one; raises `ModelError` where there was none."""
    record = read_record(folder.path)
    if record is None or record.previous is None:
        raise ModelError("there is no embedder to go back to", remedy="name one: `edged models use CARD`")
    return record.previous


def forget(folder: DataFolder, model_hash: str, chosen: settings.Models) -> Forgotten:
    """Delete what a model made of all faces, for good; refuses the one in force with `ModelError`."""
    now = in_force(folder, chosen)
    record = _record_if_sound(folder)
    used = {one.model_hash: one.card for one in (now, record.chosen if record else None) if one is not None}
    if model_hash in used:
        raise ModelError(
            f"{used[model_hash]} is the embedder in force",
            remedy="go over to another first: `edged models use CARD`",
        )
    for namespace in folder.namespaces():
        with folder.opened(namespace, read_only=True) as store:
            require_unshared(store, model_hash)
    if record is not None and record.previous is not None and record.previous.model_hash == model_hash:
        # First of all: nobody is to be sent back to what is half gone.
        write_record(folder.path, EmbedderRecord(chosen=record.chosen))
    embeddings = kept = 0
    warnings: list[str] = []
    for namespace in folder.namespaces():
        with folder.opened(namespace) as store:
            done = forget_model(store, model_hash)
        embeddings, kept = embeddings + done.embeddings, kept + done.kept
        warnings += done.warnings
    return Forgotten(embeddings, kept, tuple(warnings))


def line_of_embedder(config: Path) -> int | None:
    """The line of `models.embedder` in a configuration file; None where it is not said there."""
    try:
        root, _ = parse(config.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, UnreadableError):
        return None
    models = root.entries.get("models") if isinstance(root, Entries) else None
    node = models.node if models else None
    embedder = node.entries.get("embedder") if isinstance(node, Entries) else None
    return embedder.line if embedder else None


def _choice(card: ModelCard) -> ChosenEmbedder:
    return ChosenEmbedder(card=card.name, model_hash=embedding_hash(card))


def _record_if_sound(folder: DataFolder) -> EmbedderRecord | None:
    """The record; none where it is damaged, which writing it anew is there to mend."""
    try:
        return read_record(folder.path)
    except StoreError as error:
        if error.fault is not StoreFault.CORRUPT:
            raise
        return None
