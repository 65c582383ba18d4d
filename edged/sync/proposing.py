"""What a member wants changed, on its way to the authority: sent again until it is answered, and in force."""

import base64
import logging
from collections.abc import Callable, Iterable, Iterator
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
_HEARD_MS: Final = 1_000
"""So long after it was heard the authority has for an answer."""
_TOLD_MS: Final = 3_600_000
_MOST_BYTES: Final = 600_000
"""Of MessagePack, so that what it becomes in base64 is no more than a proposal may be."""
_UNTOLD_BYTES: Final = 256_000
"""What is believed of a broker that does not say what it takes: docs/sync.md has people allow for so much."""
_BESIDE_BYTES: Final = 2_000
_TOKEN_BYTES: Final = 16

_LOG: Final = logging.getLogger(__name__)


class Proposing:
    """The proposals of one member. All calls are its engine's; all raise StoreError.

    Attributes:
        pending: of how many people there are some that are not answered, or not in force.
    """

    def __init__(self, parts: NodeParts, store: NamespaceStore) -> None:
        self.pending = 0
        self._refusal = ""
        self._refused: tuple[int, Moment] | None = None
        """The number of the last one that was not taken, and when that was heard."""
        self._too_large: dict[int, str] = {}
        self._parts = parts
        self._store = store
        self._due: dict[int, tuple[int, int]] = {}
        self._looked: Moment | None = None
        self._is_heard = False
        self._manifest: Manifest | None = None

    @property
    def trouble(self) -> str:
        """What is wrong and what to do, in words; empty where nothing is.

        That a change was not taken is told for an hour, or until a later one is taken.
        """
        return next(iter(self._too_large.values()), self._refusal)

    @property
    def is_following(self) -> bool:
        """Whether it goes by the terms of an epoch; before, nothing is proposed."""
        return self._manifest is not None

    def follow(self, manifest: Manifest) -> None:
        """Go by the terms of an epoch that was applied; what was accepted for it is done with.

        To be called at the start with the epoch in force, and after each that was applied.
        """
        self._manifest = manifest
        # What was sealed with a key of before was not opened.
        self.heard()
        with transaction(self._store.connection) as connection:
            changed = withhold(connection, is_wanted=manifest.proposals == "ask")
            changed = settle(connection, manifest.epoch) or changed
        if changed:
            self._parts.changed()

    def answered(self, answers: Iterable[Answer], now: Moment) -> bool:
        """Note what the authority says; whether buckets are to be applied again (they have no hash now)."""
        known, epoch = tuple(answers), self._manifest.epoch if self._manifest else 0
        if not known:
            return False
        with transaction(self._store.connection) as connection:
            refused = take_answers(connection, known)
            is_settled = settle(connection, epoch)
        self._forget_refusal(now, known)
        for each in refused:
            self._refusal = f"the authority did not take a change of {each.identity_id}: {each.why}"
            self._refused = max(answer.number for answer in known), now
            _LOG.warning("%s: %s. It is taken back here", self._parts.namespace, self._refusal)
        if is_settled:
            self._parts.changed()
        return bool(refused) or is_settled

    def heard(self) -> None:
        """The authority spoke: it may have been away when something was sent, which is sent again soon."""
        self._is_heard = True

    def connection_lost(self) -> None:
        """Nothing that was sent is known to have come: all is sent again."""
        self._due.clear()
        self._too_large.clear()

    def _forget_refusal(self, now: Moment, answers: Iterable[Answer] = ()) -> None:
        """Tell no more of the last change that was not taken, where a later one was, or after a while."""
        if self._refused is None:
            return
        number, at = self._refused
        is_over = now.steady_ms - at.steady_ms >= _TOLD_MS
        if is_over or any(each.verdict == "accepted" and each.number > number for each in answers):
            self._refusal, self._refused = "", None

    def payloads(
        self, now: Moment, key_of: Callable[[int], NamespaceKey | None], room: int, most_bytes: int | None
    ) -> Iterator[bytes]:
        """Statements for `topics.proposal(node)`, not retained: at most `room`, those that are due.

        `key_of` gives the namespace's key of a generation, and is asked only where something is to be sealed;
        `most_bytes` is what the broker takes, None where it does not say.
        """
        self._forget_refusal(now)
        if self._manifest is None or self._parts.keys is None or room <= 0 or not self._is_time(now):
            return
        limit = min(_MOST_BYTES, ((most_bytes or _UNTOLD_BYTES) - _BESIDE_BYTES) * 5 // 8)
        connection = self._store.connection
        ((waits,),) = connection.execute("SELECT EXISTS (SELECT 1 FROM sync_change WHERE proposal IS NULL)")
        if waits:
            tokens = (self._parts.chance(_TOKEN_BYTES).hex() for _ in range(MOST_UNDER_WAY))
            with transaction(connection):
                open_proposals(connection, now.utc_ms, tokens, limit)
        own = own_proposals(connection)
        self.pending = len({each.identity_id for each in own})
        numbers = {each.number for each in own}
        self._due = {number: due for number, due in self._due.items() if number in numbers}
        self._too_large = {number: words for number, words in self._too_large.items() if number in numbers}
        if self._is_heard:
            self._bring_forward(own, now.steady_ms + _HEARD_MS)
        due = self._due_of(own, now)[:room]
        key = key_of(self._manifest.key_generation) if due else None
        if key is None:
            return
        for each in due:
            _, rest_ms = self._due.get(each.number, (0, _AGAIN_MS))
            wait_ms = int(rest_ms * (1 + self._parts.jitter() / 4))
            self._due[each.number] = (now.steady_ms + wait_ms, min(rest_ms * 2, _MOST_AGAIN_MS))
            payload = self._payload(each, key, now)
            if self._fits(each, len(payload), most_bytes):
                yield payload

    def _bring_forward(self, own: Iterable[OwnProposal], until_ms: int) -> None:
        self._is_heard = False
        for parts in _by_person(own):
            first = parts[0].number
            if first in self._due and not all(each.verdict for each in parts):
                due_ms, rest_ms = self._due[first]
                self._due[first] = (min(due_ms, until_ms), rest_ms)

    def _due_of(self, own: Iterable[OwnProposal], now: Moment) -> list[OwnProposal]:
        """Those to be sent, by number. All of a person are sent again when the first of them is.

        An authority that was set back, or is another one, must not get a later one alone.
        """
        found: list[OwnProposal] = []
        for parts in _by_person(own):
            due_ms, _ = self._due.get(parts[0].number, (now.steady_ms, 0))
            found += [each for each in parts if due_ms <= now.steady_ms or each.number not in self._due]
        return sorted(found, key=lambda each: each.number)

    def _fits(self, own: OwnProposal, size_bytes: int, most_bytes: int | None) -> bool:
        """Whether the broker takes it; one that is too large would end the connection each time."""
        if most_bytes is None or size_bytes <= most_bytes:
            self._too_large.pop(own.number, None)
            return True
        words = (
            f"a change of {own.identity_id} has {size_bytes} bytes, and the broker takes {most_bytes}: it"
            " stays here. Raise the broker's limit, or share no crops (`sync.chips` at the authority)"
        )
        if own.number not in self._too_large:
            _LOG.error("%s: %s", self._parts.namespace, words)
        self._too_large[own.number] = words
        return False

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
        place = proposal_place(parts.namespace, parts.node, own.number, authority, manifest.handovers)
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


def _by_person(own: Iterable[OwnProposal]) -> Iterable[list[OwnProposal]]:
    """Those that may have to be sent again, which are by number, each person's together."""
    found: dict[str, list[OwnProposal]] = {}
    for each in own:
        if not (each.verdict == "accepted" and each.epoch):
            found.setdefault(each.identity_id, []).append(each)
    return found.values()
