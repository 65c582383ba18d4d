"""What the authority tells each member: that it is one, the namespace's key for it, and its answers."""

from collections.abc import Callable
from typing import Literal

from edged.domain.moment import Moment
from edged.replication.keys import envelope_place, seal_envelope
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import Answer, Member, Succession
from edged.store.database import transaction
from edged.store.sync_members import (
    MemberRecord,
    begin_telling,
    count_untold,
    end_telling,
    untell,
    untold,
)
from edged.sync.authority_desk import AuthorityDesk
from edged.sync.outgoing import WINDOW


class MemberTelling:
    """The statements `member/<node>` of one authority.

    It tells itself too: an authority that is restored from a backup finds the key there that was in use.
    """

    def __init__(self, desk: AuthorityDesk, answers: Callable[[str], tuple[Answer, ...]]) -> None:
        self._desk = desk
        self._answers = answers
        self._told: list[tuple[str, int]] = []
        self._self_told = 0
        self.succession: tuple[str, Succession] | None = None
        """For the member that is to be the authority."""

    def broker_is_blank(self) -> None:
        """The broker has lost what it was given: everybody is told again. Raises StoreError."""
        with transaction(self._desk.store.connection) as connection:
            untell(connection)
        self._self_told = 0

    @property
    def is_done(self) -> bool:
        """Whether everybody was told all there is."""
        is_self_told = self._desk.key is not None and self._self_told == self._desk.key.generation
        return is_self_told and count_untold(self._desk.store.connection) == 0

    def turn(self, now: Moment) -> None:
        """Post what is due and fits into the window. Raises StoreError."""
        desk = self._desk
        self._write_down()
        self._tell_self(now)
        for member in untold(desk.store.connection, 2 * WINDOW):
            topic = desk.parts.topics.member(member.node)
            if not desk.outgoing.is_under_way(topic) and desk.outgoing.room:
                self._tell(member, topic, max(now.utc_ms, member.told_ms + 1))

    def _tell(self, member: MemberRecord, topic: str, at_ms: int) -> None:
        payload = self._statement(member, at_ms)
        if not self._desk.fits(len(payload), f"what {member.node} is told"):
            return
        with transaction(self._desk.store.connection) as connection:
            begin_telling(connection, member.node, at_ms)
        self._desk.outgoing.post(topic, payload, lambda _: self._told.append((member.node, at_ms)))

    def _tell_self(self, now: Moment) -> None:
        desk, key = self._desk, self._desk.key
        topic = desk.parts.topics.member(desk.parts.node)
        if key is None or self._self_told == key.generation or desk.outgoing.is_under_way(topic):
            return
        own, keys = desk.parts.node, desk.keys
        record = MemberRecord(
            node=own,
            node_key=keys.node.public,
            sealing_key=keys.sealing_public,
            authority_key=keys.authority.public,
            joined_ms=0,
            removed_ms=None,
            is_told=False,
            told_ms=0,
            reported_ms=0,
            heard_ms=0,
            epoch=0,
            swept_epoch=0,
            state="",
        )
        generation = key.generation
        desk.outgoing.post(
            topic, self._statement(record, now.utc_ms), lambda _: self._set_self_told(generation)
        )

    def _set_self_told(self, generation: int) -> None:
        self._self_told = generation

    def _statement(self, member: MemberRecord, at_ms: int) -> bytes:
        desk = self._desk
        is_member = member.removed_ms is None
        state: Literal["member", "removed"] = "member" if is_member else "removed"
        succession = self.succession[1] if self.succession and self.succession[0] == member.node else None
        said = Member(
            namespace=desk.parts.namespace,
            node=member.node,
            node_key=member.node_key.hex(),
            sealing_key=member.sealing_key.hex(),
            authority_key=member.authority_key.hex(),
            state=state,
            at=at_ms,
            key_generation=desk.key.generation if desk.key is not None and is_member else 0,
            envelope=self._envelope(member) if is_member else "",
            answers=self._answers(member.node) if is_member else (),
            succession=succession if is_member else None,
        )
        return signed(StatementKind.MEMBER, said, desk.keys.authority)

    def _envelope(self, member: MemberRecord) -> str:
        parts, key = self._desk.parts, self._desk.key
        if key is None:
            return ""
        place = envelope_place(parts.namespace, member.node, key.generation)
        return seal_envelope(key.secret, member.sealing_key, place, parts.chance).hex()

    def _write_down(self) -> None:
        if self._told:
            with transaction(self._desk.store.connection) as connection:
                for node, at_ms in self._told:
                    end_telling(connection, node, at_ms)
            self._told.clear()
