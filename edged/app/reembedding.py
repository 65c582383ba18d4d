"""A new embedder sees the enrolled and the unknown people through the chips that were kept of them."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from edged.domain.errors import StoreError, StoreFault
from edged.domain.face import Chip, Embedding
from edged.domain.moment import Clock
from edged.pipeline.ports import Embedder
from edged.store.faults import is_there
from edged.store.group_store import GroupStore
from edged.store.namespace_files import namespace_path
from edged.store.namespace_models import survey
from edged.store.namespace_recovery import open_or_recover
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key as EncryptionKey

_BATCH: Final = 64
"""Faces in a transaction: what a crash in the middle loses is made again at the next start."""
_TOLD: Final = 10

_LOG: Final = logging.getLogger(__name__)

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work on one namespace is, without which the daemon does not start.

    Attributes:
        namespace: which.
        done: so many by now.
        total: so many there were to be done when it began.
        elapsed_ms: since it began.
        work: what is done, as a log's line begins.
        things: what is counted.
    """

    namespace: str
    done: int
    total: int
    elapsed_ms: int
    work: str = "Embedding anew"
    things: str = "faces"

    @property
    def rate(self) -> float:
        """So many in a second; 0 before there is anything to go by."""
        return self.done * 1000 / self.elapsed_ms if self.elapsed_ms > 0 else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds that are left at this rate; None while nobody knows."""
        return max(0, self.total - self.done) / self.rate if self.rate else None

    def __str__(self) -> str:
        """`namespace home: 128 of 400 faces, 210 a second, 1 s left`."""
        words = [f"namespace {self.namespace}: {self.done} of {self.total} {self.things}"]
        if self.remaining_s is not None:
            words += [f"{self.rate:.0f} a second", f"{_span(self.remaining_s)} left"]
        return ", ".join(words)


Tell = Callable[[Progress], None]


def embed_anew(
    data_dir: Path,
    namespaces: Iterable[str],
    embedder: Embedder,
    clock: Clock,
    new_id: Callable[[], str],
    tell: Tell = lambda _: None,
    *,
    key: EncryptionKey | None = None,
) -> int:
    """Embed every kept chip that the embedder has not embedded yet; returns how many faces that were.

    To be called before the galleries are read, by the thread that owns the embedder. `tell` hears of each
    batch. A namespace that cannot be read is left to whoever watches it.
    """
    done = 0
    for namespace in dict.fromkeys(namespaces):
        path = namespace_path(data_dir, namespace)
        try:
            if not is_there(path):
                continue
            store, _ = open_or_recover(path, clock, new_id, key)
            with store:
                done += _embed_and_report(namespace, store, embedder, clock, tell)
        except StoreError as error:
            _LOG.error("namespace %s: no face was embedded anew: %s", namespace, error)
    return done


def embed_namespace(
    namespace: str, store: NamespaceStore, embedder: Embedder, clock: Clock, tell: Tell
) -> int:
    """Embed every kept chip of one namespace that the embedder has not embedded yet; returns how many.

    Each batch is a transaction of its own, so that what is done stays done. Embeddings of other models are
    left as they are. Raises StoreError.
    """
    model_hash = embedder.model_hash
    found = survey(store, model_hash)
    total = found.enrolled.pending + found.grouped.pending
    began_ms = clock.moment().steady_ms
    groups = GroupStore(store)
    done = 0
    for batch in _batches(store.chips_without(model_hash)):
        store.add_embeddings(model_hash, _embedded(batch, embedder))
        done += len(batch)
        tell(Progress(namespace, done, total, clock.moment().steady_ms - began_ms))
    try:
        for strangers in _batches(groups.chips_without(model_hash)):
            groups.add_embeddings(model_hash, _embedded(strangers, embedder))
            done += len(strangers)
            tell(Progress(namespace, done, total, clock.moment().steady_ms - began_ms))
    except StoreError as error:
        if error.fault is not StoreFault.CORRUPT:
            raise
        # One damaged chip of a stranger is no reason to leave everybody else with the old model.
        _LOG.error("namespace %s: not all unknown people were embedded anew: %s", namespace, error)
    return done


def _embed_and_report(
    namespace: str, store: NamespaceStore, embedder: Embedder, clock: Clock, tell: Tell
) -> int:
    done = embed_namespace(namespace, store, embedder, clock, tell)
    if done:
        _LOG.warning("namespace %s: %d faces were embedded anew, for a new model", namespace, done)
    lost = [person.label for person in store.without_model(embedder.model_hash)]
    if lost:
        _LOG.error(
            "namespace %s: %d people are not recognised: their faces are of another model, and no chips were"
            " kept. Enrol them again: %s",
            namespace,
            len(lost),
            ", ".join(lost[:_TOLD]),
        )
    return done


def _embedded(batch: Iterable[tuple[Key, Chip]], embedder: Embedder) -> list[tuple[Key, Embedding]]:
    return [(key, embedder.embed(chip)) for key, chip in batch]


def _batches(faces: Iterator[tuple[Key, Chip]]) -> Iterator[list[tuple[Key, Chip]]]:
    while batch := list(islice(faces, _BATCH)):
        yield batch


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
