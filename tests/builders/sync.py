"""Namespaces in sync: an authority that is only its keys, a broker that does as a test wants, and nodes."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from builders.namespaces import EMBEDDER, MODEL, START_UTC_MS, HandClock, a_store, random_unit
from edged.domain.identifiers import derived_id
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync
from edged.replication.keys import NamespaceKey, NodeKeys, SigningKey, envelope_place, seal_envelope
from edged.replication.people import (
    SharedFace,
    SharedPerson,
    bucket_of,
    content_hash,
    content_of,
    page_name,
    whole_digest,
)
from edged.replication.publishing import sealed_pages
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import FIRST, Alive, Handover, Manifest, Member, name_of
from edged.replication.topics import SyncTopics
from edged.settings.sync import Sync
from edged.store.database import transaction
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_records import write_envelope
from edged.sync.participant import Connection, Participant
from edged.sync.parts import NodeParts

NAMESPACE = "home"


def a_seed(name: str) -> bytes:
    """Always the same 32 bytes for a name."""
    return page_hash(name)


def page_hash(name: str) -> bytes:
    """32 bytes of a name."""
    return bytes.fromhex(page_name(name.encode()))


def a_person(
    number: int, *, faces: int = 1, name: str | None = None, custom_id: str | None = None, looks: int = 0
) -> SharedPerson:
    """A person as pages carry them; the same number is the same person."""
    shared = [
        SharedFace(
            derived_id(f"face {number}", n),
            0.75,
            "portrait.jpg",
            START_UTC_MS,
            random_unit(1000 * number + n + looks).astype("<f4").tobytes(),
        )
        for n in range(faces)
    ]
    return SharedPerson(
        derived_id("person", number),
        f"Person {number}" if name is None else name,
        custom_id,
        START_UTC_MS,
        START_UTC_MS + looks,
        tuple(sorted(shared, key=lambda face: face.id)),
    )


@dataclass(frozen=True)
class Epoch:
    """A manifest as it is sent, with its pages by name."""

    manifest: Manifest
    payload: bytes
    pages: dict[str, bytes]

    @property
    def name(self) -> str:
        return name_of(self.payload)


@dataclass
class AnAuthority:
    """All that an authority is to others: its keys, and what it signs with them."""

    seed: str = "authority"
    namespace: str = NAMESPACE
    key: NamespaceKey = field(default_factory=lambda: NamespaceKey(page_hash("namespace key"), 1))
    model: str = MODEL

    def __post_init__(self) -> None:
        self.keys = NodeKeys(a_seed(self.seed))
        self.topics = SyncTopics("edged", self.namespace)

    @property
    def public(self) -> bytes:
        return self.keys.authority.public

    def epoch(
        self,
        number: int,
        people: Iterable[SharedPerson],
        *,
        buckets: int = 4,
        signer: SigningKey | None = None,
        **other: object,
    ) -> Epoch:
        """The epoch with exactly these people; `other` are fields of the manifest."""
        contents = {bucket: [] for bucket in range(buckets)}
        everybody = list(people)
        for person in everybody:
            contents[bucket_of(person.id, buckets)].append(person)
        entries, pages, hashes = [], {}, {}
        for bucket, inhabitants in contents.items():
            content = content_of(inhabitants)
            hashes[bucket] = content_hash(content)
            for entry, sealed in sealed_pages(self.key, self.namespace, bucket, content):
                entries.append(entry)
                pages[entry.sha256] = sealed
        manifest = Manifest(
            namespace=self.namespace,
            epoch=number,
            previous=FIRST,
            issued_at=START_UTC_MS + number,
            authority=self.public.hex(),
            writer="head",
            run="1",
            model=self.model,
            key_generation=self.key.generation,
            buckets=buckets,
            pages=tuple(entries),
            content=whole_digest(self.key, hashes, buckets),
            identities=len(everybody),
            faces=sum(len(person.faces) for person in everybody),
        )
        manifest = msgspec.structs.replace(manifest, **other)
        payload = signed(StatementKind.MANIFEST, manifest, signer or self.keys.authority)
        return Epoch(manifest, payload, pages)

    def alive(self, epoch: Epoch, at: int | None = None) -> bytes:
        body = Alive(
            namespace=self.namespace,
            epoch=epoch.manifest.epoch,
            manifest=epoch.name,
            at=epoch.manifest.issued_at if at is None else at,
        )
        return signed(StatementKind.ALIVE, body, self.keys.authority)

    def told(self, node: str, keys: NodeKeys, /, **other: object) -> bytes:
        """What the authority tells a node, with its key for it."""
        body = Member(
            namespace=self.namespace,
            node=node,
            node_key=keys.node.public.hex(),
            sealing_key=keys.sealing_public.hex(),
            authority_key=keys.authority.public.hex(),
            state="member",
            at=START_UTC_MS,
            key_generation=self.key.generation,
            envelope=self.envelope(node, keys).hex(),
        )
        return signed(StatementKind.MEMBER, msgspec.structs.replace(body, **other), self.keys.authority)

    def envelope(self, node: str, keys: NodeKeys) -> bytes:
        place = envelope_place(self.namespace, node, self.key.generation)
        return seal_envelope(self.key.secret, keys.sealing_public, place, os.urandom)

    def handover(self, heir: "AnAuthority", after_epoch: int) -> str:
        body = Handover(
            namespace=self.namespace,
            from_key=self.public.hex(),
            to_key=heir.public.hex(),
            after_epoch=after_epoch,
        )
        return signed(StatementKind.HANDOVER, body, self.keys.authority).decode()


def node_parts(
    data_dir: Path, node: str = "porch", *, settings: Sync | None = None, **other: object
) -> NodeParts:
    """What a node stands on: its database below `data_dir`, and nothing around it."""
    parts = NodeParts(
        namespace=NAMESPACE,
        node=node,
        keys=NodeKeys(a_seed(node)),
        topics=SyncTopics("edged", NAMESPACE),
        settings=settings or Sync(),
        embedder=EMBEDDER,
        run="1",
        version="1",
        open_store=lambda: a_store(data_dir, seed=node),
        chance=os.urandom,
        jitter=lambda: 0.5,
        new_id=lambda: derived_id(node, 0),
        changed=lambda: None,
        swept=lambda store: list(store.sweep()),
    )
    return replace(parts, **other)


def be_member(store: NamespaceStore, authority: AnAuthority, parts: NodeParts) -> None:
    """Have a database be a member's that has the namespace's key and no epoch yet."""
    assert parts.keys is not None
    with transaction(store.connection) as connection:
        connection.execute(
            "INSERT INTO sync_membership (only_row, role, node, authority, since_ms)"
            " VALUES (1, 'member', ?, ?, ?)",
            (parts.node, authority.public, START_UTC_MS),
        )
        write_envelope(connection, authority.key.generation, authority.envelope(parts.node, parts.keys))


class ABroker:
    """Retained messages, and one participant that reads and writes them; a test may have it lie.

    `lie` is given each message before it is delivered, and gives what is delivered instead of it.
    """

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.lie: Callable[[str, bytes], Sequence[tuple[str, bytes]]] = lambda topic, payload: [
            (topic, payload)
        ]
        self._subscribed: frozenset[str] = frozenset()

    def keep(self, epoch: Epoch, topics: SyncTopics) -> None:
        """Have an epoch, and forget pages that it does not list."""
        self.retained = {
            topic: payload for topic, payload in self.retained.items() if topics.page_of(topic) is None
        }
        self.retained |= {topics.page(name): sealed for name, sealed in epoch.pages.items()}
        self.retained[topics.manifest] = epoch.payload

    def connect(self, node: Participant, now: Moment) -> None:
        self._subscribed = frozenset()
        node.connected(Connection(), now)

    def say(self, node: Participant, topic: str, now: Moment) -> None:
        """Deliver what is kept of a topic, or what the lie makes of it."""
        if topic in self.retained:
            for told, payload in self.lie(topic, self.retained[topic]):
                if node.takes(told) and len(payload) <= node.most_payload_bytes():
                    node.arrived(told, payload, now)

    def turn(self, node: Participant, now: Moment) -> None:
        """Once around: letters out and acknowledged, subscriptions, what they bring."""
        for letter in node.turn(now):
            self.sent.append((letter.topic, letter.payload))
            if letter.is_retained:
                self.retained[letter.topic] = letter.payload
            node.acknowledged(letter.ticket, now)
        wanted = node.subscriptions()
        fresh = (wanted - self._subscribed) | (node.asks_again() & wanted)
        self._subscribed = wanted
        for topic in sorted(fresh):
            self.say(node, topic, now)

    def run(self, node: Participant, clock: HandClock, turns: int = 40, step_ms: int = 250) -> None:
        """So many turns, each after so long."""
        for _ in range(turns):
            self.turn(node, clock.moment())
            clock.ms += step_ms


class OneNode:
    """The engine of a node, at a broker that says what a test has it say; and a store to look with."""

    def __init__(self, store: NamespaceStore) -> None:
        self.clock, self.broker, self.store = HandClock(), ABroker(), store
        self.engine: Participant

    def start(self, engine: Participant) -> None:
        """Connect it."""
        self.engine = engine
        self.broker.connect(engine, self.clock.moment())

    def run(self, seconds: float) -> None:
        """So much time, in steps of 250 ms."""
        self.broker.run(self.engine, self.clock, turns=int(seconds * 4))

    def hear(self, topic: str, payload: bytes) -> None:
        """The broker keeps something, and says it at once."""
        self.broker.retained[topic] = payload
        self.broker.say(self.engine, topic, self.clock.moment())

    def publish(self, epoch: Epoch, topics: SyncTopics) -> None:
        """The broker has an epoch whole, and says its manifest."""
        self.broker.keep(epoch, topics)
        self.hear(topics.manifest, epoch.payload)

    @property
    def standing(self) -> NamespaceSync:
        return self.engine.standing(self.clock.moment())

    def close(self) -> None:
        self.engine.close()
        self.store.close()
