"""Nodes with a configuration, a data folder and the sync's own thread, and `edged`'s commands on them."""

import contextlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.mosquitto import Mosquitto
from builders.namespaces import a_new_face
from edged.app.bare_node import embedder_in_use
from edged.app.configuration import load
from edged.app.sync_told import SyncTeller
from edged.app.sync_watch import SyncWatch
from edged.app.syncing import SyncGround, Syncing
from edged.cli.main import main
from edged.domain.embedder import EmbedderInUse
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.settings.root import Settings
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_members import members
from edged.store.sync_records import Membership, epoch_record, membership
from edged.sync.board import SyncBoard
from edged.system.chance import new_id
from edged.system.clock import SystemClock
from edged.system.lock import FolderLock


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and the code that it ended with."""

    code: int
    out: str
    err: str


class CommandedHouse:
    """A node whose thread runs where its daemon's would, below its data folder's lock."""

    def __init__(self, folder: Path, name: str, broker: Mosquitto, **sync: Any) -> None:
        folder.mkdir()
        self.data_dir = folder / "data"
        self.data_dir.mkdir(mode=0o700)
        self.config = folder / "edged.yaml"
        self.name = name
        self.user = {"username": name, "password": "!secret broker"} if broker.users else {}
        self.broker = broker
        (folder / "secrets").mkdir(mode=0o700)
        self.keep_secret("broker", broker.users.get(name, "nothing"))
        self.board = SyncBoard()
        self._lock: FolderLock | None = None
        self._syncing: Syncing | None = None
        self.configure(**sync)

    def configure(self, *, device: str | None = None, **sync: Any) -> None:
        """Write the configuration, with these keys of `sync` besides those that make a test quick."""
        sink = {
            "type": "mqtt",
            "host": self.broker.host,
            "port": self.broker.port,
            "retry": {"first": "100 ms", "most": "300 ms"},
        }
        content = {
            "device": device or self.name,
            "data_dir": str(self.data_dir),
            "feeds": [],
            "sinks": [sink | self.user],
            "sync": {"gather": "0 s", "ask_every": "500 ms"} | sync,
        }
        # A tag of YAML has no quotes.
        text = re.sub(r'"(!secret \w+)"', r"\1", json.dumps(content))
        self.config.write_text(text, "utf-8")

    def keep_secret(self, name: str, content: str) -> None:
        """Have the configuration be able to name it."""
        path = self.config.parent / "secrets" / name
        path.write_text(content, "utf-8")
        path.chmod(0o600)

    @property
    def settings(self) -> Settings:
        return load(self.config).settings

    @property
    def model(self) -> str:
        return self.embedder.model_hash

    @property
    def embedder(self) -> EmbedderInUse:
        return embedder_in_use(self.settings, self.data_dir)

    def start(self) -> "CommandedHouse":
        """Begin, as the daemon would."""
        self._lock = FolderLock(self.data_dir)
        self._lock.__enter__()
        settings = self.settings
        ground = SyncGround(settings, self.data_dir, settings.device or "", self.embedder, SystemClock())
        self.board = SyncBoard()
        self._syncing = Syncing(ground, self.board)
        self._syncing.start()
        return self

    def stop(self) -> None:
        """End, with nothing that went wrong."""
        syncing, self._syncing = self._syncing, None
        lock, self._lock = self._lock, None
        try:
            if syncing is not None:
                assert syncing.stop(10.0)
                assert syncing.thread.failures == 0
        finally:
            if lock is not None:
                lock.__exit__(None, None, None)

    def edged(self, *words: str) -> Said:
        """What a command says, typed by nobody who could be asked."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, "--config", str(self.config)])
        return Said(code, out.getvalue(), err.getvalue())

    def sync(self, *words: str) -> Said:
        """The same of `edged sync`, which must do what it is told."""
        said = self.edged("sync", *words)
        assert said.code == 0, f"{self.name}: edged sync {' '.join(words)}: {said}"
        return said

    def status(self) -> dict[str, Any]:
        """What `edged sync status` says; the daemon has told its word before."""
        if self._syncing is not None:
            SyncWatch(self.board, SyncTeller(self.data_dir))(SystemClock().moment())
        return json.loads(self.edged("sync", "status", "--json").out)

    def store(self) -> NamespaceStore:
        return NamespaceStore.open(namespace_path(self.data_dir, "home"), SystemClock(), new_id)

    def enrol(self, name: str, *numbers: int) -> str:
        with self.store() as store:
            faces = [a_new_face(number, model=self.model) for number in numbers]
            return store.add_identity(name, faces).id

    def names(self) -> list[str]:
        with self.store() as store:
            return sorted(person.name for person in store.identities())

    def recognised(self) -> list[str]:
        """Who is in the gallery."""
        with self.store() as store:
            change = store.changes_since(0, self.model)
        found = () if change is None else change.changed
        return sorted(each.identity.name for each in found if len(each.embeddings))

    @property
    def row(self) -> Membership | None:
        with self.store() as store:
            return membership(store.connection)

    @property
    def standing(self) -> NamespaceSync | None:
        return self.board.standing("home")

    @property
    def trouble(self) -> str:
        return self.standing.trouble if self.standing else ""

    @property
    def epoch(self) -> int:
        with self.store() as store:
            record = epoch_record(store.connection)
        return record.epoch if record else 0

    def is_followed_by(self, *nodes: str) -> bool:
        """Whether these are its members, and have reported its epoch."""
        with self.store() as store:
            seen = {each.node: each.epoch for each in members(store.connection)}
        return seen == dict.fromkeys(nodes, self.epoch)

    def is_as(self, role: SyncRole, state: SyncState = SyncState.IN_STEP) -> bool:
        """Whether this is its role and how it stands."""
        return self.standing is not None and (self.standing.role, self.standing.state) == (role, state)
