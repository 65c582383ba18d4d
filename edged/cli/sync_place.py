"""What the actions of `edged sync` stand on: the namespace, this node's name and secret, the daemon."""

import argparse
import os
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.groups_place import may
from edged.cli.identities_place import Place, add_place_options
from edged.cli.identities_words import warn
from edged.domain.errors import EdgedError
from edged.store.namespace_store import NamespaceStore
from edged.system.lock import holder

if TYPE_CHECKING:
    from edged.app.sync_commands import Place as Tables
    from edged.replication.keys import NodeKeys
    from edged.settings.sync import Sync

_LOOK_EVERY_S = 0.2
_WIDTH = 100
"""Of a description, which argparse prints as it is."""


def sync_action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    words: str,
    more: str,
    examples: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """Declare an action and what does it, with the options that say which namespace, whose configuration."""
    lines = "".join(f"  {line.strip()}\n" for line in examples.strip().splitlines())
    parser = actions.add_parser(
        name,
        help=words,
        description=textwrap.fill(f"{words[0].upper()}{words[1:]}. {more}".strip(), _WIDTH),
        epilog=f"examples:\n{lines}" if lines else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_place_options(parser)
    parser.set_defaults(run=run)
    return parser


def require_yes(arguments: argparse.Namespace, question: str, otherwise: str = "nothing was changed") -> None:
    """Ask unless `--yes` was said; raises EdgedError, saying that `otherwise`, where the answer is no."""
    if not arguments.yes and not may(question):
        raise EdgedError(otherwise)


class SyncPlace(Place):
    """A namespace on this node."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(arguments)
        self.config: Path = arguments.config

    @contextmanager
    def tables(self, *, may_create: bool = False) -> Iterator["Tables"]:
        """The namespace's database, to be changed."""
        with self.synced_store(may_create=may_create) as store:
            yield self._tables(store)

    @contextmanager
    def tables_of_authority(self, what: str) -> Iterator["Tables"]:
        """The same, where this node is the authority; raises EdgedError that says where `what` is done."""
        with self.store_of_authority(what) as store:
            yield self._tables(store)

    @contextmanager
    def store_of_authority(self, what: str) -> Iterator[NamespaceStore]:
        """The store, on the same condition."""
        with self.synced_store() as store:
            self._tables(store).require_authority(what)
            yield store

    def _tables(self, store: NamespaceStore) -> "Tables":
        from edged.app.sync_commands import Place as Tables

        return Tables(store.connection, self.namespace, self.clock.moment().utc_ms)

    def synced_store(self, *, may_create: bool = False) -> NamespaceStore:
        """The store; raises EdgedError where the namespace has no database."""
        if not self.is_there and not may_create:
            raise EdgedError(
                f"namespace {self.namespace} is not on this node",
                remedy="`edged sync init` makes this node its authority, `edged sync join CODE` a member; "
                "`--namespace` names another one.",
            )
        return self.writing(may_create=True)

    def require_broker(self) -> None:
        """Raise ConfigurationError where there is a configuration without a broker that could carry this."""
        from edged.app.syncing import broker_of

        if self.settings is not None:
            broker_of(self.settings)

    @property
    def is_running(self) -> bool:
        """Whether a daemon runs on the data folder."""
        return self.daemon is not None

    @property
    def daemon(self) -> int | None:
        """The number of the daemon's process; None where none runs on the data folder."""
        return holder(self.data_dir)

    def done(self, words: str) -> int:
        """Say what is on its way to be done; gives the exit code."""
        print(words)
        self.tell_without_daemon()
        return 0

    def tell_without_daemon(self) -> None:
        """Say that it takes a daemon, where none runs."""
        if not self.is_running:
            warn([f"no daemon runs on {self.data_dir}: it is done when one does (`edged run`)"])

    @property
    def max_age_ms(self) -> int | None:
        """What is older is old (`sync.max_age`); None without a configuration too."""
        settings = self.settings.sync if self.settings is not None else None
        age_s = settings.max_age if settings is not None else None
        return None if age_s is None else round(age_s * 1000)

    def device(self) -> str:
        """This node's name in topics: as the daemon says it."""
        if self.settings is not None and self.settings.device:
            return self.settings.device
        from edged.store.outbox import Outbox
        from edged.system.chance import new_id

        with closing(Outbox(self.data_dir, may_replace=False)) as outbox:
            return outbox.device_id(new_id)

    def node(self) -> str:
        """This node's name in the namespace: what it was when it joined, else the device's."""
        from edged.store.sync_records import membership

        if self.is_there:
            with self.reading() as store:
                present = membership(store.connection)
            if present is not None:
                return present.node
        return self.device()

    def keys(self, *, may_create: bool = False) -> "NodeKeys":
        """What this node signs with, its secret made where it may be; raises EdgedError without one."""
        from edged.app.sync_keys import key_path, make_seed, node_keys
        from edged.store.database import make_private
        from edged.system.chance import random_bytes

        if may_create:
            # A secret that is none is said before anything is made.
            node_keys(self.sync_settings(), self.data_dir, self.namespace)
            # The data folder itself, for its owner alone.
            make_private(self.path)
            return make_seed(self.sync_settings(), self.data_dir, self.namespace, random_bytes)
        found = node_keys(self.sync_settings(), self.data_dir, self.namespace)
        if found is None:
            raise EdgedError(
                f"this node's own secret for {self.namespace} is gone:"
                f" {key_path(self.data_dir, self.namespace)}",
                remedy="Restore it (`edged sync restore FILE`), or join again with a new invitation.",
            )
        return found

    def sync_settings(self) -> "Sync | None":
        """The section `sync`, with this node's secret for the namespace looked up."""
        settings = self.settings.sync if self.settings is not None else None
        if settings is None or not settings.keys:
            return settings
        import msgspec

        from edged.system.secrets import SecretStore

        secrets = SecretStore(self.config.absolute().parent / "secrets", os.environ)
        keys = tuple(
            msgspec.structs.replace(one, key=secrets.read(one.key.name))
            for one in settings.keys
            if one.namespace == self.namespace
        )
        return msgspec.structs.replace(settings, keys=keys)


def pause(seconds: float = _LOOK_EVERY_S) -> None:
    """Wait before looking again; Ctrl-C ends it."""
    threading.Event().wait(seconds)
