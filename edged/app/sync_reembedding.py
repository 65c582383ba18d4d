"""Faces that came from a node with another embedder are embedded by this node's own, in the background.

Their crops came with them. What the other embedder made of them is kept beside: it is what the namespace's
epoch consists of, and is proven by.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from edged.app.chosen_models import with_chosen_embedder
from edged.domain.errors import EdgedError, StoreError
from edged.domain.face import Chip, Embedding
from edged.domain.moment import Clock
from edged.pipeline.ports import Embedder
from edged.settings.recognition import Models
from edged.store.faults import is_there
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key

_BATCH: Final = 16
"""Faces in a transaction: what a crash loses is made again at the next start."""
_MOST_REST_S: Final = 1.0
_AGAIN_S: Final = 60.0
_LOG: Final = logging.getLogger(__name__)


class Reembedding(Protocol):
    """Whoever embeds faces anew that have a crop and no vector of this node's embedder."""

    def __call__(self, store: NamespaceStore) -> None:
        """There may be such faces in a namespace; returns at once."""
        ...

    def stop(self, timeout_s: float) -> bool:
        """End; False when it did not end in time."""
        ...


class LeftToTheDaemon:
    """For commands: a daemon embeds at its start whatever its embedder has not seen."""

    def __call__(self, store: NamespaceStore) -> None:
        """Nothing to do."""

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002 (of the protocol)
        """Nothing to end."""
        return True


class BackgroundReembedding:
    """A thread that lives, and an embedder that is loaded, only while there is something to embed.

    It rests as long as it works, so that recognition keeps its share of the processor. Any thread may call.

    Args:
        load: loads an embedder; called by the thread. Raises EdgedError.
        model_hash: of the embedder that this node recognises with; what another one makes is not kept.
        clock: who knows the time.
        new_id: gives a fresh UUID.
        changed: called after faces were embedded: whoever holds the gallery looks at once.
        key: the one that pictures and embeddings are encrypted with.
        again_s: after so long it is tried again where it failed.
    """

    def __init__(
        self,
        load: Callable[[], Embedder],
        model_hash: str,
        clock: Clock,
        new_id: Callable[[], str],
        changed: Callable[[], None],
        *,
        key: Key | None = None,
        again_s: float = _AGAIN_S,
    ) -> None:
        self._load = load
        self._model_hash = model_hash
        self._clock = clock
        self._new_id = new_id
        self._changed = changed
        self._key = key
        self._again_s = again_s
        self._lock = threading.Lock()
        self._waiting: set[Path] = set()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._told = ""

    def __call__(self, store: NamespaceStore) -> None:
        """Look at a namespace as soon as may be; returns at once."""
        self.look_at(store.path)

    def look_at(self, path: Path) -> None:
        """The same by the database's file."""
        with self._lock:
            if self._stopping.is_set():
                return
            self._waiting.add(path)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sync-reembedding", daemon=True)
                self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End after the face that it is at; False when it did not end in time."""
        self._stopping.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    # --- its thread

    def _run(self) -> None:
        while (path := self._next()) is not None:
            try:
                self._embed(path)
                self._told = ""
            except EdgedError as error:
                self._failed(path, error)
            except Exception as error:  # noqa: BLE001 - the thread's top
                _LOG.exception("%s: faces are not embedded", path)
                self._failed(path, error)

    def _next(self) -> Path | None:
        """What is to be looked at; None where the thread is to end."""
        with self._lock:
            if self._stopping.is_set() or not self._waiting:
                self._thread = None
                return None
            return self._waiting.pop()

    def _failed(self, path: Path, error: Exception) -> None:
        if isinstance(error, EdgedError) and str(error) != self._told:
            self._told = str(error)
            _LOG.error("%s: faces of another embedder are not embedded for now: %s", path, error)
        self._stopping.wait(self._again_s)
        with self._lock:
            self._waiting.add(path)

    def _embed(self, path: Path) -> None:
        if not is_there(path):
            return
        with NamespaceStore.open(path, self._clock, self._new_id, key=self._key) as store:
            faces = store.chips_without(self._model_hash)
            first = next(faces, None)
            if first is None:
                return
            embedder = self._load()
            if embedder.model_hash != self._model_hash:
                # Somebody chose another one: it embeds all itself, and this one ends with the daemon.
                _LOG.info(
                    "%s: another embedder was chosen; the next start embeds what is to be embedded", path
                )
                return
            done = self._one_by_one(store, embedder, chain([first], faces))
        _LOG.info("%s: %d faces were embedded by this node's own embedder", path, done)

    def _one_by_one(
        self, store: NamespaceStore, embedder: Embedder, faces: Iterable[tuple[str, Chip]]
    ) -> int:
        done, batch = 0, list[tuple[str, Embedding]]()
        for face_id, chip in faces:
            batch.append((face_id, self._rested(embedder, chip)))
            if len(batch) >= _BATCH or self._stopping.is_set():
                done += self._kept(store, batch)
            if self._stopping.is_set():
                break
        return done + self._kept(store, batch)

    def _kept(self, store: NamespaceStore, batch: list[tuple[str, Embedding]]) -> int:
        """Keep a batch, and empty it."""
        count = len(batch)
        if batch:
            store.add_embeddings(self._model_hash, batch)
            batch.clear()
            self._changed()
        return count

    def _rested(self, embedder: Embedder, chip: Chip) -> Embedding:
        began_ms = self._clock.moment().steady_ms
        embedding = embedder.embed(chip)
        took_s = (self._clock.moment().steady_ms - began_ms) / 1000
        self._stopping.wait(min(max(took_s, 0.0), _MOST_REST_S))
        return embedding


def background_reembedding(
    models: Models,
    data_dir: Path,
    model_hash: str,
    clock: Clock,
    new_id: Callable[[], str],
    changed: Callable[[], None],
    key: Key | None,
) -> BackgroundReembedding:
    """The one of a daemon or of a bare authority; `models` are the settings, their paths absolute."""

    def load() -> Embedder:
        # Only who has something to embed has it in memory, and beside the one that recognises.
        import msgspec  # noqa: PLC0415

        from edged.inference.models import load_embedder  # noqa: PLC0415

        # A delegate may have room for one program alone.
        on_cpu = msgspec.structs.replace(models, delegate=None, delegate_required=False)
        return load_embedder(with_chosen_embedder(on_cpu, data_dir))[1]

    return BackgroundReembedding(load, model_hash, clock, new_id, changed, key=key)


def embed_now(
    namespace: str, store: NamespaceStore, models: Models, data_dir: Path, model_hash: str, clock: Clock
) -> int:
    """Embed at once what a command took over with crops and without vectors of this node's embedder.

    Returns how many faces that were. Raises ModelError and StoreError; the daemon's next start does it then.
    """
    from edged.app.reembedding import embed_namespace  # noqa: PLC0415
    from edged.inference.models import load_embedder  # noqa: PLC0415

    _, embedder = load_embedder(with_chosen_embedder(models, data_dir))
    if embedder.model_hash != model_hash:
        raise StoreError("another embedder was chosen meanwhile: start the daemon anew")
    return embed_namespace(namespace, store, embedder, clock, lambda _: None)
