"""What the checks of a configured edged stand on: settings, folders, and whether the daemon runs."""

from dataclasses import dataclass
from pathlib import Path

from edged.app.absolute_paths import with_absolute_paths
from edged.app.configuration import Loaded
from edged.app.data_dir import data_dir_of
from edged.domain.errors import StoreError
from edged.domain.moment import Clock
from edged.settings.root import Settings
from edged.store.faults import is_there
from edged.store.inspection import look_at_outbox
from edged.store.namespace_files import namespaces_in
from edged.store.outbox import FILE_NAME
from edged.system.lock import holder


@dataclass(frozen=True, slots=True)
class Premises:
    """What is looked at.

    Attributes:
        settings: paths in them absolute.
        base_dir: the configuration file's folder; path: the file.
        folder: the data folder.
        clock: the time.
        daemon: process of the daemon that runs on the folder; None where none does.
        seconds: for how long feeds are measured.
        with_fsck: prove the databases whole.
    """

    settings: Settings
    path: Path
    base_dir: Path
    folder: Path
    clock: Clock
    daemon: int | None
    seconds: float
    with_fsck: bool

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those of the feeds and of the API's clients, then those that have a database all the same."""
        clients = self.settings.http.clients if self.settings.http else ()
        wanted = [feed.namespace for feed in self.settings.feeds]
        wanted += [namespace for client in clients for namespace in client.namespaces]
        return tuple(dict.fromkeys([*wanted, *namespaces_in(self.folder)]))

    @property
    def device(self) -> str | None:
        """The name of this device in topics; None where the daemon has not made one yet, or hides it."""
        if self.settings.device is not None:
            return self.settings.device
        try:
            if not is_there(self.folder / FILE_NAME):
                return None
            return look_at_outbox(self.folder / FILE_NAME, (), self.clock.moment()).device
        except StoreError:
            return None


def premises_of(loaded: Loaded, clock: Clock, *, seconds: float, with_fsck: bool) -> Premises:
    """The premises of a configuration."""
    folder = data_dir_of(loaded.settings.data_dir, loaded.base_dir)
    return Premises(
        settings=with_absolute_paths(loaded.settings, loaded.base_dir),
        path=loaded.path.absolute(),
        base_dir=loaded.base_dir,
        folder=folder,
        clock=clock,
        daemon=holder(folder),
        seconds=seconds,
        with_fsck=with_fsck,
    )
