"""Nodes that keep a namespace the same over a real broker, each with its thread and its database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, eventually
from builders.namespaces import EMBEDDER, MODEL, a_new_face
from edged.app import sync_commands
from edged.app.sync_keys import make_seed, node_keys
from edged.app.syncing import SyncGround, Syncing
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.replication.keys import NamespaceKey, envelope_place
from edged.replication.people import content_hash, content_of, whole_digest
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest
from edged.settings.feeds import Retry
from edged.settings.quantities import Duration
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.settings.sync import Sync
from edged.store.database import reading
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_members import members
from edged.store.sync_records import envelopes, epoch_record, ids_in_buckets, shared_person
from edged.sync.board import SyncBoard
from edged.system.chance import new_id, random_bytes
from edged.system.clock import SystemClock

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

MONTH_MS = 30 * 24 * 3600 * 1000


class LeapingClock:
    """The system's clock, a while ahead."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        self._system = SystemClock()

    def moment(self) -> Moment:
        now = self._system.moment()
        return Moment(steady_ms=now.steady_ms + self.ahead_ms, utc_ms=now.utc_ms + self.ahead_ms)


class House:
    """A node: its data folder, its thread."""

    def __init__(
        self, folder: Path, name: str, broker: Mosquitto, protocol: str, clock: LeapingClock
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.name = name
        self.clock = clock
        self.board = SyncBoard()
        sink = MqttSink(
            host=broker.host,
            port=broker.port,
            protocol=protocol,
            retry=Retry(first=Duration(0.1), most=Duration(0.3)),
        )
        sync = Sync(gather=Duration(0.1), ask_every=Duration(0.5))
        self.settings = Settings(feeds=(), sinks=(sink,), sync=sync)
        self.syncing: Syncing | None = None

    def start(self) -> None:
        ground = SyncGround(self.settings, self.folder, self.name, EMBEDDER, self.clock)
        self.syncing = Syncing(ground, self.board)
        self.syncing.start()

    def stop(self) -> None:
        syncing, self.syncing = self.syncing, None
        if syncing is not None:
            assert syncing.stop(10.0)
            assert syncing.thread.failures == 0

    def store(self) -> NamespaceStore:
        return NamespaceStore.open(namespace_path(self.folder, "home"), self.clock, new_id)

    def place(self, store: NamespaceStore) -> sync_commands.Place:
        return sync_commands.Place(store.connection, "home", self.clock.moment().utc_ms)

    def found(self) -> None:
        keys = make_seed(self.settings.sync, self.folder, "home", random_bytes)
        with self.store() as store:
            sync_commands.init(self.place(store), self.name, keys, random_bytes)

    def invite(self, uses: int) -> sync_commands.Invitation:
        with self.store() as store:
            return sync_commands.invite(self.place(store), random_bytes, lifetime_ms=600_000, uses=uses)

    def join(self, invitation: sync_commands.Invitation) -> None:
        make_seed(self.settings.sync, self.folder, "home", random_bytes)
        with self.store() as store:
            sync_commands.begin_to_join(self.place(store), invitation, self.name)

    def enrol(self, name: str, *numbers: int) -> str:
        with self.store() as store:
            return store.add_identity(name, [a_new_face(number) for number in numbers]).id

    def names(self) -> list[str]:
        with self.store() as store:
            return sorted(person.name for person in store.identities())

    @property
    def standing(self) -> NamespaceSync | None:
        return self.board.standing("home")

    @property
    def epoch(self) -> int:
        return self.standing.epoch if self.standing else 0

    @property
    def swept_epoch(self) -> int:
        with self.store() as store:
            record = epoch_record(store.connection)
        return record.swept_epoch if record else 0

    def is_member(self) -> bool:
        return self.standing is not None and self.standing.role is SyncRole.MEMBER

    def digests(self) -> tuple[str, str]:
        """The manifest's hash of the content, and the one of what is in the tables."""
        keys = node_keys(self.settings.sync, self.folder, "home")
        assert keys is not None
        with self.store() as store, reading(store.connection):
            record = epoch_record(store.connection)
            assert record is not None
            manifest = taken_apart(StatementKind.MANIFEST, record.manifest).body(Manifest)
            envelope = dict(envelopes(store.connection))[manifest.key_generation]
            place = envelope_place("home", self.name, manifest.key_generation)
            key = NamespaceKey(keys.open_envelope(envelope, place), manifest.key_generation)
            found = ids_in_buckets(store.connection, manifest.buckets, range(manifest.buckets))
            hashes = {
                bucket: content_hash(
                    content_of(shared_person(store.connection, each, MODEL, with_chips=False) for each in ids)
                )
                for bucket, ids in found.items()
            }
        return manifest.content, whole_digest(key, hashes, manifest.buckets)


@pytest.fixture
def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture
def houses(request, tmp_path, clock) -> Iterator[tuple[Mosquitto, list[House]]]:
    """An authority and two members, in step."""
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(persistence=False))
        trio = [
            House(tmp_path / name, name, broker, request.param, clock) for name in ("attic", "barn", "cellar")
        ]
        for house in trio:
            stack.callback(house.stop)
        attic, barn, cellar = trio
        attic.found()
        invitation = attic.invite(2)
        barn.join(invitation)
        cellar.join(invitation)
        attic.start()
        # What asks to join before anybody listens asks again only seconds later.
        eventually(lambda: attic.epoch > 0, "the authority to publish")
        barn.start()
        cellar.start()
        eventually(lambda: barn.is_member() and cellar.is_member(), "both to be members")
        yield broker, trio


def converged(houses: list[House], condition: Callable[[House], bool], what: str) -> None:
    eventually(lambda: all(condition(house) for house in houses), what)
    eventually(lambda: len({house.epoch for house in houses}) == 1, f"one epoch, with {what}")
    # Who proposed keeps its own version until it has the answer.
    for house in houses:
        eventually(
            lambda house=house: len(set(house.digests())) == 1, f"{house.name} to hold what is published"
        )


@pytest.mark.parametrize("houses", ["5", "3.1.1"], indirect=True)
def test_people_are_enrolled_renamed_proposed_and_erased_everywhere(houses):
    _, (attic, barn, cellar) = houses
    trio = [attic, barn, cellar]
    ada = attic.enrol("Ada", 1, 2)
    attic.enrol("Bob", 3)
    converged(trio, lambda house: house.names() == ["Ada", "Bob"], "two people")

    with attic.store() as store:
        store.rename(ada, "Ada Lovelace")
    converged(trio, lambda house: house.names() == ["Ada Lovelace", "Bob"], "another name")

    barn.enrol("Cy", 4)
    converged(trio, lambda house: house.names() == ["Ada Lovelace", "Bob", "Cy"], "the proposal of a member")

    with attic.store() as store:
        store.remove([ada])
    converged(trio, lambda house: house.names() == ["Bob", "Cy"], "somebody forgotten")

    def has_receipts() -> bool:
        with attic.store() as store:
            record = epoch_record(store.connection)
            assert record is not None
            told = {each.node: each.swept_epoch for each in members(store.connection)}
        return all(told[name] >= record.erased_epoch > 0 for name in ("barn", "cellar"))

    eventually(has_receipts, "a receipt of each member")


@pytest.mark.parametrize("houses", ["5"], indirect=True)
def test_a_node_that_was_away_for_a_month_is_in_step_after_one_connection(houses, clock):
    _, (attic, barn, cellar) = houses
    first = attic.enrol("Person 0", 1)
    converged([attic, barn, cellar], lambda house: len(house.names()) == 1, "one person")
    cellar.stop()
    for number in range(1, 5):
        before = attic.epoch
        attic.enrol(f"Person {number}", number + 1)
        clock.ahead_ms += MONTH_MS // 4
        eventually(lambda before=before: attic.epoch > before, "another epoch")
    with attic.store() as store:
        store.remove([first])
    converged([attic, barn], lambda house: len(house.names()) == 4, "those who are there")
    cellar.start()
    converged([attic, barn, cellar], lambda house: len(house.names()) == 4, "all three")
    assert "Person 0" not in cellar.names()


@pytest.mark.parametrize("houses", ["3.1.1"], indirect=True)
def test_a_broker_that_forgot_everything_is_given_it_again(houses):
    broker, (attic, barn, cellar) = houses
    attic.enrol("Ada", 1)
    converged([attic, barn, cellar], lambda house: house.names() == ["Ada"], "one person")
    barn.stop()
    broker.stop()
    attic.enrol("Bob", 2)
    broker.start()
    converged([attic, cellar], lambda house: house.names() == ["Ada", "Bob"], "what came meanwhile")
    barn.start()
    converged([attic, barn, cellar], lambda house: house.names() == ["Ada", "Bob"], "the one that was away")
    eventually(
        lambda: all(house.standing.state is SyncState.IN_STEP for house in (attic, barn, cellar)),
        "all to be in step",
    )
