"""A new embedder sees the enrolled people through the chips that were kept of them."""

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError
from edged.domain.face import Chip
from edged.domain.moment import Clock
from edged.pipeline.ports import Embedder
from edged.store.faults import is_there
from edged.store.namespace_files import namespace_path
from edged.store.namespace_recovery import open_or_recover
from edged.store.namespace_store import NamespaceStore

_BATCH: Final = 64
"""Faces in a transaction: what a crash in the middle loses is made again at the next start."""

_LOG: Final = logging.getLogger(__name__)


def embed_anew(
    data_dir: Path, namespaces: Iterable[str], embedder: Embedder, clock: Clock, new_id: Callable[[], str]
) -> int:
    """Embed every kept chip that the embedder has not embedded yet; returns how many faces that were.

    To be called before the galleries are read, by the thread that owns the embedder. A namespace that
    cannot be read is left to whoever watches it.
    """
    done = 0
    for namespace in dict.fromkeys(namespaces):
        path = namespace_path(data_dir, namespace)
        try:
            if not is_there(path):
                continue
            store, _ = open_or_recover(path, clock, new_id)
            with store:
                done += _embed_store(namespace, store, embedder)
        except StoreError as error:
            _LOG.error("namespace %s: no face was embedded anew: %s", namespace, error)
    return done


def _embed_store(namespace: str, store: NamespaceStore, embedder: Embedder) -> int:
    done = 0
    for batch in _batches(store.chips_without(embedder.model_hash)):
        embedded = [(face_id, embedder.embed(chip)) for face_id, chip in batch]
        store.add_embeddings(embedder.model_hash, embedded)
        done += len(embedded)
    if done:
        _LOG.warning("namespace %s: %d faces were embedded anew, for a new model", namespace, done)
    lost = [person.label for person in store.without_model(embedder.model_hash)]
    if lost:
        _LOG.error(
            "namespace %s: %d people are not recognised: their faces are of another model, and no chips were"
            " kept. Enrol them again: %s",
            namespace,
            len(lost),
            ", ".join(lost[:10]),
        )
    return done


def _batches(faces: Iterator[tuple[str, Chip]]) -> Iterator[list[tuple[str, Chip]]]:
    while batch := list(islice(faces, _BATCH)):
        yield batch
