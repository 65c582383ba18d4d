"""Begins the sync when it is wanted: by the configuration, or by a command beside a running daemon.

A daemon that syncs nothing has neither the thread nor what it stands on in memory.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edged.app.heartbeats import Heart
from edged.app.sync_keys import SECRETS_FOLDER
from edged.domain.errors import EdgedError
from edged.domain.moment import Moment
from edged.settings.root import Settings

if TYPE_CHECKING:
    from edged.app.syncing import Syncing

SILENT_AFTER_S: Final = 300.0

_LOG: Final = logging.getLogger(__name__)


def is_wanted(settings: Settings, data_dir: Path) -> bool:
    """Whether there is a section `sync`, or `edged sync init` or `join` made this node's secret."""
    return settings.sync is not None or any((data_dir / SECRETS_FOLDER).glob("*.key"))


class SyncStarter:
    """The sync of a data folder, from when it is wanted on. The main thread makes all calls but `hearts`.

    Args:
        settings, data_dir: by which it is wanted.
        make: puts it together; raises ConfigurationError where no broker is configured for it.
    """

    def __init__(self, settings: Settings, data_dir: Path, make: "Callable[[], Syncing]") -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._make = make
        # A configuration that cannot be is said before anything runs.
        self._syncing = make() if settings.sync is not None else None
        self._is_started = False
        self.trouble = ""
        """Why it does not begin though it is wanted."""

    def start(self) -> None:
        """Begin, if it is wanted."""
        if self._is_started or self.trouble or not is_wanted(self._settings, self._data_dir):
            return
        try:
            self._syncing = self._syncing or self._make()
        except EdgedError as error:
            self.trouble = f"nothing is synced: {error.what}"
            _LOG.error("Nothing is synced: %s", error)
            return
        self._syncing.start()
        self._is_started = True

    def __call__(self, now: Moment) -> None:  # noqa: ARG002 (what is called once a second is told the time)
        """See whether it is wanted by now."""
        self.start()

    def stop(self, timeout_s: float) -> bool:
        """Leave the broker and end; False when that took too long."""
        return not self._is_started or self._syncing is None or self._syncing.stop(timeout_s)

    def hearts(self) -> Iterator[Heart]:
        """The thread, where there is one."""
        if self._syncing is not None and self._is_started:
            yield Heart("sync", self._syncing.thread.beats, is_idle=False, patience_s=SILENT_AFTER_S)
