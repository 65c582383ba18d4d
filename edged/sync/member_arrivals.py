"""What members say to the authority: how far they are, and that they want to be members."""

import logging
from collections.abc import Callable
from typing import Final

from edged.domain.moment import Moment
from edged.replication.invitation import is_proved
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Join, Report
from edged.store.database import transaction
from edged.store.sync_members import (
    MemberRecord,
    add_member,
    forget_late_invitations,
    invitation,
    member,
    remove_member,
    untell,
    use_invitation,
    write_report,
)
from edged.sync.authority_desk import AuthorityDesk

_LOG: Final = logging.getLogger(__name__)
_FARTHEST: Final = 1_000_000
"""An epoch that is so far from ours was reached by nobody: it is not believed."""
_MOST_WAITING: Final = 1000


class MemberArrivals:
    """Reports and joins of one authority. What comes is checked at once, and kept at the next turn."""

    def __init__(self, desk: AuthorityDesk, asked_for: Callable[[tuple[str, ...], Moment], None]) -> None:
        self._desk = desk
        self._asked_for = asked_for
        self._reports: dict[str, tuple[Report, bytes, int]] = {}

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
        if report.at <= max(record.reported_ms, earlier[0].at if earlier else 0):
            return
        self._reports[node] = (report, payload, now.utc_ms)
        ahead = max(report.epoch, report.seen_epoch)
        if self._desk.epoch < ahead <= self._desk.epoch + _FARTHEST:
            self._desk.floor = max(self._desk.floor, ahead)
        if report.missing:
            self._asked_for(report.missing, now)
        if len(self._reports) >= _MOST_WAITING:
            self.write_down()

    def write_down(self) -> None:
        """Keep what was reported; raises StoreError."""
        if not self._reports:
            return
        with transaction(self._desk.store.connection) as connection:
            for node, (report, payload, heard_ms) in self._reports.items():
                write_report(connection, report, payload, heard_ms)
                if report.has_left and remove_member(connection, node, heard_ms):
                    _LOG.info("%s: %s has left", self._desk.parts.namespace, node)
        self._reports.clear()

    def wants_in(self, node: str, payload: bytes, now: Moment) -> None:
        """A node asks to be a member; raises RefusedError, StoreError."""
        statement = taken_apart(StatementKind.JOIN, payload)
        join = statement.body(Join)
        self._require_here(join.namespace, join.node, node)
        statement.require(bytes.fromhex(join.node_key))
        known = member(self._desk.store.connection, node)
        if known is not None and known.removed_ms is None:
            self._again(join, known)
            return
        if node == self._desk.parts.node:
            raise RefusedError(Refusal.STRANGER, f"a node wants in by this node's own name, {node}")
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
        if known.is_told:
            with transaction(self._desk.store.connection) as connection:
                untell(connection, join.node)

    def _let_in(self, join: Join, now: Moment) -> None:
        secret_hash = bytes.fromhex(join.invitation)
        with transaction(self._desk.store.connection) as connection:
            forget_late_invitations(connection, now.utc_ms)
            invited = invitation(connection, secret_hash)
            if invited is None:
                raise RefusedError(Refusal.LATE, f"{join.node} wants in without an invitation that holds")
            if not is_proved(invited.secret, join):
                raise RefusedError(Refusal.STRANGER, f"{join.node} does not have the invitation's secret")
            use_invitation(connection, secret_hash)
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
