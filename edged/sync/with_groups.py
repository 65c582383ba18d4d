"""A node's role with the sharing of groups of unknown people beside it.

The sharing has a connection of its own to the database and what is read there is all that it knows of the
role, so that neither holds the other up: a fault of the one is none of the other's.
"""

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from edged.domain.errors import EdgedError
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, SyncRole
from edged.replication.keys import NamespaceKey, envelope_place
from edged.replication.refusal import RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest
from edged.replication.topics import GROUPS
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_records import EpochRecord, Membership, envelopes, epoch_record, membership
from edged.sync.database_fault import DatabaseFault
from edged.sync.group_counts import GroupCounts
from edged.sync.outgoing import Outgoing
from edged.sync.participant import Connection, Letter, Participant
from edged.sync.parts import NodeParts

if TYPE_CHECKING:
    from edged.sync.group_sharing import GroupSharing

_LOG: Final = logging.getLogger(__name__)


class WithGroups:
    """A `Participant`: a role that shares groups where the namespace does it.

    Where that ends, what this node shared is taken back, and what it got is deleted.
    """

    def __init__(self, role: Participant, parts: NodeParts) -> None:
        self.namespace = role.namespace
        self._role = role
        self._parts = parts
        self._outgoing = Outgoing()
        self._connection: Connection | None = None
        self._store: NamespaceStore | None = None
        self._sharing: GroupSharing | None = None
        self._version = -1
        self._membership: Membership | None = None
        self._record: EpochRecord | None = None
        self._manifest: Manifest | None = None
        self._key: NamespaceKey | None = None
        self._is_on = False
        self._is_over = False
        self._refused: Counter[str] = Counter()
        self._bytes_in = 0
        self._fault = DatabaseFault(f"Namespace {role.namespace}: groups are not shared")
        self._tickets: dict[int, tuple[bool, int]] = {}
        self._last_ticket = 0

    # --- the connection

    def connected(self, connection: Connection, now: Moment) -> None:
        """The broker is there."""
        self._connection = connection
        if self._sharing is not None:
            self._sharing.reconnected()
        self._role.connected(connection, now)

    def disconnected(self, now: Moment) -> None:
        """It is gone."""
        self._connection = None
        self._outgoing.lose_all()
        self._tickets.clear()
        self._role.disconnected(now)

    def subscriptions(self) -> frozenset[str]:
        """The role's, and the groups of every node while they are shared."""
        return self._role.subscriptions() | self._own_subscriptions()

    def asks_again(self) -> frozenset[str]:
        """The same, of what could not be taken when it came."""
        again = self._role.asks_again()
        # Not while the database is left alone: what came would find no room again, and be asked for again.
        if self._sharing is not None and not self._fault.is_resting and self._sharing.asks_again():
            again |= self._own_subscriptions()
        return again

    def most_payload_bytes(self) -> int:
        """The role's: manifests are larger than groups."""
        return self._role.most_payload_bytes()

    def takes(self, topic: str) -> bool:
        """Whether a message is for the role, or is groups and they are shared."""
        return self._node_of(topic) is not None or self._role.takes(topic)

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        """Something came. Groups are taken in at the next turn."""
        node = self._node_of(topic)
        if node is None:
            self._role.arrived(topic, payload, now)
        elif self._sharing is not None and self._is_on:
            self._bytes_in += len(payload)
            self._sharing.came(node, payload)

    def acknowledged(self, ticket: int, now: Moment) -> None:
        """The broker has a letter."""
        is_groups, own = self._tickets.pop(ticket, (True, 0))
        (self._outgoing if is_groups else self._role).acknowledged(own, now)

    def _own_subscriptions(self) -> frozenset[str]:
        return frozenset({self._parts.topics.of_all_nodes(GROUPS)}) if self._is_on else frozenset()

    def _node_of(self, topic: str) -> str | None:
        found = self._parts.topics.node_of(topic)
        return found[0] if found is not None and found[1] == GROUPS else None

    # --- what is due

    def turn(self, now: Moment) -> Iterable[Letter]:
        """Groups before the role: a node that leaves takes them back before its last word."""
        self._share(now)
        letters = [self._numbered(letter, is_groups=True) for letter in self._outgoing.taken()]
        return letters + [self._numbered(letter, is_groups=False) for letter in self._role.turn(now)]

    def _numbered(self, letter: Letter, *, is_groups: bool) -> Letter:
        self._last_ticket += 1
        self._tickets[self._last_ticket] = is_groups, letter.ticket
        return replace(letter, ticket=self._last_ticket)

    def _share(self, now: Moment) -> None:
        if self._fault.rests(now):
            return
        try:
            store = self._opened()
            self._look(store)
            if self._is_on and self._key is not None:
                self._made().turn(store, now, self._key, self._connection)
            elif not self._is_on and not self._is_over:
                self._is_over = self._made().end(store, now, self._connection)
                self._sharing = None if self._is_over else self._sharing
        except (EdgedError, sqlite3.Error) as error:
            self._failed(error, now)

    def _look(self, store: NamespaceStore) -> None:
        """See whether groups are shared, and with which key."""
        ((version,),) = store.connection.execute("PRAGMA data_version")
        if version == self._version:
            return
        self._version = version
        self._membership, record = membership(store.connection), epoch_record(store.connection)
        if record is None or self._record is None or record.manifest != self._record.manifest:
            self._record, self._manifest = record, None if record is None else _manifest_of(record)
        self._is_on = self._is_shared()
        self._is_over = self._is_over and not self._is_on
        self._key = self._key_in_use(store.connection) if self._is_on else None

    def _is_shared(self) -> bool:
        present, manifest = self._membership, self._manifest
        if present is None or present.role not in {SyncRole.AUTHORITY, SyncRole.MEMBER}:
            return False
        is_here = self._parts.wants_groups and not present.is_leaving
        return is_here and manifest is not None and manifest.shares_groups

    def _key_in_use(self, connection: sqlite3.Connection) -> NamespaceKey | None:
        """The namespace's key that the epoch in force is sealed with; None while it is not here."""
        keys, manifest = self._parts.keys, self._manifest
        if keys is None or manifest is None:
            return None
        generation = manifest.key_generation
        if self._key is not None and self._key.generation == generation:
            return self._key
        envelope = envelopes(connection).get(generation, b"")
        try:
            secret = keys.open_envelope(
                envelope, envelope_place(self.namespace, self._parts.node, generation)
            )
        except RefusedError:
            return None
        return NamespaceKey(secret, generation)

    def _opened(self) -> NamespaceStore:
        if self._store is None:
            self._store, self._version = self._parts.open_store(), -1
            if self._sharing is not None:
                self._sharing.reopened()
        return self._store

    def _made(self) -> "GroupSharing":
        if self._sharing is None:
            from edged.sync.group_sharing import GroupSharing  # noqa: PLC0415 (of those who share)

            self._sharing = GroupSharing(self._parts, self._outgoing, self._refuse)
        return self._sharing

    def _refuse(self, error: RefusedError) -> None:
        if not self._refused[error.refusal]:
            _LOG.warning("Namespace %s: groups were not taken: %s", self.namespace, error.words)
        self._refused[error.refusal] += 1

    def _failed(self, error: Exception, now: Moment) -> None:
        self._fault.failed(error, now, None if self._store is None else self._store.path)
        self._let_go()

    # --- how it is doing

    def standing(self, now: Moment) -> NamespaceSync:
        """The role's, with what was done for groups."""
        standing = self._role.standing(now)
        counts = self._sharing.counts if self._sharing is not None and self._is_on else GroupCounts()
        words = self._fault.words
        trouble = f"groups of unknown people are not shared for now: {words}" if words else ""
        return replace(
            standing,
            refused=dict(Counter(standing.refused) + self._refused),
            bytes_in=standing.bytes_in + self._bytes_in,
            bytes_out=standing.bytes_out + self._outgoing.sent_bytes,
            trouble="; ".join(each for each in (standing.trouble, trouble) if each),
            groups_shared=counts.shared,
            groups_left_out=counts.left_out,
            groups_elsewhere=counts.elsewhere,
        )

    def close(self) -> None:
        """Let go of the database."""
        try:
            self._let_go()
        finally:
            self._role.close()

    def _let_go(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()


def _manifest_of(record: EpochRecord) -> Manifest | None:
    """What the manifest in force says; None where it cannot be read, which the role tells."""
    try:
        return taken_apart(StatementKind.MANIFEST, record.manifest).body(Manifest)
    except RefusedError:
        return None
