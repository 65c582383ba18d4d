"""A member at work: it follows the authority's manifests, applies them, and reports how far it is."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from edged.domain.errors import EdgedError
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, SyncRole
from edged.replication.ageing import Ageing
from edged.replication.following import Follower, accepted
from edged.replication.hearing import Listener, alive_heard, member_heard
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import MOST_BYTES, StatementKind, signed
from edged.store import sync_following as rows
from edged.store.namespace_store import NamespaceStore
from edged.sync.member_view import View
from edged.sync.outgoing import Outgoing
from edged.sync.participant import Connection, Letter
from edged.sync.parts import NodeParts
from edged.sync.proposing import Proposing
from edged.sync.pursuit import Pursuit, split
from edged.sync.reporting import Reporting

_REST_MS: Final = 5_000
"""After the database failed, and between sweeps that did not do all."""
_MOST_MISSING: Final = 64
_BESIDE_BYTES: Final = 100
_LOG: Final = logging.getLogger(__name__)


class Member:
    """One namespace of which this node is a member; see `Participant`. Nothing of a broker is believed.

    Args:
        parts: what it stands on, with keys. The database is opened when it is first needed.
    """

    def __init__(self, parts: NodeParts) -> None:
        settings = parts.settings
        self.namespace = parts.namespace
        self._parts = parts
        topics = parts.topics
        self._statements = frozenset({topics.manifest, topics.alive, topics.member(parts.node)})
        self._outgoing = Outgoing()
        self._pursuit = Pursuit(parts, self._refuse, self._alarmed)
        self._reporting = Reporting(round(settings.report_every * 1000), parts.jitter)
        self._ageing = Ageing(None if settings.max_age is None else round(settings.max_age * 1000))
        self._store: NamespaceStore | None = None
        self._proposing: Proposing | None = None
        self._known: rows.Known | None = None
        self._version = -1
        self._connection: Connection | None = None
        self._seen_epoch = 0
        self._is_heard = False
        self._alarm: RefusedError | None = None
        self._fault = ""
        self._remark = ""
        self._again: set[str] = set()
        self._rest_until_ms = 0
        self._sweep_ms = 0
        self._refused: Counter[str] = Counter()
        self._applied = 0
        self._bytes_in = 0

    # --- the connection

    def connected(self, connection: Connection, now: Moment) -> None:
        """The broker is there: what it keeps comes by the subscriptions."""
        self._connection, self._is_heard = connection, False
        self._pursuit.fetching.restart()
        self._reporting.begin(now.steady_ms)

    def disconnected(self, now: Moment) -> None:  # noqa: ARG002 (of the protocol)
        """It is gone."""
        self._connection = None
        self._outgoing.lose_all()
        if self._proposing is not None:
            self._proposing.connection_lost()

    def subscriptions(self) -> frozenset[str]:
        """What the authority says, and the few pages that are asked for now."""
        return self._pursuit.fetching.subscriptions() | self._statements

    def asks_again(self) -> frozenset[str]:
        """Of these what is to come again."""
        again, self._again = self._again, set()
        return self._pursuit.fetching.asks_again() | again

    def most_payload_bytes(self) -> int:
        """Of the largest statement; pages are smaller."""
        return max(MOST_BYTES[StatementKind.MANIFEST], MOST_BYTES[StatementKind.MEMBER]) + _BESIDE_BYTES

    def takes(self, topic: str) -> bool:
        """Whether a message is for this namespace and node."""
        return topic in self._statements or self._parts.topics.page_of(topic) is not None

    def acknowledged(self, ticket: int, now: Moment) -> None:
        """The broker has a letter."""
        self._outgoing.acknowledged(ticket, now)

    def close(self) -> None:
        """Let go of the database."""
        store, self._store, self._proposing, self._version = self._store, None, None, -1
        if store is not None:
            store.close()

    # --- what comes

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        """Something came; whatever it is, nothing worse happens than that it is not taken."""
        self._bytes_in += len(payload)
        topics = self._parts.topics
        try:
            page = topics.page_of(topic)
            if page is not None:
                self._pursuit.fetching.arrived(page, payload)
            elif now.steady_ms < self._rest_until_ms:
                self._again.add(topic)
            elif not payload:
                return
            elif topic == topics.manifest:
                self._manifest_came(payload)
            elif topic == topics.alive:
                self._alive_came(payload)
            elif topic == topics.member(self._parts.node):
                self._told(payload, now)
        except RefusedError as error:
            is_alarming = topic == topics.manifest or error.refusal is Refusal.SPLIT
            (self._alarmed if is_alarming else self._refuse)(error)
        except EdgedError as error:
            self._failed(error, now)
            self._again.add(topic)

    def _manifest_came(self, payload: bytes) -> None:
        known = self._look()
        if known is None or known.membership.role is SyncRole.REMOVED:
            return
        if self._pursuit.is_after(payload):
            self._is_heard = True
            return
        can_embed = self._parts.reembed is not None
        authority = known.membership.authority
        follower = Follower(self.namespace, authority, self._parts.model_hash, can_embed=can_embed)
        taken = accepted(payload, follower, known.in_force)
        self._is_heard, self._alarm = True, None
        if taken is None:
            return
        self._pursuit.require_later(taken)
        if taken.authority != authority:
            _LOG.warning("Namespace %s: its authority gave it to another node", self.namespace)
            rows.believe(self._opened().connection, taken.authority)
            self._version = -1
            # What the new authority told this node came too early to be believed.
            self._again.add(self._parts.topics.member(self._parts.node))
        self._seen_epoch = max(self._seen_epoch, taken.manifest.epoch)
        self._pursuit.aim(self._opened().connection, taken)

    def _alive_came(self, payload: bytes) -> None:
        known = self._look()
        if known is None:
            return
        said = alive_heard(payload, self._listener(known))
        if self._proposing is not None:
            self._proposing.heard()
        self._seen_epoch = max(self._seen_epoch, said.epoch)
        if known.record is not None and said.epoch == known.in_force.epoch:
            if said.manifest != known.in_force.name:
                raise split(said.epoch)
            self._is_heard = True
            if said.at > known.record.alive_ms:
                rows.confirm(self._opened().connection, said.at)
                self._version = -1
        elif said.epoch > known.in_force.epoch and self._pursuit.target is None:
            self._again.add(self._parts.topics.manifest)

    def _told(self, payload: bytes, now: Moment) -> None:
        known, keys = self._look(), self._parts.keys
        if known is None or keys is None or known.membership.role is not SyncRole.MEMBER:
            return
        told = member_heard(payload, self._listener(known))
        connection = self._opened().connection
        self._version = -1
        if told.state == "removed":
            rows.put_out(connection, told.at)
            _LOG.warning("Namespace %s: this node was put out of it", self.namespace)
            return
        rows.take_told(connection, told, self.namespace, self._parts.node, keys, now.utc_ms)
        if self._proposing is not None and self._proposing.answered(told.answers, now):
            self._refetch()

    def _listener(self, known: rows.Known) -> Listener:
        keys, membership = self._parts.keys, known.membership
        node_key = keys.node.public.hex() if keys else ""
        return Listener(self.namespace, membership.authority, self._parts.node, node_key, membership.told_ms)

    def _refuse(self, error: RefusedError) -> None:
        self._refused[error.refusal] += 1

    def _alarmed(self, error: RefusedError) -> None:
        self._refuse(error)
        if self._alarm is None or self._alarm.words != error.words:
            self._alarm = error
            _LOG.warning("Namespace %s: %s", self.namespace, error.words)

    # --- what is due

    def turn(self, now: Moment) -> Iterable[Letter]:
        """Go on with the epoch on its way, sweep, propose, report."""
        if now.steady_ms < self._rest_until_ms:
            return []
        try:
            known = self._look()
            if known is not None:
                self._go_on(known, now)
                self._sweep(now)
                self._speak(now)
            self._fault = ""
        except EdgedError as error:
            self._failed(error, now)
        return self._outgoing.taken()

    def _opened(self) -> NamespaceStore:
        if self._store is None:
            self._store = self._parts.open_store()
            self._proposing = Proposing(self._parts, self._store)
            self._version = -1
        return self._store

    def _look(self) -> rows.Known | None:
        """What the database says, read again where anybody changed it."""
        store = self._opened()
        ((version,),) = store.connection.execute("PRAGMA data_version")
        if version != self._version:
            was, self._known, self._version = self._known, rows.known(store.connection), version
            if self._known is None:
                return None
            is_new = was is None or was.in_force != self._known.in_force
            if is_new and self._known.manifest is not None and self._proposing is not None:
                self._proposing.follow(self._known.manifest)
            self._refetch()
        return self._known

    def _refetch(self) -> None:
        self._pursuit.aim_again(self._opened().connection, self._known)

    def _go_on(self, known: rows.Known, now: Moment) -> None:
        """Fetch and apply; then whoever holds the gallery looks, and keys of before are forgotten."""
        store, parts = self._opened(), self._parts
        done = self._pursuit.go_on(store.connection, known, now, is_connected=self._connection is not None)
        if done is None:
            return
        manifest, applied = done[0].manifest, done[1]
        self._alarm, self._applied, self._version = None, self._applied + 1, -1
        if parts.keys is not None:
            rows.settle_keys(store.connection, parts.node, self.namespace, parts.keys, now.utc_ms)
        words = f"{applied.changed} people new or changed, {applied.removed} removed"
        _LOG.info("Namespace %s: epoch %d is applied: %s", self.namespace, manifest.epoch, words)
        parts.changed()
        if manifest.model != parts.model_hash and parts.reembed is not None:
            parts.reembed(store)
        self._look()

    def _sweep(self, now: Moment) -> None:
        record = self._known.record if self._known else None
        if record is None or record.swept_epoch >= record.epoch or now.steady_ms < self._sweep_ms:
            return
        left = self._parts.swept(self._opened())
        if left:
            self._remark = "traces of removed people are left: " + "; ".join(left)
            self._sweep_ms = now.steady_ms + _REST_MS
            return
        self._remark = ""
        rows.confirm_sweep(self._opened().connection, record.epoch)
        self._version = -1
        self._look()

    def _failed(self, error: EdgedError, now: Moment) -> None:
        if self._fault != error.what:
            _LOG.error("Namespace %s is not synced for now: %s", self.namespace, error)
        self._fault, self._rest_until_ms = error.what, now.steady_ms + _REST_MS
        self._again |= self._statements
        self.close()

    # --- what it says

    def _speak(self, now: Moment) -> None:
        known, keys = self._known, self._parts.keys
        if known is None or keys is None or self._connection is None:
            return
        if known.membership.role is not SyncRole.MEMBER:
            return
        topics, node = self._parts.topics, self._parts.node
        age = self._ageing.look(known.record.alive_ms, now) if known.record else None
        report = self._view().report(known, age, self._reporting.at_ms(now.utc_ms))
        topic = topics.report(node)
        is_due = self._reporting.is_due(report, now.steady_ms) and not self._outgoing.is_under_way(topic)
        if is_due and self._outgoing.room:
            payload = signed(StatementKind.REPORT, report, keys.node)
            self._reporting.said(report, now.steady_ms)
            self._outgoing.post(topic, payload, self._left if report.has_left else _nothing)
        if self._proposing is not None and not known.membership.is_leaving:
            most_bytes, room = self._connection.most_payload_bytes, self._outgoing.room
            for payload in self._proposing.payloads(now, partial(self._pursuit.key, known), room, most_bytes):
                self._outgoing.post(topics.proposal(node), payload, _nothing, is_retained=False)

    def _left(self, now: Moment) -> None:
        try:
            rows.forget_all(self._opened().connection)
            self._version = -1
        except EdgedError as error:
            self._failed(error, now)

    def _view(self) -> View:
        return View(
            parts=self._parts,
            known=self._known,
            is_connected=self._connection is not None,
            is_heard=self._is_heard,
            is_fetching=self._pursuit.target is not None,
            key_generation=self._pursuit.target.manifest.key_generation if self._pursuit.target else 0,
            missing=self._pursuit.fetching.missing,
            late=self._pursuit.fetching.late(_MOST_MISSING),
            seen_epoch=self._seen_epoch,
            alarm=self._alarm,
            fault=self._fault,
            remark=self._remark or (self._proposing.trouble if self._proposing else ""),
        )

    def standing(self, now: Moment) -> NamespaceSync:
        """How it is doing."""
        record = self._known.record if self._known else None
        age = self._ageing.look(record.alive_ms, now) if record else None
        return replace(
            self._view().standing(age),
            proposals=self._proposing.pending if self._proposing else 0,
            refused=dict(self._refused),
            applied=self._applied,
            bytes_in=self._bytes_in,
            bytes_out=self._outgoing.sent_bytes,
            page_requests=self._pursuit.fetching.requests,
        )


def _nothing(now: Moment) -> None:
    """A letter that needs no more than to have come."""
