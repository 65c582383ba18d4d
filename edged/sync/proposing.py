"""What a member wants changed, on its way to the authority: sent again until it is answered, and in force."""

import base64
import logging
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from edged.domain.moment import Moment
from edged.replication.keys import NamespaceKey
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import Answer, Manifest, Proposal, proposal_place
from edged.store.database import reading, transaction
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_proposals import (
    MOST_UNDER_WAY,
    OwnProposal,
    open_proposals,
    own_proposals,
    settle,
    take_answers,
    wanted_by,
    withhold,
)
from edged.store.sync_records import membership
from edged.sync.parts import NodeParts

_AGAIN_MS: Final = 15_000
_MOST_AGAIN_MS: Final = 600_000
_LOOK_MS: Final = 250
_MOST_BYTES: Final = 600_000
"""Of MessagePack, so that what it becomes in base64 is no more than a proposal may be."""
_BESIDE_BYTES: Final = 2_000
_TOKEN_BYTES: Final = 16

_LOG: Final = logging.getLogger(__name__)


class Proposing:
    """The proposals of one member. All calls are its engine's; all raise StoreError.

    Attributes:
        pending: how many are not answered, or not in force.
        trouble: what is wrong and what to do, in words; empty where nothing is.
    """

    def __init__(self, parts: NodeParts, store: NamespaceStore) -> None:
        self.pending = 0
        self.trouble = ""
        self._parts = parts
        self._store = store
        self._due: dict[int, tuple[int, int]] = {}
        self._looked: Moment | None = None
        self._manifest: Manifest | None = None

    def follow(self, manifest: Manifest) -> None:
        """Go by the terms of an epoch that was applied; what was accepted for it is done with.

        To be called at the start with the epoch in force, and after each that was applied.
        """
        self._manifest = manifest
        with transaction(self._store.connection) as connection:
            changed = withhold(connection, is_wanted=manifest.proposals == "ask")
            changed = settle(connection, manifest.epoch) or changed
        if changed:
            self._parts.changed()

    def answered(self, answers: Iterable[Answer]) -> bool:
        """Note what the authority says; whether buckets are to be applied again (they have no hash now)."""
        known, epoch = tuple(answers), self._manifest.epoch if self._manifest else 0
        if not known:
            return False
        with transaction(self._store.connection) as connection:
            refused = take_answers(connection, known)
            is_settled = settle(connection, epoch)
        for each in refused:
            self.trouble = f"the authority did not take a change of {each.identity_id}: {each.why}"
            _LOG.warning("%s: %s. It is taken back here", self._parts.namespace, self.trouble)
        if is_settled:
            self._parts.changed()
        return bool(refused) or is_settled

    def connection_lost(self) -> None:
        """Nothing that was sent is known to have come: all is sent again."""
        self._due.clear()

    def payloads(self, now: Moment, key: NamespaceKey, room: int, most_bytes: int | None) -> Iterator[bytes]:
        """Statements for `topics.proposal(node)`, not retained: at most `room`, those that are due.

        `most_bytes` is what the broker takes, None where it does not say.
        """
        if self._manifest is None or self._parts.keys is None or room <= 0 or not self._is_time(now):
            return
        limit = min(_MOST_BYTES, ((most_bytes or 2 * _MOST_BYTES) - _BESIDE_BYTES) * 5 // 8)
        connection = self._store.connection
        ((waits,),) = connection.execute("SELECT EXISTS (SELECT 1 FROM sync_change WHERE proposal IS NULL)")
        if waits:
            tokens = (self._parts.chance(_TOKEN_BYTES).hex() for _ in range(MOST_UNDER_WAY))
            with transaction(connection):
                open_proposals(connection, now.utc_ms, tokens, limit)
        own = own_proposals(connection)
        self.pending = len(own)
        self._due = {each.number: self._due[each.number] for each in own if each.number in self._due}
        for each in own:
            due_ms, rest_ms = self._due.get(each.number, (now.steady_ms, _AGAIN_MS))
            if room > 0 and due_ms <= now.steady_ms and not (each.verdict == "accepted" and each.epoch):
                room -= 1
                wait_ms = int(rest_ms * (1 + self._parts.jitter() / 4))
                self._due[each.number] = (now.steady_ms + wait_ms, min(rest_ms * 2, _MOST_AGAIN_MS))
                yield self._payload(each, key, now)

    def _is_time(self, now: Moment) -> bool:
        if self._looked is not None and now.steady_ms - self._looked.steady_ms < _LOOK_MS:
            return False
        self._looked = now
        return True

    def _payload(self, own: OwnProposal, key: NamespaceKey, now: Moment) -> bytes:
        parts, manifest, keys = self._parts, self._manifest, self._parts.keys
        assert manifest is not None  # noqa: S101 (asked by the only caller)
        assert keys is not None  # noqa: S101
        with reading(self._store.connection) as connection:
            wanted = wanted_by(connection, own, parts.model_hash, with_chips=manifest.has_chips)
            present = membership(connection)
        authority = present.authority if present else b""
        place = proposal_place(parts.namespace, parts.node, own.number, authority)
        sealed = key.seal(msgspec.msgpack.encode(wanted), place)
        body = Proposal(
            namespace=parts.namespace,
            node=parts.node,
            number=own.number,
            at=now.utc_ms,
            key_generation=key.generation,
            sealed=base64.b64encode(sealed).decode(),
            token=own.token,
        )
        return signed(StatementKind.PROPOSAL, body, keys.node)
