"""What the authority says to a member: manifests, that one is in force, and what it tells this node alone."""

import logging
from typing import Final

from edged.domain.moment import Moment
from edged.domain.sync_state import SyncRole
from edged.replication.following import Follower, accepted
from edged.replication.hearing import Listener, alive_heard, member_heard
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statements import name_of
from edged.store import sync_following as rows
from edged.sync.absent_manifest import AbsentManifest
from edged.sync.doubts import Doubts
from edged.sync.member_desk import MemberDesk
from edged.sync.parts import NodeParts
from edged.sync.pursuit import Pursuit, split

_LOG: Final = logging.getLogger(__name__)


class AuthorityArrivals:
    """The statements that come to one member. None is believed before it was checked.

    Attributes:
        topics: of these statements.
        seen_epoch: the newest that was told of.
        is_heard: the authority was heard on this connection.
        again: topics whose statement is to come again.
        absent: the manifest in force, where it does not come.
    """

    def __init__(self, parts: NodeParts, desk: MemberDesk, pursuit: Pursuit, doubts: Doubts) -> None:
        self._parts = parts
        self._desk = desk
        self._pursuit = pursuit
        self._doubts = doubts
        self.topics: Final = frozenset(
            {parts.topics.manifest, parts.topics.alive, parts.topics.member(parts.node)}
        )
        self.seen_epoch = 0
        self.is_heard = False
        self.again: set[str] = set()
        self.absent = AbsentManifest()

    def take(self, topic: str, payload: bytes, now: Moment) -> None:
        """Follow a statement on one of the topics, or count what is wrong with it; raises StoreError."""
        topics = self._parts.topics
        try:
            if topic == topics.manifest:
                self._manifest_came(payload)
            elif topic == topics.alive:
                self._alive_came(payload, now)
            elif topic in self.topics:
                self._told(payload, now)
        except RefusedError as error:
            is_alarming = topic == topics.manifest or error.refusal is Refusal.SPLIT
            (self._doubts.alarmed if is_alarming else self._doubts.refuse)(error)

    def _manifest_came(self, payload: bytes) -> None:
        self.absent.came(name_of(payload))
        known = self._desk.look()
        if known is None or known.membership.role is SyncRole.REMOVED:
            return
        if self._pursuit.is_after(payload):
            self.is_heard = True
            return
        can_embed = self._parts.reembed is not None
        authority = known.membership.authority
        follower = Follower(self._parts.namespace, authority, self._parts.model_hash, can_embed=can_embed)
        taken = accepted(payload, follower, known.in_force)
        self.is_heard = True
        self._doubts.settle()
        if taken is None:
            return
        self._pursuit.require_later(taken)
        if taken.authority != authority:
            _LOG.warning("Namespace %s: its authority gave it to another node", self._parts.namespace)
            rows.believe(self._desk.opened().connection, taken.authority)
            self._desk.outdate()
            # What the new authority told this node came too early to be believed.
            self.again.add(self._parts.topics.member(self._parts.node))
        self.seen_epoch = max(self.seen_epoch, taken.manifest.epoch)
        self.absent.settle()
        self._pursuit.aim(self._desk.opened().connection, taken)

    def _alive_came(self, payload: bytes, now: Moment) -> None:
        known = self._desk.look()
        if known is None:
            return
        said = alive_heard(payload, self._listener(known))
        if self._desk.proposing is not None:
            self._desk.proposing.heard()
        self.seen_epoch = max(self.seen_epoch, said.epoch)
        if known.record is not None and said.epoch == known.in_force.epoch:
            if said.manifest != known.in_force.name:
                raise split(said.epoch)
            self.is_heard = True
            if said.at > known.record.alive_ms:
                rows.confirm(self._desk.opened().connection, said.at)
                self._desk.outdate()
        elif said.epoch > known.in_force.epoch and self._pursuit.target is None:
            self.again.add(self._parts.topics.manifest)
            self.absent.missed(said.manifest, now)

    def _told(self, payload: bytes, now: Moment) -> None:
        known, keys = self._desk.look(), self._parts.keys
        if known is None or keys is None or known.membership.role is not SyncRole.MEMBER:
            return
        told = member_heard(payload, self._listener(known))
        connection = self._desk.opened().connection
        self._desk.outdate()
        if told.state == "removed":
            rows.put_out(connection, told.at)
            _LOG.warning("Namespace %s: this node was put out of it", self._parts.namespace)
            return
        rows.take_told(connection, told, self._parts.namespace, self._parts.node, keys, now.utc_ms)
        if self._desk.proposing is not None and self._desk.proposing.answered(told.answers, now):
            self._desk.refetch()

    def _listener(self, known: rows.Known) -> Listener:
        keys, membership = self._parts.keys, known.membership
        node_key = keys.node.public.hex() if keys else ""
        return Listener(
            self._parts.namespace, membership.authority, self._parts.node, node_key, membership.told_ms
        )
