"""Another node becomes the authority, because somebody wants it.

The successor is told first who the members are, and gets the statement that gives the namespace to its key;
then an epoch is published that names it. Whoever applies that one believes the successor from then on.
"""

import base64
import logging
from collections.abc import Iterable
from typing import Final

from edged.domain.moment import Moment
from edged.replication.following import MOST_HANDOVERS
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import Handover, Succession
from edged.store.database import transaction
from edged.store.namespace_queries import ledger
from edged.store.sync_founding import succession
from edged.store.sync_members import MemberRecord, member, members, untell
from edged.store.sync_records import epoch_record, outdate_snapshots
from edged.sync.authority_desk import AuthorityDesk, passed
from edged.sync.member_telling import MemberTelling

_LOG: Final = logging.getLogger(__name__)
_ABOUT: Final = "hand-over"
_BESIDE_MS: Final = 3_600_000
"""What is told while the successor is being told is within that."""
_MOST_REMOVED: Final = 64
"""Of those that were put out the latest: who was so long ago has heard of it, or does not come back."""
_PATIENCE_MS: Final = 60_000
"""So long the successor has to say that it is ready. Nothing is published meanwhile."""
_REMEMBERED_MS: Final = 600_000
"""So long it is told that one was not."""


class HandingOver:
    """Gives the namespace over, one step a turn; a restart goes on where it was."""

    def __init__(self, desk: AuthorityDesk, telling: MemberTelling) -> None:
        self._desk = desk
        self._telling = telling
        self._promised = 0
        """After which epoch the namespace is the successor's, as it was told."""
        self._begun: Moment | None = None
        self._given_up: Moment | None = None

    @property
    def is_published(self) -> bool:
        """Whether the epoch in force, made by this node, names a successor."""
        desk = self._desk
        own = desk.keys.authority.public.hex()
        return (
            desk.manifest is not None
            and desk.manifest.authority == own
            and desk.manifest.successor is not None
        )

    def successor(self, wanted: str | None, now: Moment) -> tuple[str, str] | None:
        """Who is to be named in the next epoch: the node and its key in hex; None while nobody can be.

        While a successor is being told, no other epoch may be made: see `is_under_way`. Raises StoreError.
        """
        if wanted is None:
            self._stop()
            if self._given_up is not None and passed(self._given_up, now, _REMEMBERED_MS):
                self._given_up = None
                self._desk.tell(_ABOUT, "")
            return None
        record = member(self._desk.store.connection, wanted)
        why_not = self._why_not(wanted, record)
        if record is None or why_not:
            self._desk.tell(_ABOUT, f"{wanted} cannot be the authority yet: {why_not}")
            self._stop()
            return None
        self._desk.tell(_ABOUT, "")
        self._given_up = None
        if not self.is_under_way:
            self._promised = self._desk.epoch + 1
            self._begun = now
            self._telling.succession = (wanted, self._succession(record, now))
            with transaction(self._desk.store.connection) as connection:
                untell(connection, wanted)
            return None
        if not self._is_ready(record):
            if passed(self._begun, now, _PATIENCE_MS):
                self._give_up(wanted, now)
            return None
        return wanted, record.authority_key.hex()

    def _is_ready(self, heir: MemberRecord) -> bool:
        """Whether the successor was told, and has said that it keeps what it was told: it is there."""
        told = self._telling.succession
        is_kept = told is not None and self._desk.succeeds.get(heir.node) == told[1].told_at
        return heir.is_told and is_kept

    def _give_up(self, wanted: str, now: Moment) -> None:
        """Nobody would lead the namespace: this node goes on."""
        self._given_up = now
        self._stop()
        with transaction(self._desk.store.connection) as connection:
            connection.execute("UPDATE sync_membership SET successor = NULL WHERE successor = ?", (wanted,))
            untell(connection, wanted)
        self._desk.tell(
            _ABOUT,
            f"{wanted} did not answer for {_PATIENCE_MS // 1000} s, so this node goes on as the authority:"
            f" see whether edged runs there and reaches the broker, then `edged sync promote {wanted}` again",
        )

    @property
    def is_under_way(self) -> bool:
        """Whether the successor is being told."""
        return self._telling.succession is not None

    def step_back(self, authority: bytes, now: Moment) -> None:
        """Be a member of the authority with this key. Raises StoreError."""
        with transaction(self._desk.store.connection) as connection:
            record = epoch_record(connection)
            is_late = record is not None and ledger(connection).revision > record.revision
            if is_late:
                _LOG.warning(
                    "%s: what was changed while it was handed over is not kept: change it again",
                    self._desk.parts.namespace,
                )
                connection.execute("UPDATE sync_bucket SET content_hash = NULL")
            told_ms = _told_ms(members(connection, with_removed=True), now)
            connection.execute("DELETE FROM sync_member")
            connection.execute("DELETE FROM sync_invitation")
            outdate_snapshots(connection)
            connection.execute(
                "UPDATE sync_membership SET role = 'member', authority = ?, since_ms = ?, told_ms = ?,"
                " successor = NULL, succession = NULL, rotation_wanted = 0, is_restored = 0",
                (authority, now.utc_ms, told_ms),
            )
        _LOG.info("%s: another node is the authority now", self._desk.parts.namespace)

    def handovers(self) -> tuple[str, ...]:
        """How this node came to its key, for its manifests: the statements, the oldest first."""
        manifest, own = self._desk.manifest, self._desk.keys.authority.public.hex()
        if manifest is None:
            return ()
        if manifest.authority == own:
            return manifest.handovers
        told = succession(self._desk.store.connection)
        is_successor = manifest.successor is not None and manifest.successor[1] == own
        chain = (*manifest.handovers, told.handover) if told is not None and is_successor else ()
        return chain[-MOST_HANDOVERS:]

    def _stop(self) -> None:
        desk = self._desk
        if self.is_under_way:
            # What it was promised counts where no later epoch is in force: one is to come that is later.
            desk.is_hurried = True
            if desk.epoch < self._promised:
                desk.floor = max(desk.floor, self._promised)
        self._telling.succession = None

    def _why_not(self, wanted: str, record: MemberRecord | None) -> str:
        if record is None or record.removed_ms is not None:
            return "it is no member. See `edged sync status`"
        if record.epoch != self._desk.epoch:
            return (
                f"it has epoch {record.epoch}, and {self._desk.epoch} is in force. It goes on by itself once"
                f" {wanted} is in step"
            )
        return ""

    def _succession(self, heir: MemberRecord, now: Moment) -> Succession:
        desk = self._desk
        own, keys = desk.parts.node, desk.keys
        said = Handover(
            namespace=desk.parts.namespace,
            from_key=keys.authority.public.hex(),
            to_key=heir.authority_key.hex(),
            after_epoch=self._promised,
        )
        everybody = members(desk.store.connection, with_removed=True)
        others = [_keys_of(each) for each in everybody if each.node != heir.node and each.removed_ms is None]
        own_keys = keys.node.public + keys.sealing_public + keys.authority.public
        others.append((own, base64.b64encode(own_keys).decode()))
        gone = sorted((each for each in everybody if each.removed_ms), key=lambda each: each.removed_ms or 0)
        return Succession(
            signed(StatementKind.HANDOVER, said, keys.authority).decode(),
            tuple(others),
            _told_ms(everybody, now) + _BESIDE_MS,
            tuple(_keys_of(each) for each in gone[-_MOST_REMOVED:]),
        )


def _keys_of(each: MemberRecord) -> tuple[str, str]:
    keys = each.node_key + each.sealing_key + each.authority_key
    return each.node, base64.b64encode(keys).decode()


def _told_ms(everybody: Iterable[MemberRecord], now: Moment) -> int:
    """The latest time that anybody was told something at."""
    return max((each.told_ms for each in everybody), default=now.utc_ms)
