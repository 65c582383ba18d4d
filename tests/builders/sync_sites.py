"""An authority and a member with databases of their own, whose embedders and keys a test chooses."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from builders.authorities import SECRET, Broker, found_at, keys_of, parts_of_node
from builders.namespaces import EMBEDDER, MODEL, HandClock, Ids
from edged.domain.embedder import EmbedderInUse
from edged.domain.sync_state import NamespaceSync
from edged.replication.people import content_of
from edged.store.database import transaction
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key
from edged.store.sync_records import shared_person
from edged.sync.authority import Authority
from edged.sync.joining import Joining
from edged.sync.member import Member
from edged.sync.participant import Participant
from edged.sync.parts import NodeParts


@dataclass(frozen=True)
class Looks:
    """What a node has of its own: its embedder, whoever embeds anew, the key of its database."""

    embedder: EmbedderInUse = EMBEDDER
    reembed: Callable[[NamespaceStore], None] | None = None
    key: Key | None = None


class Site:
    """`head` is the authority, `door` the member. A store of each is open; engines may be started anew."""

    broker_type = Broker

    def __init__(
        self, folder: Path, head: Looks | None = None, door: Looks | None = None, **terms: object
    ) -> None:
        self.folder = folder
        self.clock = HandClock()
        self.broker = self.broker_type(self.clock)
        self.terms = terms
        self._runs = 0
        self.looks = {"head": head or Looks(), "door": door or Looks()}
        self.head_engine: Participant | None = None
        self.door_engine: Participant | None = None
        self._open()
        found_at(self.parts("head"))

    def _open(self) -> None:
        self.head = self.parts("head").open_store()
        self.door = self.parts("door").open_store()

    def path(self, node: str) -> Path:
        return namespace_path(self.folder / node, "home")

    def parts(self, node: str) -> NodeParts:
        looks, self._runs = self.looks[node], self._runs + 1
        terms = self.terms if node == "head" else {}
        parts = parts_of_node(self.folder / node, node, run=str(self._runs), clock=self.clock, **terms)
        ids = Ids(f"{node} {self._runs}")
        return replace(
            parts,
            embedder=looks.embedder,
            reembed=looks.reembed,
            open_store=lambda: NamespaceStore.open(self.path(node), self.clock, ids, key=looks.key),
            swept=_swept,
        )

    def start(self) -> None:
        """Both engines."""
        self.head_engine = Authority(self.parts("head"))
        self.broker.connect(self.head_engine)
        self.door_engine = Member(self.parts("door"))
        self.broker.connect(self.door_engine)

    def join(self) -> None:
        """Start, and have the door be let in."""
        self.head_engine = Authority(self.parts("head"))
        self.broker.connect(self.head_engine)
        self.broker.run(3)
        with transaction(self.door.connection) as connection:
            connection.execute(
                "INSERT INTO sync_membership (only_row, role, node, authority, invitation,"
                " invitation_expires_ms, since_ms) VALUES (1, 'joining', 'door', ?, ?, ?, 1)",
                (keys_of("head").authority.public, SECRET, self.door.now_ms + 3_600_000),
            )
        joining = Joining(self.parts("door"))
        self.broker.connect(joining)
        self.broker.run(3)
        self.broker.disconnect(joining)
        joining.close()
        self.door_engine = Member(self.parts("door"))
        self.broker.connect(self.door_engine)
        self.broker.run(5)

    def stop(self) -> None:
        """Both engines and both stores."""
        for engine in (self.head_engine, self.door_engine):
            if engine is not None:
                self.broker.disconnect(engine)
                engine.close()
        self.head_engine = self.door_engine = None
        self.head.close()
        self.door.close()

    def again(self, **looks: Looks) -> None:
        """Start everything anew, nodes that are named with other looks."""
        self.stop()
        self.looks |= looks
        self.clock.ms += 60_000
        self._open()
        self.start()
        self.broker.run(5)

    def standing(self, node: str) -> NamespaceSync:
        engine = self.head_engine if node == "head" else self.door_engine
        assert engine is not None
        return engine.standing(self.broker.now)

    def names(self, node: str) -> list[str]:
        return sorted(each.name for each in self._store(node).identities())

    def content(self, node: str, model: str = MODEL, *, with_chips: bool = False) -> bytes:
        """Everybody as an epoch of a model would have them."""
        store = self._store(node)
        return content_of(
            shared_person(store.connection, each.id, model, with_chips=with_chips)
            for each in store.identities()
        )

    def known(self, node: str, model: str) -> dict[str, int]:
        """Who is recognised with a model, each with how many faces."""
        change = self._store(node).changes_since(0, model)
        found = () if change is None else change.changed
        return {each.identity.name: len(each.embeddings) for each in found}

    def _store(self, node: str) -> NamespaceStore:
        return self.head if node == "head" else self.door


def _swept(store: NamespaceStore) -> list[str]:
    """As a daemon does it."""
    left = list(store.swept_log())
    store.snapshots.tidy(store.connection)
    return left
