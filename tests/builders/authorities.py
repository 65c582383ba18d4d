"""Authorities, nodes that want in, and an honest broker, all in one thread and by a hand-moved clock."""

import base64
import hashlib
import random
from pathlib import Path

import msgspec

from builders.namespaces import EMBEDDER, MODEL, HandClock, Ids
from edged.domain.moment import Moment
from edged.replication.invitation import proof_of
from edged.replication.keys import NamespaceKey, NodeKeys, envelope_place
from edged.replication.people import page_place, people_of
from edged.replication.statement import StatementKind, signed, taken_apart
from edged.replication.statements import (
    FIRST,
    Join,
    Manifest,
    Member,
    Proposal,
    Report,
    name_of,
    proposal_place,
)
from edged.replication.topics import SyncTopics
from edged.settings.sync import Sync
from edged.store.database import transaction
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_founding import found
from edged.store.sync_members import add_invitation
from edged.sync.authority import Authority
from edged.sync.participant import Connection
from edged.sync.parts import NodeParts

TOPICS = SyncTopics("edged", "home")
SECRET = bytes(range(16))


def keys_of(node: str) -> NodeKeys:
    return NodeKeys(hashlib.sha256(node.encode()).digest())


def parts_of_node(
    data_dir: Path, node: str = "head", *, run: str = "1", clock: HandClock | None = None, **settings
) -> NodeParts:
    """A node whose database is below a folder; the same node has the same keys."""
    chance = random.Random(f"{node} {run}")
    clock = clock or HandClock()
    ids = Ids(f"{node} {run}")
    return NodeParts(
        namespace="home",
        node=node,
        keys=keys_of(node),
        topics=TOPICS,
        settings=Sync(**settings),
        embedder=EMBEDDER,
        run=run,
        version="1.0",
        open_store=lambda: NamespaceStore.open(namespace_path(data_dir, "home"), clock, ids),
        chance=chance.randbytes,
        jitter=lambda: 0.5,
        new_id=ids,
        changed=lambda: None,
        swept=lambda store: list(store.swept_log()),
    )


def found_at(parts: NodeParts) -> None:
    """Have a node be the authority, with an invitation out."""
    with parts.open_store() as store, transaction(store.connection) as connection:
        now_ms = store.now_ms
        found(connection, "home", parts.node, parts.keys, now_ms, parts.chance)
        add_invitation(connection, SECRET, now_ms + 3_600_000, 100)


class Broker:
    """Keeps what is retained, gives everybody what they read, acknowledges all; `log`: what came."""

    def __init__(self, clock: HandClock | None = None) -> None:
        self.clock = clock or HandClock()
        self.retained: dict[str, bytes] = {}
        self.log: list[tuple[str, bytes]] = []
        self._read: dict[object, frozenset[str]] = {}

    @property
    def now(self) -> Moment:
        return self.clock.moment()

    def connect(self, participant, connection: Connection | None = None) -> None:
        self._read[participant] = frozenset()
        participant.connected(connection or Connection(), self.now)

    def disconnect(self, participant) -> None:
        del self._read[participant]
        participant.disconnected(self.now)

    def publish(self, topic: str, payload: bytes, *, is_retained: bool = True) -> None:
        self.log.append((topic, payload))
        if is_retained:
            self.retained[topic] = payload
            if not payload:
                del self.retained[topic]
        for participant, filters in list(self._read.items()):
            if any(_matches(each, topic) for each in filters):
                participant.arrived(topic, payload, self.now)

    def turn(self) -> int:
        """One turn of everybody; returns how many letters went out."""
        count = 0
        for participant in list(self._read):
            wanted = participant.subscriptions()
            fresh = (wanted - self._read[participant]) | participant.asks_again()
            self._read[participant] = wanted
            for topic, payload in list(self.retained.items()):
                if any(_matches(each, topic) for each in fresh):
                    participant.arrived(topic, payload, self.now)
            for letter in participant.turn(self.now):
                count += 1
                self.publish(letter.topic, letter.payload, is_retained=letter.is_retained)
                participant.acknowledged(letter.ticket, self.now)
        return count

    def run(self, seconds: float = 5) -> None:
        """So much time, in steps of 250 ms."""
        for _ in range(int(seconds * 4)):
            self.turn()
            self.clock.ms += 250

    @property
    def manifest(self) -> Manifest:
        statement = taken_apart(StatementKind.MANIFEST, self.retained[TOPICS.manifest])
        return statement.body(Manifest)

    def member(self, node: str) -> Member:
        return taken_apart(StatementKind.MEMBER, self.retained[TOPICS.member(node)]).body(Member)

    def key_for(self, node: str) -> NamespaceKey:
        said = self.member(node)
        place = envelope_place("home", node, said.key_generation)
        secret = keys_of(node).open_envelope(bytes.fromhex(said.envelope), place)
        return NamespaceKey(secret, said.key_generation)

    def names(self, node: str) -> list[str]:
        """Who is in the pages that the manifest lists, as a member would read them: with every check."""
        manifest, key = self.manifest, self.key_for(node)
        contents: dict[int, bytes] = {}
        for entry in manifest.pages:
            sealed = self.retained[TOPICS.page(entry.sha256)]
            assert hashlib.sha256(sealed).hexdigest() == entry.sha256
            assert len(sealed) == entry.bytes
            plain = key.open(sealed, page_place("home", entry.bucket, entry.part))
            contents[entry.bucket] = contents.get(entry.bucket, b"") + plain
        hashes = b"".join(hashlib.sha256(contents[each]).digest() for each in range(manifest.buckets))
        assert key.digest(hashes).hex() == manifest.content
        return sorted(person.name for content in contents.values() for person in people_of(content))


def _matches(wanted: str, topic: str) -> bool:
    levels, there = wanted.split("/"), topic.split("/")
    return len(levels) == len(there) and all(
        each in {"+", other} for each, other in zip(levels, there, strict=True)
    )


def a_join(
    node: str, /, *, secret: bytes = SECRET, at_ms: int = 1, by: str | None = None, **changes: str
) -> bytes:
    """What a node with an invitation asks; `changes` are of what it says, `by` another one signs it."""
    keys = keys_of(node)
    join = Join(
        namespace="home",
        node=node,
        node_key=keys.node.public.hex(),
        sealing_key=keys.sealing_public.hex(),
        authority_key=keys.authority.public.hex(),
        model=MODEL,
        at=at_ms,
        invitation=hashlib.sha256(secret).hexdigest(),
        proof=FIRST,
    )
    join = msgspec.structs.replace(join, **changes)
    join = msgspec.structs.replace(join, proof=proof_of(secret, join))
    return signed(StatementKind.JOIN, join, keys_of(by or node).node)


def a_report(broker: Broker, node: str, **changes) -> bytes:
    """That a node has applied what the broker has, unless it is said otherwise."""
    payload = broker.retained[TOPICS.manifest]
    said = {
        "namespace": "home",
        "node": node,
        "epoch": broker.manifest.epoch,
        "manifest": name_of(payload),
        "swept_epoch": broker.manifest.epoch,
        "at": broker.now.utc_ms,
        "state": "in step",
    } | changes
    return signed(StatementKind.REPORT, Report(**said), keys_of(node).node)


def a_proposal(
    broker: Broker, node: str, content: bytes, number: int = 1, *, by: str | None = None, **changes
) -> bytes:
    """Something that a node seals for the authority, as it would a `Wanted`; `by` another one signs it."""
    key = broker.key_for(node)
    place = proposal_place("home", node, number, keys_of("head").authority.public, broker.manifest.handovers)
    said = {
        "namespace": "home",
        "node": node,
        "number": number,
        "at": broker.now.utc_ms,
        "key_generation": key.generation,
        "sealed": base64.b64encode(key.seal(content, place)).decode(),
        "token": f"{number:032x}"[-32:],
    } | changes
    return signed(StatementKind.PROPOSAL, Proposal(**said), keys_of(by or node).node)


def an_authority(data_dir: Path, broker: Broker, **settings) -> Authority:
    """A founded authority, connected."""
    parts = parts_of_node(data_dir, clock=broker.clock, **settings)
    found_at(parts)
    authority = Authority(parts)
    broker.connect(authority)
    return authority
