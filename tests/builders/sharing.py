"""Nodes of one namespace that see strangers, share their groups, and talk over the honest broker."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from builders.authorities import Broker, parts_of_node
from builders.groups import a_book, a_grouped_track, an_unknown
from builders.namespaces import MODEL, HandClock, Ids
from edged.app import sync_commands
from edged.domain.group import GroupedTrack, Membership
from edged.domain.sync_state import NamespaceSync
from edged.replication.invitation import Invitation
from edged.settings.groups import Groups
from edged.store.fsck import fsck
from edged.store.group_queries import Group
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.sync.node import Node, engine_of

MINUTE_MS = 60_000


def seen_on_the_way(number: int, person: int, membership: Membership, *, at_ms: int) -> GroupedTrack:
    """What the recogniser has written down of a track that belongs to a group."""
    track = a_grouped_track(number, person, faces=1, at_ms=at_ms)
    return replace(track, membership=membership)


class Eyes:
    """The camera of a node: its recogniser's book of groups, and what writes it down."""

    def __init__(self, folder: Path, clock: HandClock, name: str, settings: Groups) -> None:
        self.folder = folder
        self.clock = clock
        self._ids = Ids(f"eyes of {name}")
        self.book = a_book()
        self.revision = -1
        self.records = GroupRecords(folder, ["home"], settings, clock, self._ids)

    def store(self) -> NamespaceStore:
        return NamespaceStore.open(namespace_path(self.folder, "home"), self.clock, self._ids)

    def look(self) -> None:
        """Take over what others did to the groups, as the daemon does within a second."""
        with self.store() as store:
            change = GroupStore(store).changes_since(self.revision, MODEL)
        if change is not None:
            self.book.apply(change)
            self.revision = change.revision

    def see(self, number: int, person: int) -> Membership | None:
        """An unknown person passes, in the track of that number; what jobs say of them."""
        self.look()
        at_ms = self.clock.ms
        track = an_unknown(number, person, at_ms=at_ms)
        self.book.assign(track)
        same = self.book.same_elsewhere(track.id)
        membership = self.book.membership(track.id)
        assert membership is not None
        news = [] if same is None else [same]
        news.append(seen_on_the_way(number, person, membership, at_ms=at_ms))
        self.records.record([("home", one) for one in news])
        return membership

    def groups(self) -> list[Group]:
        with self.store() as store:
            return GroupStore(store).groups()

    def ids(self) -> list[str]:
        return sorted(group.id for group in self.groups())

    def elsewhere(self) -> list[tuple[str, str]]:
        """(node, group) of all that others share, as it is kept here."""
        with self.store() as store:
            return store.connection.execute(
                "SELECT node, group_id FROM sync_group_elsewhere ORDER BY 1, 2"
            ).fetchall()

    def name(self, group_id: str, name: str) -> str:
        """Make a person of a group; the person's id."""
        with self.store() as store:
            groups = GroupStore(store)
            group = groups.find(group_id)
            faces = [face.number for face in groups.faces_of(group)]
            return groups.enrol(group, faces, name=name).id

    def forget(self, group_id: str) -> None:
        with self.store() as store:
            groups = GroupStore(store)
            groups.forget([groups.find(group_id)])

    def merge(self, heir: str, merged: str) -> None:
        with self.store() as store:
            groups = GroupStore(store)
            groups.merge([groups.find(heir), groups.find(merged)])


class House:
    """A node: its camera and its sync, connected to the broker."""

    def __init__(
        self,
        folder: Path,
        broker: Broker,
        name: str,
        *,
        keeps: Groups | None = Groups(),  # noqa: B008 (frozen)
        **settings: object,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.name = name
        self.folder = folder
        self.broker = broker
        self.parts = replace(
            parts_of_node(folder, name, clock=broker.clock, **({"groups": True} | settings)), groups=keeps
        )
        self.eyes = Eyes(folder, broker.clock, name, keeps or Groups())
        self.node = self._made()

    def _made(self) -> Node:
        return Node("home", lambda: self.parts, engine_of)

    def place(self, store: NamespaceStore) -> sync_commands.Place:
        return sync_commands.Place(store.connection, "home", self.broker.now.utc_ms)

    def found(self) -> None:
        with self.eyes.store() as store:
            sync_commands.init(self.place(store), self.name, self.parts.keys, self.parts.chance)

    def invite(self, uses: int = 10) -> Invitation:
        with self.eyes.store() as store:
            return sync_commands.invite(
                self.place(store), self.parts.chance, lifetime_ms=3_600_000, uses=uses
            )

    def join(self, invitation: Invitation) -> None:
        with self.eyes.store() as store:
            sync_commands.begin_to_join(self.place(store), invitation, self.name)

    def go_online(self) -> None:
        self.broker.connect(self.node)

    def go_offline(self) -> None:
        self.broker.disconnect(self.node)

    def restart(self, **settings: object) -> None:
        """Another run of the daemon, with other settings of `sync`."""
        self.go_offline()
        self.node.close()
        changed = parts_of_node(
            self.folder, self.name, run="2", clock=self.broker.clock, **({"groups": True} | settings)
        )
        self.parts = replace(changed, groups=self.parts.groups)
        self.node = self._made()
        self.go_online()

    @property
    def standing(self) -> NamespaceSync:
        return self.node.standing(self.broker.now)

    def people(self) -> list[str]:
        with self.eyes.store() as store:
            return sorted(person.name for person in store.identities())

    def findings(self) -> list[str]:
        """What fsck says of the database."""
        return fsck(namespace_path(self.folder, "home"))

    def close(self) -> None:
        self.node.close()
        self.eyes.records.close()


def houses(folder: Path, *names: str, **settings: object) -> list[House]:
    """Nodes in step, the first of them the authority; `settings` are of all."""
    broker = Broker()
    made = [House(folder / name, broker, name, **settings) for name in names]
    made[0].found()
    invitation = made[0].invite()
    for house in made[1:]:
        house.join(invitation)
    for house in made:
        house.go_online()
    for _ in range(20):
        broker.run(1)
        if all(house.standing.state == "in step" for house in made):
            break
    for house in made:
        assert house.standing.state == "in step", (house.name, house.standing)
    return made


@contextmanager
def neighbours(folder: Path, *names: str, **settings: object) -> Iterator[list[House]]:
    """`houses` that end with the block."""
    with ExitStack() as stack:
        made = houses(folder, *names, **settings)
        for house in made:
            stack.callback(house.close)
        yield made
