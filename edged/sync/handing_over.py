"""Another node becomes the authority, because somebody wants it.

The successor is told first who the members are, and gets the statement that gives the namespace to its key;
then an epoch is published that names it. Whoever applies that one believes the successor from then on.
"""

import base64
import logging
from typing import Final

from edged.domain.moment import Moment
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import Handover, Succession
from edged.store.database import transaction
from edged.store.namespace_queries import ledger
from edged.store.sync_founding import succession
from edged.store.sync_members import MemberRecord, member, members, untell
from edged.store.sync_records import epoch_record
from edged.sync.authority_desk import AuthorityDesk
from edged.sync.member_telling import MemberTelling

_LOG: Final = logging.getLogger(__name__)
_ABOUT: Final = "hand-over"


class HandingOver:
    """Gives the namespace over, one step a turn; a restart goes on where it was."""

    def __init__(self, desk: AuthorityDesk, telling: MemberTelling) -> None:
        self._desk = desk
        self._telling = telling

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

    def successor(self, wanted: str | None) -> tuple[str, str] | None:
        """Who is to be named in the next epoch: the node and its key in hex; None while nobody can be.

        While a successor is being told, no other epoch may be made: see `is_under_way`. Raises StoreError.
        """
        if wanted is None:
            self._stop()
            return None
        record = member(self._desk.store.connection, wanted)
        why_not = self._why_not(wanted, record)
        if record is None or why_not:
            self._desk.tell(_ABOUT, f"{wanted} cannot be the authority yet: {why_not}")
            self._stop()
            return None
        self._desk.tell(_ABOUT, "")
        if not self.is_under_way:
            self._telling.succession = (wanted, self._succession(record))
            with transaction(self._desk.store.connection) as connection:
                untell(connection, wanted)
            return None
        return (wanted, record.authority_key.hex()) if record.is_told else None

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
            connection.execute("DELETE FROM sync_member")
            connection.execute("DELETE FROM sync_invitation")
            connection.execute(
                "UPDATE sync_membership SET role = 'member', authority = ?, since_ms = ?, told_ms = 0,"
                " successor = NULL, succession = NULL, rotation_wanted = 0, is_restored = 0",
                (authority, now.utc_ms),
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
        return (*manifest.handovers, told.handover) if told is not None and is_successor else ()

    def _stop(self) -> None:
        self._telling.succession = None

    def _why_not(self, wanted: str, record: MemberRecord | None) -> str:
        if record is None or record.removed_ms is not None:
            return "it is no member. See `edged sync members`"
        if record.epoch != self._desk.epoch:
            return (
                f"it has epoch {record.epoch}, and {self._desk.epoch} is in force. It goes on by itself once"
                f" {wanted} is in step"
            )
        return ""

    def _succession(self, heir: MemberRecord) -> Succession:
        desk = self._desk
        own, keys = desk.parts.node, desk.keys
        said = Handover(
            namespace=desk.parts.namespace,
            from_key=keys.authority.public.hex(),
            to_key=heir.authority_key.hex(),
            after_epoch=desk.epoch + 1,
        )
        others = [
            (each.node, each.node_key + each.sealing_key + each.authority_key)
            for each in members(desk.store.connection)
            if each.node != heir.node
        ]
        others.append((own, keys.node.public + keys.sealing_public + keys.authority.public))
        statement = signed(StatementKind.HANDOVER, said, keys.authority).decode()
        return Succession(statement, tuple((node, base64.b64encode(each).decode()) for node, each in others))
