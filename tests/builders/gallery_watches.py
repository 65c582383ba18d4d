"""The thread that watches a data folder's namespaces, as long as a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builders.namespaces import MODEL, HandClock, Ids
from builders.patience import PATIENCE_S
from edged.store.gallery_watch import GalleryWatch


@contextmanager
def watching(
    data_dir: Path, galleries: Any, *namespaces: str, clock: HandClock | None = None, **terms: Any
) -> Iterator[GalleryWatch]:
    """A watch that has read the namespaces (`home` where none is named), and ends with the block."""
    watch = GalleryWatch(
        data_dir, namespaces or ("home",), MODEL, galleries, clock or HandClock(), Ids("watch"), **terms
    )
    watch.start()
    try:
        assert watch.wait_until_read(PATIENCE_S)
        yield watch
    finally:
        assert watch.stop(PATIENCE_S)
