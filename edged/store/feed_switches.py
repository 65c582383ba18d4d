"""Which feeds somebody has switched off, kept over restarts.

One empty file a feed, in a folder of the data folder: it is there while the feed is off. Nothing in it can be
damaged, several programs may write it at once, and whoever looks into the folder sees how the switches stand.
"""

import os
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError
from edged.store.database import make_private

FOLDER: Final = "switched-off"
_SUFFIX: Final = ".off"


class FeedSwitches:
    """The switches of one data folder. Every method raises `StoreError` where the folder cannot be used."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def off(self) -> frozenset[str]:
        """The feeds that are switched off."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise self._failed("cannot be read", error) from None
        return frozenset(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))

    def set(self, feed_id: str, *, is_on: bool) -> None:
        """Switch a feed; on the disk when this returns."""
        path = self._folder / f"{feed_id}{_SUFFIX}"
        try:
            if is_on:
                path.unlink(missing_ok=True)
            else:
                make_private(path)
                _flush(self._folder.parent)
            if self._folder.is_dir():
                _flush(self._folder)
        except OSError as error:
            raise self._failed("cannot be written", error) from None

    def _failed(self, what: str, error: OSError) -> StoreError:
        return StoreError(
            f"the switches of the feeds, {self._folder}, {what}: {error.strerror}",
            remedy="Look at the disk, and at the rights of the user that edged runs as.",
        )


def _flush(folder: Path) -> None:
    """Have the names in a folder on the disk: an empty file has nothing else."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
