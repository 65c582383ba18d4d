"""What the authority does with what members propose."""

import base64
import binascii
import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from edged.domain.moment import Moment
from edged.replication.budget import Budget
from edged.replication.keys import NamespaceKey, envelope_place
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Answer, Proposal, Wanted, proposal_place
from edged.store.database import transaction
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_decisions import Offer, answers, decide
from edged.store.sync_members import MemberRecord
from edged.store.sync_records import envelopes
from edged.store.sync_wanted import Outcome, is_id
from edged.sync.parts import NodeParts

_LOG: Final = logging.getLogger(__name__)
_WANTED: Final = msgspec.msgpack.Decoder(Wanted)


class Deciding:
    """The proposals that come to one authority. All calls are its engine's."""

    def __init__(self, parts: NodeParts, store: NamespaceStore) -> None:
        self._parts = parts
        self._store = store
        self._budget = Budget()

    def arrived(self, payload: bytes, member: MemberRecord, handovers: Sequence[str], now: Moment) -> bool:
        """Take a proposal, refuse it, or keep it for the owner; whether the people changed.

        `handovers` are those of the manifest in force. Raises RefusedError for what is no proposal of the
        member's, and StoreError.
        """
        statement = taken_apart(StatementKind.PROPOSAL, payload)
        statement.require(member.node_key)
        said = statement.body(Proposal)
        if said.namespace != self._parts.namespace:
            raise RefusedError(Refusal.OTHER_NAMESPACE, f"a proposal for {said.namespace} came")
        if said.node != member.node:
            raise RefusedError(Refusal.STRANGER, f"{member.node} sent a proposal of {said.node}")
        if not self._budget.takes(member.node, now.steady_ms):
            raise RefusedError(Refusal.TOO_MANY, f"{member.node} proposes more than can be dealt with")
        offer = Offer(member.node, said.number, said.token, self._opened(said, handovers))
        asks = self._parts.settings.proposals == "ask"
        outcome = decide(self._store, offer, self._parts.embedder, asks=asks)
        self._follow(outcome)
        return outcome.has_changed

    def answers(self, node: str) -> tuple[Answer, ...]:
        """What a node is told of its latest proposals."""
        with transaction(self._store.connection) as connection:
            return answers(connection, node)

    def _opened(self, said: Proposal, handovers: Sequence[str]) -> Wanted:
        keys = self._parts.keys
        envelope = envelopes(self._store.connection).get(said.key_generation)
        if keys is None or envelope is None:
            raise RefusedError(
                Refusal.NO_KEY, f"{said.node} sealed its proposal with a key that is in use no more"
            )
        place = envelope_place(self._parts.namespace, self._parts.node, said.key_generation)
        key = NamespaceKey(keys.open_envelope(envelope, place), said.key_generation)
        bound = proposal_place(
            self._parts.namespace, said.node, said.number, keys.authority.public, handovers
        )
        try:
            wanted = _WANTED.decode(key.open(base64.b64decode(said.sealed, validate=True), bound))
        except (binascii.Error, ValueError, RecursionError) as error:
            raise RefusedError(
                Refusal.MALFORMED, f"what {said.node} proposes cannot be read: {error}"
            ) from None
        if not is_id(wanted.identity_id):
            raise RefusedError(Refusal.MALFORMED, f"what {said.node} proposes is of nobody that can be")
        return wanted

    def _follow(self, outcome: Outcome) -> None:
        if outcome.lacks_vectors and self._parts.reembed is not None:
            self._parts.reembed(self._store)
        if outcome.has_changed:
            self._parts.changed()
        if outcome.has_erased:
            for words in self._parts.swept(self._store):
                _LOG.warning("%s: after a removal that a member proposed: %s", self._parts.namespace, words)
