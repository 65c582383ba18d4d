"""Namespaces with people in them, and the hand-moved clock they live by."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edged.domain.embedder import EmbedderInUse
from edged.domain.face import CHIP_SIZE_PX, EMBEDDING_SIZE, Chip, Embedding
from edged.domain.identifiers import derived_id
from edged.domain.identity import NewFace
from edged.domain.moment import Moment
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key

MODEL = "a" * 64
OTHER_MODEL = "b" * 64
EMBEDDER = EmbedderInUse(MODEL, EMBEDDING_SIZE)
OTHER_EMBEDDER = EmbedderInUse(OTHER_MODEL, EMBEDDING_SIZE)
START_UTC_MS = 1_700_000_000_000


class HandClock:
    """A clock that moves only its own hands."""

    def __init__(self) -> None:
        self.ms = 0
        self.utc_shift_ms = 0
        """By how much somebody set the wall clock."""

    def moment(self) -> Moment:
        return Moment(steady_ms=self.ms, utc_ms=START_UTC_MS + self.utc_shift_ms + self.ms)


class Ids:
    """Ids that are the same in every run, and different for every seed."""

    def __init__(self, seed: str = "ids") -> None:
        self._seed = seed
        self._numbers: Iterator[int] = itertools.count()

    def __call__(self) -> str:
        return derived_id(self._seed, next(self._numbers))


def random_unit(number: int) -> Embedding:
    """A unit vector that is always the same for a number."""
    vector = np.random.default_rng(number).normal(size=EMBEDDING_SIZE).astype(np.float32)
    vector /= np.linalg.norm(vector)
    return vector


def random_chip(number: int) -> Chip:
    """A chip of noise that is always the same for a number."""
    size = (CHIP_SIZE_PX, CHIP_SIZE_PX, 3)
    return np.random.default_rng(number).integers(0, 256, size, dtype=np.uint8)


def a_new_face(
    number: int = 1, *, model: str = MODEL, chip: bool = False, source: str = "portrait.jpg"
) -> NewFace:
    """A face to enrol; the number makes its looks."""
    return NewFace(model, random_unit(number), random_chip(number) if chip else None, 0.75, source)


def a_store(
    data_dir: Path, *, namespace: str = "home", seed: str = "ids", key: Key | None = None
) -> NamespaceStore:
    """The opened store of a namespace, with a clock of its own."""
    return NamespaceStore.open(namespace_path(data_dir, namespace), HandClock(), Ids(seed), key=key)


def raw_bytes(folder: Path) -> bytes:
    """Everything in every file below a folder. Not while the same process has one of them open: closing a
    file drops the locks that SQLite holds on it."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
