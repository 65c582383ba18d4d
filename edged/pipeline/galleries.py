"""The galleries that the recogniser compares with, and the one way they change."""

import threading

from edged.domain.identity import GalleryChange
from edged.recognition.calibration import Calibration
from edged.recognition.gallery import Gallery


class Galleries:
    """One gallery a namespace. Whoever watches the stores applies changes; the recogniser takes snapshots.

    A new gallery is built outside the recogniser's thread and swapped in whole, so that a change never
    holds up a frame.

    Args:
        calibration: of the embedder.
        embedding_size: of its embeddings; others are compared with nothing.
    """

    def __init__(self, calibration: Calibration | None = None, embedding_size: int | None = None) -> None:
        self._nobody = Gallery.empty(calibration, embedding_size)
        self._changed = threading.Condition()
        self._galleries: dict[str, Gallery] = {}

    def current(self, namespace: str) -> Gallery:
        """The snapshot to use for one frame; empty before the store was read."""
        with self._changed:
            return self._galleries.get(namespace, self._nobody)

    def revision(self, namespace: str) -> int:
        """The store's revision that the present gallery is of; 0 before the store was read."""
        return self.current(namespace).revision

    def wait_for(self, namespace: str, revision: int, timeout_s: float) -> bool:
        """Wait until the gallery is of that revision or a later one; False where it did not come in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._galleries.get(namespace, self._nobody).revision >= revision, timeout_s
            )

    def apply(self, namespace: str, change: GalleryChange) -> None:
        """Take a change over. Called by one thread at a time for a namespace."""
        self._put(namespace, self.current(namespace).with_change(change))

    def replace(self, namespace: str, change: GalleryChange) -> None:
        """Forget what was known and begin anew with `change`: the store was exchanged."""
        self._put(namespace, self._nobody.with_change(change))

    def _put(self, namespace: str, gallery: Gallery) -> None:
        with self._changed:
            self._galleries[namespace] = gallery
            self._changed.notify_all()
