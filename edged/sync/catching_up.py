"""An authority whose database is older than what it published: it takes that over as a member would.

Whom its owner changed since it was restored stay as they are, and are in its next epoch.
"""

from edged.domain.moment import Moment
from edged.replication.keys import envelope_place
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Member as Told
from edged.store.database import transaction
from edged.store.sync_founding import end_restoring
from edged.store.sync_records import envelopes, epoch_record, write_envelope
from edged.sync.authority_desk import AuthorityDesk
from edged.sync.participant import Connection, Participant


class CatchingUp:
    """Applies the manifest that was found, with all that a member checks. What a member says is not sent.

    Args:
        desk: the authority's; it is connected.
        payload: the manifest, signed by this node's own key.
        epoch: which it is of.
        now: the present.
    """

    def __init__(self, desk: AuthorityDesk, payload: bytes, epoch: int, now: Moment) -> None:
        self._desk = desk
        self.epoch = epoch
        self.engine: Participant = _member(desk)
        self.engine.connected(desk.connection or Connection(), now)
        self.engine.arrived(desk.parts.topics.manifest, payload, now)

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        """Something came. Raises RefusedError, StoreError."""
        if topic == self._desk.parts.topics.member(self._desk.parts.node):
            self._told_itself(payload)
        elif self.engine.takes(topic):
            self.engine.arrived(topic, payload, now)

    def _told_itself(self, payload: bytes) -> None:
        """What this node told itself: the key that it changed to since."""
        desk, parts = self._desk, self._desk.parts
        statement = taken_apart(StatementKind.MEMBER, payload)
        statement.require(desk.keys.authority.public)
        told = statement.body(Told)
        if (told.namespace, told.node) != (parts.namespace, parts.node):
            raise RefusedError(Refusal.STRANGER, "what this node told itself is of another one")
        try:
            envelope = bytes.fromhex(told.envelope)
        except ValueError:
            raise RefusedError(Refusal.MALFORMED, "an envelope is no hex") from None
        desk.keys.open_envelope(envelope, envelope_place(parts.namespace, parts.node, told.key_generation))
        with transaction(desk.store.connection) as connection:
            if told.key_generation not in envelopes(connection):
                write_envelope(connection, told.key_generation, envelope)

    def turn(self, now: Moment) -> bool:
        """Go on; whether all of it is applied. Raises StoreError."""
        for letter in self.engine.turn(now):
            self.engine.acknowledged(letter.ticket, now)
        record = epoch_record(self._desk.store.connection)
        if record is None or record.epoch < self.epoch:
            return False
        with transaction(self._desk.store.connection) as connection:
            end_restoring(connection)
        return True

    def close(self) -> None:
        """Let go of the database."""
        self.engine.close()


def _member(desk: AuthorityDesk) -> Participant:
    # Of use to an authority that was restored, and to no other.
    from edged.sync.member import Member  # noqa: PLC0415

    return Member(desk.parts)
