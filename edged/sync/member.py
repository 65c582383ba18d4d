"""A member at work: it follows the authority's manifests, applies them, and reports how far it is."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from edged.domain.errors import EdgedError
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, SyncRole
from edged.replication.ageing import Ageing
from edged.replication.refusal import RefusedError
from edged.replication.statement import MOST_BYTES, StatementKind, signed
from edged.store import sync_following as rows
from edged.sync.authority_arrivals import AuthorityArrivals
from edged.sync.database_fault import DatabaseFault
from edged.sync.doubts import Doubts
from edged.sync.member_desk import MemberDesk
from edged.sync.member_view import View
from edged.sync.outgoing import Outgoing
from edged.sync.participant import Connection, Letter
from edged.sync.parts import NodeParts
from edged.sync.pursuit import Pursuit
from edged.sync.reporting import Reporting

_REST_MS: Final = 5_000
"""Between sweeps that did not do all."""
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
        self._outgoing = Outgoing()
        self._doubts = Doubts(parts.namespace)
        self._pursuit = Pursuit(parts, self._doubts.refuse, self._doubts.alarmed)
        self._reporting = Reporting(round(settings.report_every * 1000), parts.jitter)
        self._ageing = Ageing(None if settings.max_age is None else round(settings.max_age * 1000))
        self._desk = MemberDesk(parts, self._pursuit)
        self._arrivals = AuthorityArrivals(parts, self._desk, self._pursuit, self._doubts)
        self._connection: Connection | None = None
        self._fault = DatabaseFault(f"Namespace {parts.namespace} is not synced")
        self._remark = ""
        self._missed: set[str] = set()
        """What is to come again once the database is not left alone any more: before, it would be lost."""
        self._sweep_ms = 0
        self._applied = 0
        self._bytes_in = 0

    # --- the connection

    def connected(self, connection: Connection, now: Moment) -> None:
        """The broker is there: what it keeps comes by the subscriptions."""
        self._connection, self._arrivals.is_heard = connection, False
        self._arrivals.absent.connected(now)
        self._pursuit.fetching.restart()
        self._reporting.begin(now.steady_ms)

    def disconnected(self, now: Moment) -> None:  # noqa: ARG002 (of the protocol)
        """It is gone."""
        self._connection = None
        self._outgoing.lose_all()
        if self._desk.proposing is not None:
            self._desk.proposing.connection_lost()

    def subscriptions(self) -> frozenset[str]:
        """What the authority says, and the few pages that are asked for now."""
        return self._pursuit.fetching.subscriptions() | self._arrivals.topics

    def asks_again(self) -> frozenset[str]:
        """Of these what is to come again."""
        again, self._arrivals.again = self._arrivals.again, set()
        return self._pursuit.fetching.asks_again() | again

    def most_payload_bytes(self) -> int:
        """Of the largest statement; pages are smaller."""
        return max(MOST_BYTES[StatementKind.MANIFEST], MOST_BYTES[StatementKind.MEMBER]) + _BESIDE_BYTES

    def takes(self, topic: str) -> bool:
        """Whether a message is for this namespace and node."""
        return topic in self._arrivals.topics or self._parts.topics.page_of(topic) is not None

    def acknowledged(self, ticket: int, now: Moment) -> None:
        """The broker has a letter."""
        self._outgoing.acknowledged(ticket, now)

    def close(self) -> None:
        """Let go of the database."""
        self._desk.close()

    # --- what comes

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        """Something came; whatever it is, nothing worse happens than that it is not taken."""
        self._bytes_in += len(payload)
        try:
            page = self._parts.topics.page_of(topic)
            if page is not None:
                self._pursuit.fetching.arrived(page, payload)
            elif self._fault.rests(now):
                self._missed.add(topic)
            elif payload:
                self._arrivals.take(topic, payload, now)
        except RefusedError as error:
            self._doubts.refuse(error)
        except EdgedError as error:
            self._failed(error, now)

    # --- what is due

    def turn(self, now: Moment) -> Iterable[Letter]:
        """Go on with the epoch on its way, sweep, propose, report."""
        if self._fault.rests(now):
            # The authority hears of it.
            self._report(now)
            return self._outgoing.taken()
        self._arrivals.again |= self._missed
        self._missed.clear()
        try:
            known = self._desk.look()
            if known is not None:
                self._go_on(known, now)
                self._desk.settle(now)
                self._sweep(now)
                self._report(now)
                self._propose(now)
        except EdgedError as error:
            self._failed(error, now)
        return self._outgoing.taken()

    def _go_on(self, known: rows.Known, now: Moment) -> None:
        """Fetch and apply; then whoever holds the gallery looks, and keys of before are forgotten."""
        store, parts = self._desk.opened(), self._parts
        done = self._pursuit.go_on(store.connection, known, now, is_connected=self._connection is not None)
        if done is None:
            return
        manifest, applied = done[0].manifest, done[1]
        self._applied += 1
        self._doubts.settle()
        self._desk.applied()
        words = f"{applied.changed} people new or changed, {applied.removed} removed"
        _LOG.info("Namespace %s: epoch %d is applied: %s", self.namespace, manifest.epoch, words)
        parts.changed()
        if manifest.model != parts.model_hash and parts.reembed is not None:
            parts.reembed(store)
        self._desk.look()

    def _sweep(self, now: Moment) -> None:
        record = self._desk.known.record if self._desk.known else None
        if record is None or record.swept_epoch >= record.epoch or now.steady_ms < self._sweep_ms:
            return
        left = self._parts.swept(self._desk.opened())
        if left:
            self._remark = "traces of removed people are left: " + "; ".join(left)
            self._sweep_ms = now.steady_ms + _REST_MS
            return
        self._remark = ""
        rows.confirm_sweep(self._desk.opened().connection, record.epoch)
        self._desk.outdate()
        self._desk.look()

    def _failed(self, error: EdgedError, now: Moment) -> None:
        self._fault.failed(error, now, self._desk.path)
        self._missed |= self._arrivals.topics
        self.close()

    # --- what it says

    def _report(self, now: Moment) -> None:
        known, keys = self._desk.known, self._parts.keys
        if known is None or keys is None or self._connection is None:
            return
        if known.membership.role is not SyncRole.MEMBER:
            return
        age = self._ageing.look(known.record.alive_ms, now) if known.record else None
        report = self._view(now).report(known, age, self._reporting.at_ms(now.utc_ms))
        topic = self._parts.topics.report(self._parts.node)
        is_due = self._reporting.is_due(report, now.steady_ms) and not self._outgoing.is_under_way(topic)
        if is_due and self._outgoing.room:
            payload = signed(StatementKind.REPORT, report, keys.node)
            self._reporting.said(report, now.steady_ms)
            self._outgoing.post(topic, payload, self._left if report.has_left else _nothing)

    def _propose(self, now: Moment) -> None:
        known, connection, proposing = self._desk.known, self._connection, self._desk.proposing
        if known is None or connection is None or proposing is None or self._parts.keys is None:
            return
        if known.membership.role is not SyncRole.MEMBER or known.membership.is_leaving:
            return
        topic, key_of = self._parts.topics.proposal(self._parts.node), partial(self._pursuit.key, known)
        for payload in proposing.payloads(now, key_of, self._outgoing.room, connection.most_payload_bytes):
            self._outgoing.post(topic, payload, _nothing, is_retained=False)

    def _left(self, now: Moment) -> None:
        try:
            rows.forget_all(self._desk.opened().connection)
            self._desk.outdate()
        except EdgedError as error:
            self._failed(error, now)

    def _view(self, now: Moment) -> View:
        return View(
            parts=self._parts,
            known=self._desk.known,
            is_connected=self._connection is not None,
            is_heard=self._arrivals.is_heard,
            is_fetching=self._pursuit.target is not None,
            key_generation=self._pursuit.target.manifest.key_generation if self._pursuit.target else 0,
            missing=self._pursuit.fetching.missing,
            late=self._pursuit.fetching.late(_MOST_MISSING),
            absent=self._arrivals.absent.late(now),
            seen_epoch=self._arrivals.seen_epoch,
            alarm=self._doubts.alarm,
            fault=self._fault.words,
            remark=self._remark or (self._desk.proposing.trouble if self._desk.proposing else ""),
        )

    def standing(self, now: Moment) -> NamespaceSync:
        """How it is doing."""
        record = self._desk.known.record if self._desk.known else None
        age = self._ageing.look(record.alive_ms, now) if record else None
        return replace(
            self._view(now).standing(age),
            proposals=self._desk.proposing.pending if self._desk.proposing else 0,
            refused=dict(self._doubts.refused),
            applied=self._applied,
            bytes_in=self._bytes_in,
            bytes_out=self._outgoing.sent_bytes,
            page_requests=self._pursuit.fetching.requests,
        )


def _nothing(now: Moment) -> None:
    """A letter that needs no more than to have come."""
