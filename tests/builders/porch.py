"""A member `porch`, and what its authority says to it."""

from pathlib import Path
from typing import Any

from builders.namespaces import HandClock, a_store
from builders.sync import ABroker, AnAuthority, Epoch, a_person, a_seed, be_member, node_parts
from edged.domain.sync_state import NamespaceSync
from edged.replication.keys import NodeKeys
from edged.sync.member import Member

PEOPLE = [a_person(n) for n in range(8)]
AUTHORITY = AnAuthority()
DAY_MS = 86_400_000
PORCH = NodeKeys(a_seed("porch"))
TOPICS = AUTHORITY.topics


def a_told(state: str = "member", **changes: object) -> bytes:
    """What `porch` is told."""
    return AUTHORITY.told("porch", PORCH, state=state, **changes)


class House:
    """A member `porch` at a broker, with an epoch 3 in force."""

    def __init__(self, folder: Path, **parts: Any) -> None:
        self.folder, self.clock, self.broker = folder, HandClock(), ABroker()
        self.parts = node_parts(folder, **parts)
        with a_store(folder) as store:
            be_member(store, AUTHORITY, self.parts)
        self.node = Member(self.parts)
        self.broker.connect(self.node, self.clock.moment())
        self.hear(AUTHORITY.epoch(3, PEOPLE))

    def hear(self, epoch: Epoch, turns: int = 20) -> None:
        """The broker has an epoch, whole, and shows its manifest."""
        self.broker.keep(epoch, TOPICS)
        self.tell(TOPICS.manifest, epoch.payload, turns)

    def tell(self, topic: str, payload: bytes, turns: int = 20) -> None:
        self.node.arrived(topic, payload, self.clock.moment())
        self.broker.run(self.node, self.clock, turns)

    @property
    def standing(self) -> NamespaceSync:
        return self.node.standing(self.clock.moment())
