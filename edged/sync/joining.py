"""A node that was invited and asks to be let in.

Nobody is believed but the key in the invitation: what the broker has else, whoever sent it, changes nothing.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from edged.domain.errors import StoreError, StoreFault
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.replication.invitation import proof_of
from edged.replication.keys import NodeKeys, envelope_place
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import MOST_BYTES, StatementKind, signed, taken_apart
from edged.replication.statements import Join, Member
from edged.store.database import transaction
from edged.store.sync_joining import become_member
from edged.store.sync_records import Membership, membership
from edged.sync.outgoing import Outgoing
from edged.sync.participant import Connection, Letter
from edged.sync.parts import NodeParts

_AGAIN_MS: Final = 3_000
_MOST_AGAIN_MS: Final = 60_000

_LOG: Final = logging.getLogger(__name__)


class Joining:
    """The participant of a namespace that this node wants to be a member of.

    Opens the database at once; raises StoreError, as later calls do: `Node` tells it.
    """

    def __init__(self, parts: NodeParts) -> None:
        if parts.keys is None:
            raise StoreError(
                f"this node's own secret for {parts.namespace} is not here", fault=StoreFault.SEALED
            )
        self.namespace = parts.namespace
        self._parts = parts
        self._keys: NodeKeys = parts.keys
        self._store = parts.open_store()
        self._outgoing = Outgoing()
        self._is_connected = False
        self._due_ms: int | None = None
        self._rest_ms = _AGAIN_MS
        self._refused: Counter[str] = Counter()
        self._trouble = ""
        self._arrived_bytes = 0
        self._is_done = False

    # --- the connection

    def connected(self, connection: Connection, now: Moment) -> None:  # noqa: ARG002
        """The broker is there: it is asked at once."""
        self._is_connected = True
        self._due_ms, self._rest_ms = now.steady_ms, _AGAIN_MS

    def disconnected(self, now: Moment) -> None:  # noqa: ARG002
        """It is gone."""
        self._is_connected = False
        self._outgoing.lose_all()

    def subscriptions(self) -> frozenset[str]:
        """What the authority tells this node."""
        return frozenset({self._topic})

    def asks_again(self) -> frozenset[str]:
        """Nothing: what is told anew comes by itself."""
        return frozenset()

    def most_payload_bytes(self) -> int:
        """A statement for this node."""
        return MOST_BYTES[StatementKind.MEMBER] + 200

    def takes(self, topic: str) -> bool:
        """Whether it is what the authority tells this node."""
        return topic == self._topic

    # --- what comes and goes

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        """Become a member where the invited authority says so."""
        self._arrived_bytes += len(payload)
        if not payload or self._is_done or not self.takes(topic):
            return
        try:
            self._take(payload, now)
        except RefusedError as error:
            if not self._refused[error.refusal]:
                _LOG.warning("%s: not taken from %s: %s", self.namespace, topic, error.words)
            self._refused[error.refusal] += 1

    def turn(self, now: Moment) -> Iterable[Letter]:
        """Ask, now and then."""
        if self._is_done or not self._is_connected or self._due_ms is None or now.steady_ms < self._due_ms:
            return self._outgoing.taken()
        row = membership(self._store.connection)
        if row is None or row.role is not SyncRole.JOINING or row.invitation is None:
            return self._outgoing.taken()
        self._due_ms = now.steady_ms + int(self._rest_ms * (1 + self._parts.jitter() / 4))
        self._rest_ms = min(self._rest_ms * 2, _MOST_AGAIN_MS)
        if row.invitation_expires_ms is not None and now.utc_ms >= row.invitation_expires_ms:
            self._tell(
                "the invitation has run out: make another one at the authority (`edged sync invite`), leave"
                " here (`edged sync leave`) and join with it"
            )
            return self._outgoing.taken()
        self._tell("")
        topic = self._parts.topics.join(self._parts.node)
        if not self._outgoing.is_under_way(topic):
            self._outgoing.post(topic, self._asking(row.invitation, now), _nothing, is_retained=False)
        return self._outgoing.taken()

    def acknowledged(self, ticket: int, now: Moment) -> None:
        """The broker has what was asked; that is no answer."""
        self._outgoing.acknowledged(ticket, now)

    def standing(self, now: Moment) -> NamespaceSync:  # noqa: ARG002
        """It waits."""
        return NamespaceSync(
            self.namespace,
            SyncRole.JOINING,
            SyncState.WAITING,
            trouble=self._trouble,
            refused=dict(self._refused),
            bytes_in=self._arrived_bytes,
            bytes_out=self._outgoing.sent_bytes,
        )

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    # --- details

    @property
    def _topic(self) -> str:
        return self._parts.topics.member(self._parts.node)

    def _asking(self, secret: bytes, now: Moment) -> bytes:
        keys = self._keys
        bare = Join(
            namespace=self.namespace,
            node=self._parts.node,
            node_key=keys.node.public.hex(),
            sealing_key=keys.sealing_public.hex(),
            authority_key=keys.authority.public.hex(),
            model=self._parts.model_hash,
            at=now.utc_ms,
            invitation=hashlib.sha256(secret).hexdigest(),
            proof="0" * 64,
        )
        join = msgspec.structs.replace(bare, proof=proof_of(secret, bare))
        return signed(StatementKind.JOIN, join, keys.node)

    def _take(self, payload: bytes, now: Moment) -> None:
        statement = taken_apart(StatementKind.MEMBER, payload)
        row = membership(self._store.connection)
        if row is None or row.role is not SyncRole.JOINING:
            return
        statement.require(row.authority)
        said = statement.body(Member)
        self._require_own(said, row)
        if said.state == "removed":
            # Of an earlier membership: the authority tells another when it has seen the invitation.
            return
        envelope = _bytes_of(said.envelope)
        place = envelope_place(self.namespace, self._parts.node, said.key_generation)
        self._keys.open_envelope(envelope, place)
        with transaction(self._store.connection) as connection:
            self._is_done = become_member(connection, row, said, envelope, now.utc_ms)
        if self._is_done:
            _LOG.info("%s: this node was let in", self.namespace)

    def _require_own(self, said: Member, row: Membership) -> None:
        if said.namespace != self.namespace:
            raise RefusedError(Refusal.OTHER_NAMESPACE, f"a statement for {said.namespace} came")
        keys = self._keys
        own = (keys.node.public.hex(), keys.sealing_public.hex(), keys.authority.public.hex())
        if said.node != row.node or (said.node_key, said.sealing_key, said.authority_key) != own:
            raise RefusedError(
                Refusal.STRANGER,
                f"the authority knows {said.node} by other keys: is there another of that name?",
            )

    def _tell(self, words: str) -> None:
        if words and words != self._trouble:
            _LOG.error("%s: %s", self.namespace, words)
        self._trouble = words


def _bytes_of(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise RefusedError(Refusal.MALFORMED, "the namespace's key that was sent cannot be read") from None


def _nothing(now: Moment) -> None:
    """Nothing is done when the broker has it."""
