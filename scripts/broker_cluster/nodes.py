"""Real nodes of edged: a database, the engines, and the thread that drives them, each with its own broker."""

import hashlib
import random
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import broker_cluster  # noqa: F401 - lets the tests' builders be imported
from builders.namespaces import EMBEDDER, Ids
from edged.domain.sync_state import SyncRole
from edged.replication.keys import NodeKeys
from edged.replication.topics import SyncTopics
from edged.settings.quantities import Duration
from edged.settings.sinks import MqttSink
from edged.settings.sync import Sync
from edged.store.database import transaction
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_founding import found
from edged.store.sync_members import add_member
from edged.sync.board import SyncBoard
from edged.sync.exchange import Exchange
from edged.sync.node import Node, engine_of
from edged.sync.parts import NodeParts
from edged.sync.thread import SyncThread
from edged.system.clock import SystemClock

NAMESPACE = "home"
CLOCK = SystemClock()
SETTINGS = Sync(
    gather=Duration(0.2), ask_every=Duration(1), alive_every=Duration(5), report_every=Duration(5)
)


def keys_of(name: str) -> NodeKeys:
    """The same for the same name."""
    return NodeKeys(hashlib.sha256(name.encode()).digest())


class TrialNode:
    """A node with its own database and thread."""

    def __init__(self, folder: Path, name: str, port: int) -> None:
        self.name = name
        self._path = namespace_path(folder / name, NAMESPACE)
        self.keys = keys_of(name)
        self._ids = Ids(name)
        self.store = self._opened()
        self.board = SyncBoard()
        self._broker = MqttSink(
            id="broker", host="127.0.0.1", port=port, protocol="3.1.1", keep_alive=Duration(2)
        )
        self._thread: SyncThread | None = None

    def be_authority(self, members: list["TrialNode"]) -> None:
        """Found the namespace, with these as members."""
        with transaction(self.store.connection) as connection:
            found(connection, NAMESPACE, self.name, self.keys, 1, secrets.token_bytes)
            for each in members:
                keys = each.keys
                add_member(
                    connection, each.name, keys.node.public, keys.sealing_public, keys.authority.public, 1
                )

    def be_member(self, authority: "TrialNode") -> None:
        """Believe an authority."""
        with transaction(self.store.connection) as connection:
            connection.execute(
                "INSERT INTO sync_membership (only_row, role, node, authority, since_ms)"
                " VALUES (1, ?, ?, ?, 1)",
                (str(SyncRole.MEMBER), self.name, authority.keys.authority.public),
            )

    def start(self) -> None:
        """Have the thread go."""
        node = Node(NAMESPACE, self._parts, engine_of)
        jitter = random.SystemRandom().random
        self._thread = SyncThread(
            Exchange(self._broker, self.name, lambda: [node], self.board, CLOCK, jitter)
        )
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        if self._thread is not None:
            self._thread.stop(20)
        self.store.close()

    def names(self) -> list[str]:
        """Who is in the database, as another connection sees it."""
        with closing(sqlite3.connect(self._path)) as connection:
            return sorted(name for (name,) in connection.execute("SELECT name FROM identity"))

    def epoch(self) -> int:
        """In force; 0: none."""
        with closing(sqlite3.connect(self._path)) as connection:
            row = connection.execute("SELECT epoch FROM sync_epoch").fetchone()
        return 0 if row is None else int(row[0])

    def _opened(self) -> NamespaceStore:
        return NamespaceStore.open(self._path, CLOCK, self._ids)

    def _parts(self) -> NodeParts:
        chance = random.SystemRandom()
        return NodeParts(
            namespace=NAMESPACE,
            node=self.name,
            keys=self.keys,
            topics=SyncTopics("edged", NAMESPACE),
            settings=SETTINGS,
            embedder=EMBEDDER,
            run=self.name,
            version="trial",
            open_store=self._opened,
            chance=chance.randbytes,
            jitter=chance.random,
            new_id=self._ids,
            changed=lambda: None,
            swept=lambda store: list(store.swept_log()),
        )
