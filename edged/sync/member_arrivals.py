"""What members say to the authority: how far they are, and that they want to be members."""

import logging
import sqlite3
from typing import Final

from edged.domain.moment import Moment
from edged.domain.sync_state import SyncState
from edged.replication.invitation import is_proved
from edged.replication.keys import can_be_sealed_for
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Join, Report
from edged.store.database import transaction
from edged.store.sync_members import (
    MemberRecord,
    add_member,
    forget_late_invitations,
    invitation,
    is_news,
    member,
    ordered_ms,
    remove_member,
    untell,
    use_invitation,
    write_report,
)
from edged.sync.authority_desk import AuthorityDesk, passed
from edged.sync.page_publishing import PagePublishing

_LOG: Final = logging.getLogger(__name__)
_FARTHEST: Final = 1_000_000
"""An epoch that is so far from ours was reached by nobody: it is not believed."""
_MOST_WAITING: Final = 1000
_RAISE_MS: Final = 60_000
"""A member that says that it has a later epoch makes the authority publish one: so often at most."""
_TELL_AGAIN_MS: Final = 10_000
"""What a member asks to be told again is, at most so often, whoever sends its words once more."""


class MemberArrivals:
    """Reports and joins of one authority. What comes is checked at once, and kept at the next turn."""

    def __init__(self, desk: AuthorityDesk, pages: PagePublishing) -> None:
        self._desk = desk
        self._pages = pages
        self._reports: dict[str, tuple[Report, bytes, int]] = {}
        self._raised: Moment | None = None
        self._told_again: dict[str, Moment] = {}

    def known(self, node: str) -> MemberRecord:
        """The member of this name; raises RefusedError for a stranger, and StoreError."""
        found = member(self._desk.store.connection, node)
        if found is None or found.removed_ms is not None:
            raise RefusedError(Refusal.STRANGER, f"{node} is no member")
        return found

    def reported(self, node: str, payload: bytes, now: Moment) -> None:
        """A report came; raises RefusedError, StoreError."""
        statement = taken_apart(StatementKind.REPORT, payload)
        record = self.known(node)
        statement.require(record.node_key)
        report = statement.body(Report)
        self._require_here(report.namespace, report.node, node)
        earlier = self._reports.get(node)
        last_ms, reached = record.reported_ms, (record.epoch, record.swept_epoch)
        if earlier is not None:
            last_ms = max(last_ms, ordered_ms(earlier[0], earlier[2]))
            reached = max(reached, (earlier[0].epoch, earlier[0].swept_epoch))
        if not is_news(report, last_ms, reached):
            return
        self._reports[node] = (report, payload, now.utc_ms)
        if report.succeeds:
            self._desk.succeeds[node] = report.succeeds
        self._raise_floor(report, now)
        if report.state == SyncState.NO_KEY and record.is_told:
            # What it was told is not on the broker any more, or was written over.
            self._tell_again(node, now)
        if report.missing:
            self._pages.asked_for(report.missing, now)
        if max(report.epoch, report.seen_epoch) < self._desk.epoch:
            self._pages.unheard_of()
        if len(self._reports) >= _MOST_WAITING:
            self.write_down()

    def _raise_floor(self, report: Report, now: Moment) -> None:
        """A member has an epoch that this database has forgotten, or says so: the next one is a later one."""
        ahead = max(report.epoch, report.seen_epoch)
        is_ahead = max(self._desk.epoch, self._desk.floor) < ahead <= self._desk.epoch + _FARTHEST
        if is_ahead and passed(self._raised, now, _RAISE_MS):
            self._raised, self._desk.floor = now, ahead
            _LOG.warning(
                "%s: %s has epoch %d, and this node made %d: the next one is a later one",
                self._desk.parts.namespace,
                report.node,
                ahead,
                self._desk.epoch,
            )

    def _tell_again(self, node: str, now: Moment) -> None:
        if passed(self._told_again.get(node), now, _TELL_AGAIN_MS):
            self._told_again[node] = now
            with transaction(self._desk.store.connection) as connection:
                untell(connection, node)

    def write_down(self) -> None:
        """Keep what was reported; raises StoreError."""
        if not self._reports:
            return
        with transaction(self._desk.store.connection) as connection:
            for node, (report, payload, heard_ms) in self._reports.items():
                write_report(connection, report, payload, heard_ms)
                if report.has_left and remove_member(connection, node, heard_ms, has_left=True):
                    _LOG.info("%s: %s has left", self._desk.parts.namespace, node)
        self._reports.clear()

    def wants_in(self, node: str, payload: bytes, now: Moment) -> None:
        """A node asks to be a member; raises RefusedError, StoreError."""
        statement = taken_apart(StatementKind.JOIN, payload)
        join = statement.body(Join)
        self._require_here(join.namespace, join.node, node)
        if node == self._desk.parts.node:
            raise RefusedError(Refusal.STRANGER, f"a node wants in by this node's own name, {node}")
        connection = self._desk.store.connection
        known = member(connection, node)
        if known is not None and known.removed_ms is None:
            self._again(join, known)
            statement.require(known.node_key)
            if known.is_told:
                self._tell_again(node, now)
            return
        # The cheapest first: whoever has no invitation costs no signature, and no lock of the database.
        self._require_invited(connection, join, now)
        statement.require(bytes.fromhex(join.node_key))
        if not can_be_sealed_for(bytes.fromhex(join.sealing_key)):
            raise RefusedError(Refusal.MALFORMED, f"{node} wants in with a key that nobody can seal for")
        self._let_in(join, now)

    def _again(self, join: Join, known: MemberRecord) -> None:
        """A member asks again: it did not hear that it is one. Another node by its name is none."""
        keys = (join.node_key, join.sealing_key, join.authority_key)
        if keys != (known.node_key.hex(), known.sealing_key.hex(), known.authority_key.hex()):
            raise RefusedError(
                Refusal.STRANGER,
                f"a node wants in as {join.node}, and another one is a member by that name: put that one out"
                f" first (`edged sync remove {join.node}`), or give the new one another `device.name`",
            )

    def _require_invited(self, connection: sqlite3.Connection, join: Join, now: Moment) -> None:
        invited = invitation(connection, bytes.fromhex(join.invitation))
        if invited is None or invited.expires_ms <= now.utc_ms:
            raise RefusedError(Refusal.LATE, f"{join.node} wants in without an invitation that holds")
        if not is_proved(invited.secret, join):
            raise RefusedError(Refusal.STRANGER, f"{join.node} does not have the invitation's secret")

    def _let_in(self, join: Join, now: Moment) -> None:
        with transaction(self._desk.store.connection) as connection:
            # Again: the owner may have used it up, or taken it back, since.
            self._require_invited(connection, join, now)
            forget_late_invitations(connection, now.utc_ms)
            use_invitation(connection, bytes.fromhex(join.invitation))
            add_member(
                connection,
                join.node,
                bytes.fromhex(join.node_key),
                bytes.fromhex(join.sealing_key),
                bytes.fromhex(join.authority_key),
                now.utc_ms,
            )
        _LOG.info("%s: %s is a member", self._desk.parts.namespace, join.node)

    def _require_here(self, namespace: str, said: str, node: str) -> None:
        if namespace != self._desk.parts.namespace:
            raise RefusedError(Refusal.OTHER_NAMESPACE, f"{node} speaks of another namespace")
        if said != node:
            raise RefusedError(Refusal.STRANGER, f"{said} speaks on the topic of {node}")
