"""Which namespace's database a command is about, and its opening."""

import argparse
from pathlib import Path

from edged.app.absolute_paths import with_absolute_paths
from edged.app.configuration import load
from edged.app.data_dir import data_dir_of
from edged.cli.config_option import DEFAULT_PATH, add_config_option, add_data_dir_option
from edged.domain.errors import IdentityError, StoreError
from edged.settings.root import Settings
from edged.store.faults import is_there
from edged.store.namespace_files import namespace_path, namespaces_in
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key
from edged.system.chance import new_id
from edged.system.clock import SystemClock


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser the options that say where the people are."""
    parser.add_argument("--namespace", default="home", metavar="NS", help="whose people (default: home)")
    add_config_option(parser)
    add_data_dir_option(parser)


class Place:
    """A namespace's database, as the command line names it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.settings: Settings | None = None
        self.key: Key | None = None
        self.clock = SystemClock()
        configured, base_dir = arguments.data_dir, Path.cwd()
        # Without a configuration the defaults will do; one that is named, or there, must be right.
        if arguments.config != DEFAULT_PATH or arguments.config.exists():
            loaded = load(arguments.config, with_secrets=False)
            self.settings = with_absolute_paths(loaded.settings, loaded.base_dir)
            from edged.app.encryption import key_for_command

            self.key = key_for_command(loaded)
            if configured is None:
                configured, base_dir = loaded.settings.data_dir, loaded.base_dir
        self.namespace: str = arguments.namespace
        self.data_dir = data_dir_of(configured, base_dir)
        self.path = namespace_path(self.data_dir, self.namespace)

    @property
    def is_there(self) -> bool:
        """Whether the namespace has a database yet."""
        return is_there(self.path)

    def reading(self) -> NamespaceStore:
        """The store, only to read; raises IdentityError where there is none."""
        if not self.is_there:
            raise IdentityError(f"nobody is enrolled in namespace {self.namespace}", remedy=self.advice())
        return NamespaceStore.open(self.path, self.clock, new_id, read_only=True, key=self.key)

    def writing(self, *, may_create: bool = False) -> NamespaceStore:
        """The store, to change it."""
        if not self.is_there and not may_create:
            return self.reading()
        return NamespaceStore.open(self.path, self.clock, new_id, key=self.key)

    def finish(self, store: NamespaceStore) -> list[str]:
        """After a change: a snapshot, where one is due; returns what could not be done, in words."""
        try:
            utc_ms = self.clock.moment().utc_ms
            if store.snapshots.is_due(store.connection, utc_ms):
                store.snapshots.take(store.connection, utc_ms)
        except StoreError as error:
            return [f"no snapshot was made: {error.what}"]
        return []

    def advice(self) -> str:
        """Where somebody might be enrolled instead."""
        others = [name for name in namespaces_in(self.data_dir) if name != self.namespace]
        if others:
            return f"{self.data_dir} has these namespaces: {', '.join(others)}. `--namespace` chooses one."
        where = "" if self.is_there else f"{self.path} is not there. "
        return f"{where}`edged identities add` enrols; `--data-dir` names another folder."
