"""Houses at one broker, as a daemon has each, with the commands on their databases; by a hand-moved clock."""

import sqlite3
from contextlib import closing
from pathlib import Path

from builders.authorities import Broker, parts_of_node
from builders.namespaces import a_new_face
from edged.app import sync_commands
from edged.domain.sync_state import SyncRole, SyncState
from edged.store.namespace_files import namespace_path
from edged.store.sync_records import Membership, epoch_record, membership
from edged.sync.node import Node, engine_of

CHANCE = bytes(range(1, 256)) * 2


class House:
    """A node as a daemon has it, and the commands on its database."""

    def __init__(self, folder: Path, broker: Broker, name: str, *, run: str = "1", **sync: object) -> None:
        self.folder = folder
        self.broker = broker
        self.name = name
        self.parts = parts_of_node(folder, name, run=run, clock=broker.clock, **sync)
        self.store = self.parts.open_store()
        self.node: Node | None = None
        self._chance = 0

    def start(self) -> "House":
        self.node = Node("home", lambda: self.parts, engine_of)
        self.broker.connect(self.node)
        self.broker.run(3)
        return self

    def stop(self) -> None:
        node, self.node = self.node, None
        if node is not None:
            self.broker.disconnect(node)
            node.close()

    def close(self) -> None:
        self.stop()
        self.store.close()

    @property
    def place(self) -> sync_commands.Place:
        return sync_commands.Place(self.store.connection, "home", self.broker.now.utc_ms)

    @property
    def row(self) -> Membership | None:
        return membership(self.store.connection)

    @property
    def epoch(self) -> int:
        record = epoch_record(self.store.connection)
        return record.epoch if record else 0

    @property
    def names(self) -> list[str]:
        return sorted(each.name for each in self.store.identities())

    def chance(self, size: int) -> bytes:
        self._chance += 1
        return CHANCE[self._chance : self._chance + size]

    def init(self, *, is_anew: bool = False) -> None:
        assert self.parts.keys is not None
        sync_commands.init(self.place, self.name, self.parts.keys, self.chance, is_anew=is_anew)

    def invite(self, uses: int = 1) -> sync_commands.Invitation:
        return sync_commands.invite(self.place, self.chance, lifetime_ms=3_600_000, uses=uses)

    def join(self, invitation: sync_commands.Invitation) -> None:
        sync_commands.begin_to_join(self.place, invitation, self.name)

    def enrol(self, name: str, number: int) -> str:
        return self.store.add_identity(name, [a_new_face(number)]).id

    def how(self) -> tuple[SyncRole, SyncState]:
        assert self.node is not None
        standing = self.node.standing(self.broker.now)
        return standing.role, standing.state

    @property
    def trouble(self) -> str:
        assert self.node is not None
        return self.node.standing(self.broker.now).trouble


class Village:
    """Houses at one broker; `attic` is the authority, `barn` and `cellar` follow it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Broker()
        self.houses: list[House] = []
        self.attic = self.house("attic")
        self.attic.init()
        self.attic.start()
        self.barn, self.cellar = self.house("barn"), self.house("cellar")
        invitation = self.attic.invite(uses=2)
        for each in (self.barn, self.cellar):
            each.join(invitation)
            each.start()
        self.attic.enrol("Ada", 1)
        self.broker.run(5)

    def house(self, name: str, folder: str | None = None, **looks: object) -> House:
        made = House(self.folder / (folder or name), self.broker, name, **looks)
        self.houses.append(made)
        return made

    def copied(self, house: House, folder: str) -> House:
        """The same node on another machine, with its database of now."""
        there = namespace_path(self.folder / folder, "home")
        there.parent.mkdir(parents=True)
        path = namespace_path(house.folder, "home")
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(there)) as copy:
            source.backup(copy)
        return self.house(house.name, folder, run=folder)

    def close(self) -> None:
        for each in self.houses:
            each.close()
