"""The galleries that the recogniser compares with, and the one way they change."""

import threading

from edged.domain.identity import GalleryChange
from edged.recognition.calibration import Calibration
from edged.recognition.gallery import Gallery


class Galleries:
    """One gallery a namespace. Whoever watches the stores applies changes; the recogniser takes snapshots.

    A new gallery is built outside the recogniser's thread and swapped in whole, so that a change never
    holds up a frame.
    """

    def __init__(self, calibration: Calibration | None = None) -> None:
        self._nobody = Gallery.empty(calibration)
        self._lock = threading.Lock()
        self._galleries: dict[str, Gallery] = {}

    def current(self, namespace: str) -> Gallery:
        """The snapshot to use for one frame; empty before the store was read."""
        with self._lock:
            return self._galleries.get(namespace, self._nobody)

    def apply(self, namespace: str, change: GalleryChange) -> None:
        """Take a change over. Called by one thread at a time for a namespace."""
        changed = self.current(namespace).with_change(change)
        with self._lock:
            self._galleries[namespace] = changed

    def replace(self, namespace: str, change: GalleryChange) -> None:
        """Forget what was known and begin anew with `change`: the store was exchanged."""
        fresh = self._nobody.with_change(change)
        with self._lock:
            self._galleries[namespace] = fresh
