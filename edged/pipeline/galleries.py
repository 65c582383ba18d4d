"""The galleries that the recogniser compares with, and the one way they change."""

import threading
from typing import Final

from edged.domain.identity import GalleryChange
from edged.recognition.gallery import Gallery

NOBODY: Final = Gallery.empty()


class Galleries:
    """One gallery a namespace. Whoever watches the stores applies changes; the recogniser takes snapshots.

    A new gallery is built outside the recogniser's thread and swapped in whole, so that a change never
    holds up a frame.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._galleries: dict[str, Gallery] = {}

    def current(self, namespace: str) -> Gallery:
        """The snapshot to use for one frame; empty before the store was read."""
        with self._lock:
            return self._galleries.get(namespace, NOBODY)

    def apply(self, namespace: str, change: GalleryChange) -> None:
        """Take a change over. Called by one thread at a time for a namespace."""
        changed = self.current(namespace).with_change(change)
        with self._lock:
            self._galleries[namespace] = changed

    def replace(self, namespace: str, change: GalleryChange) -> None:
        """Forget what was known and begin anew with `change`: the store was exchanged."""
        fresh = Gallery.empty().with_change(change)
        with self._lock:
            self._galleries[namespace] = fresh
