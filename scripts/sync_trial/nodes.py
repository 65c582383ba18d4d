"""An authority and its members, each a process of its own, set up as the commands would."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import sync_trial  # noqa: F401 - lets the tests' bench be imported
from bench.daemon import Daemon
from bench.mosquitto import Mosquitto
from edged.app import sync_commands
from edged.app.bare_node import embedder_in_use
from edged.app.sync_keys import make_seed, node_keys
from edged.replication.invitation import Invitation
from edged.replication.keys import NodeKeys
from edged.settings.feeds import Retry
from edged.settings.quantities import Duration
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.system.chance import new_id, random_bytes
from edged.system.clock import SystemClock

NAMESPACE = "home"
CLOCK = SystemClock()


class TrialNode(Daemon):
    """A node: its folder, its configuration, its process.

    Args:
        folder: made here.
        broker: that carries the sync.
        command: `authority` of a node without cameras, `run` of one with `feeds`.
        feeds: of the configuration.
        sync: the section of the configuration; None: there is none.
    """

    def __init__(
        self,
        folder: Path,
        broker: Mosquitto,
        *,
        command: str = "authority",
        feeds: Sequence[Mapping[str, Any]] = (),
        sync: Mapping[str, Any] | None = None,
    ) -> None:
        folder.mkdir(parents=True)
        self.name = folder.name
        retry = {"first": "100 ms", "most": "1 s"}
        sink = {"type": "mqtt", "host": broker.host, "port": broker.port, "retry": retry}
        configuration = {"device": self.name, "feeds": list(feeds), "sinks": [sink]}
        super().__init__(folder, configuration | ({} if sync is None else {"sync": dict(sync)}))
        self._command = command
        self.data_dir.mkdir()
        made = MqttSink(
            host=broker.host, port=broker.port, retry=Retry(first=Duration(0.1), most=Duration(1))
        )
        self.model = embedder_in_use(Settings(feeds=(), sinks=(made,)), self.data_dir).model_hash

    def __enter__(self) -> Self:
        return self

    def start(self, *options: str, **_environment: str) -> Self:
        """Begin; does not wait for anything."""
        self._log_before = len(self.log_text())
        command = [sys.executable, "-m", "edged", self._command, "--config", str(self.config), *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self

    @property
    def path(self) -> Path:
        """The namespace's database."""
        return namespace_path(self.data_dir, NAMESPACE)

    @property
    def keys(self) -> NodeKeys:
        """Of the node's own secret."""
        found = node_keys(None, self.data_dir, NAMESPACE)
        if found is None:
            raise FileNotFoundError(self.data_dir)
        return found

    def store(self, *, read_only: bool = False) -> NamespaceStore:
        """The database, as a command opens it."""
        return NamespaceStore.open(self.path, CLOCK, new_id, read_only=read_only)

    def found(self) -> None:
        """Be the authority."""
        keys = make_seed(None, self.data_dir, NAMESPACE, random_bytes)
        with self.store() as store:
            sync_commands.init(place(store), self.name, keys, random_bytes)

    def invite(self, uses: int) -> Invitation:
        """A code for so many nodes, good for an hour."""
        with self.store() as store:
            return sync_commands.invite(place(store), random_bytes, lifetime_ms=3_600_000, uses=uses)

    def join(self, invitation: Invitation) -> None:
        """Ask to be a member, once the process runs."""
        make_seed(None, self.data_dir, NAMESPACE, random_bytes)
        with self.store() as store:
            sync_commands.begin_to_join(place(store), invitation, self.name)


def place(store: NamespaceStore) -> sync_commands.Place:
    """Where a command of `edged sync` works."""
    return sync_commands.Place(store.connection, NAMESPACE, CLOCK.moment().utc_ms)


def wait_until(holds: Callable[[], bool], timeout_s: float, every_s: float = 0.02) -> float | None:
    """After how many seconds something held; None where it did not in time."""
    begun = time.perf_counter()
    while not holds():
        if time.perf_counter() - begun > timeout_s:
            return None
        time.sleep(every_s)
    return time.perf_counter() - begun
