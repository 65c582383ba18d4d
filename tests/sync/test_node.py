"""The participant that changes its engine with the role, over a real database and engines that note."""

from collections.abc import Callable
from pathlib import Path

import pytest

from builders.namespaces import EMBEDDER, HandClock, Ids, a_new_face
from edged.domain.errors import StoreError
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.replication.keys import NodeKeys
from edged.replication.topics import SyncTopics
from edged.settings.sync import Sync
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_founding import found
from edged.sync.node import Node
from edged.sync.participant import Connection, Letter
from edged.sync.parts import NodeParts

KEYS = NodeKeys(bytes(32))


class Engine:
    """Notes what becomes of it, and gives one letter a turn."""

    def __init__(self, role: SyncRole, parts: NodeParts) -> None:
        self.namespace = parts.namespace
        self.role = role
        self.notes: list[str] = []
        self.tickets: list[int] = []
        self.fault: Exception | None = None

    def connected(self, _connection: Connection, _now: Moment) -> None:
        self.notes.append("connected")

    def disconnected(self, _now: Moment) -> None:
        self.notes.append("disconnected")

    def subscriptions(self) -> frozenset[str]:
        return frozenset({str(self.role)})

    def asks_again(self) -> frozenset[str]:
        return frozenset()

    def most_payload_bytes(self) -> int:
        return 99_000

    def takes(self, _topic: str) -> bool:
        return True

    def arrived(self, topic: str, _payload: bytes, _now: Moment) -> None:
        self.notes.append(topic)

    def turn(self, _now: Moment) -> list[Letter]:
        if self.fault is not None:
            raise self.fault
        return [Letter("a/topic", b"", is_retained=False, ticket=7)]

    def acknowledged(self, ticket: int, _now: Moment) -> None:
        self.tickets.append(ticket)

    def standing(self, _now: Moment) -> NamespaceSync:
        return NamespaceSync(self.namespace, self.role, SyncState.IN_STEP)

    def close(self) -> None:
        self.notes.append("closed")


class House:
    """A namespace's database, and the node that looks at it."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.path = namespace_path(folder, "home")
        self.keys: NodeKeys | None = KEYS
        self.engines: list[Engine] = []
        self.store = self.opened()
        self.node = Node("home", self._parts, self._engine)

    def opened(self) -> NamespaceStore:
        return NamespaceStore.open(self.path, self.clock, Ids())

    def turn(self) -> list[Letter]:
        return list(self.node.turn(self.clock.moment()))

    def later(self, ms: int) -> None:
        self.clock.ms += ms

    def write(self, act: Callable[[NamespaceStore], object]) -> None:
        with self.store.connection:
            act(self.store)

    def be_the_authority(self) -> None:
        self.write(lambda store: found(store.connection, "home", "porch", KEYS, 1, bytes))

    def be(self, role: str) -> None:
        self.write(lambda store: store.connection.execute("UPDATE sync_membership SET role = ?", (role,)))

    def _engine(self, role: SyncRole, parts: NodeParts) -> Engine:
        engine = Engine(role, parts)
        self.engines.append(engine)
        return engine

    def _parts(self) -> NodeParts:
        return NodeParts(
            namespace="home",
            node="porch",
            keys=self.keys,
            topics=SyncTopics("edged", "home"),
            settings=Sync(),
            embedder=EMBEDDER,
            run="run",
            version="1",
            open_store=self.opened,
            chance=bytes,
            jitter=lambda: 0.0,
            new_id=Ids("new"),
            changed=lambda: None,
            swept=lambda _: [],
        )


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.node.close()
    house.store.close()


def test_a_namespace_that_is_not_synced_has_no_engine_and_wants_nothing(house):
    assert house.turn() == []
    assert not house.node.is_synced
    assert house.node.subscriptions() == frozenset()
    assert house.engines == []


def test_the_engine_changes_with_the_role_and_is_told_that_the_broker_is_there(house):
    house.node.connected(Connection(), house.clock.moment())
    house.be_the_authority()
    house.turn()
    house.be("member")
    house.turn()
    first, second = house.engines
    assert (first.role, second.role) == (SyncRole.AUTHORITY, SyncRole.MEMBER)
    assert first.notes == ["connected", "closed"]
    assert second.notes == ["connected"]
    assert house.node.subscriptions() == frozenset({"member"})


def test_the_engine_stays_while_only_people_change(house):
    house.be_the_authority()
    house.turn()
    house.store.add_identity("Ada", [a_new_face()])
    house.turn()
    assert len(house.engines) == 1


def test_an_acknowledgement_for_the_engine_before_does_not_reach_the_next_one(house):
    house.be_the_authority()
    (early,) = house.turn()
    house.be("member")
    (late,) = house.turn()
    house.node.acknowledged(early.ticket, house.clock.moment())
    assert house.engines[1].tickets == []
    house.node.acknowledged(late.ticket, house.clock.moment())
    assert house.engines[1].tickets == [7]


def test_a_node_whose_own_secret_is_missing_says_so_and_goes_on_when_it_is_back(house):
    house.keys = None
    house.be_the_authority()
    assert house.turn() == []
    standing = house.node.standing(house.clock.moment())
    assert (standing.state, standing.role) == (SyncState.NO_KEY, SyncRole.AUTHORITY)
    assert "sync/NAMESPACE.key" in standing.trouble
    house.keys = KEYS
    house.later(6_000)
    house.turn()
    assert house.node.standing(house.clock.moment()).state is SyncState.IN_STEP


def test_a_fault_of_the_database_is_told_and_tried_again_after_a_rest(house):
    house.be_the_authority()
    house.turn()
    house.engines[0].fault = StoreError("the disk is full")
    assert house.turn() == []
    standing = house.node.standing(house.clock.moment())
    assert (standing.state, standing.trouble) == (SyncState.FAULTY, "the disk is full")
    assert house.node.is_synced
    assert house.turn() == []
    assert len(house.engines) == 1
    house.later(6_000)
    assert len(house.turn()) == 1
    # That nothing failed yet does not say that it is over.
    assert house.node.standing(house.clock.moment()).state is SyncState.FAULTY
    house.later(6_000)
    assert len(house.turn()) == 1
    standing = house.node.standing(house.clock.moment())
    assert (standing.state, standing.trouble) == (SyncState.IN_STEP, "")


def test_a_database_that_was_exchanged_is_opened_anew(house):
    house.be_the_authority()
    house.turn()
    house.store.close()
    house.path.unlink()
    house.store = house.opened()
    house.later(2_000)
    house.turn()
    assert not house.node.is_synced
    assert house.engines[0].notes == ["closed"]


def test_leaving_ends_the_engine(house):
    house.be_the_authority()
    house.turn()
    house.write(lambda store: store.connection.execute("DELETE FROM sync_membership"))
    house.turn()
    assert not house.node.is_synced
    assert house.engines[0].notes == ["closed"]
