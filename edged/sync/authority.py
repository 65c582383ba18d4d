"""The one node of a namespace that publishes: what is in its database is so everywhere."""

from collections.abc import Iterable
from typing import Final

from edged.domain.errors import StoreError, StoreFault
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.replication.publishing import Found, OwnEpoch, judged
from edged.replication.refusal import RefusedError
from edged.replication.statement import MOST_BYTES, StatementKind
from edged.replication.statements import name_of
from edged.replication.topics import JOIN, PROPOSAL, REPORT
from edged.store.database import transaction
from edged.store.sync_founding import end_restoring
from edged.store.sync_members import count_members, count_waiting
from edged.store.sync_records import Membership, membership
from edged.sync.authority_desk import AuthorityDesk
from edged.sync.catching_up import CatchingUp
from edged.sync.deciding import Deciding
from edged.sync.epoch_making import EpochMaking
from edged.sync.founded_elsewhere import FoundedElsewhere
from edged.sync.handing_over import HandingOver
from edged.sync.member_arrivals import MemberArrivals
from edged.sync.member_telling import MemberTelling
from edged.sync.page_publishing import PagePublishing
from edged.sync.participant import Connection, Letter
from edged.sync.parts import NodeParts

_SETTLE_MS: Final = 1_000
"""So long a broker is given to show the manifest that it keeps."""
_SETTLE_RESTORED_MS: Final = 10_000
_SPLIT: Final = (
    "another node publishes with this authority's key, and nothing is published from here any more: settle it"
    ' as docs/sync.md says ("Two writers")'
)
_BESIDE_BYTES: Final = 200


class Authority:
    """A `Participant`: makes epochs of what changed, publishes them, tells members, takes reports and joins.

    Opens the database at once; raises StoreError. Later calls raise StoreError too: `Node` tells it.
    """

    def __init__(self, parts: NodeParts) -> None:
        if parts.keys is None:
            raise StoreError(
                f"this node's own secret for {parts.namespace} is not here", fault=StoreFault.SEALED
            )
        self.namespace = parts.namespace
        self._desk = AuthorityDesk(parts, parts.open_store(), parts.keys)
        self._deciding = Deciding(parts, self._desk.store)
        self._telling = MemberTelling(self._desk, self._deciding.answers)
        self._handing = HandingOver(self._desk, self._telling)
        self._making = EpochMaking(self._desk, self._handing)
        self._pages = PagePublishing(self._desk)
        self._elsewhere = FoundedElsewhere(self._desk)
        self._arrivals = MemberArrivals(self._desk, self._pages)
        self._catching: CatchingUp | None = None
        self._row: Membership | None = None
        self._started_ms: int | None = None
        self._connected: Moment | None = None
        self._is_settled = False
        self._told_generation = 0
        self._arrived_bytes = 0
        self._caught_up = 0

    # --- the connection

    def connected(self, connection: Connection, now: Moment) -> None:
        """The broker is there: what it keeps is looked at first."""
        self._start(now)
        self._desk.connection = connection
        self._connected = now
        if self._catching is not None:
            self._catching.engine.connected(connection, now)

    def disconnected(self, now: Moment) -> None:
        """It is gone."""
        self._desk.connection = None
        self._connected = None
        self._is_settled = False
        self._desk.outgoing.lose_all()
        self._pages.connection_lost()
        if self._catching is not None:
            self._catching.engine.disconnected(now)

    def subscriptions(self) -> frozenset[str]:
        """Its own manifest, to see whether somebody else writes; and what nodes say."""
        topics = self._desk.parts.topics
        own = {topics.manifest} | {topics.of_all_nodes(what) for what in (REPORT, JOIN, PROPOSAL)}
        return frozenset(own) | (self._catching.engine.subscriptions() if self._catching else frozenset())

    def asks_again(self) -> frozenset[str]:
        """Of what is caught up with."""
        return self._catching.engine.asks_again() if self._catching else frozenset()

    def most_payload_bytes(self) -> int:
        """Of a manifest."""
        return MOST_BYTES[StatementKind.MANIFEST] + _BESIDE_BYTES

    def takes(self, topic: str) -> bool:
        """Whether a message is for it."""
        topics = self._desk.parts.topics
        if topic == topics.manifest or topics.node_of(topic) is not None:
            return True
        return self._catching is not None and self._catching.engine.takes(topic)

    # --- what comes

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        """Something came. Raises StoreError."""
        self._arrived_bytes += len(payload)
        self._start(now)
        try:
            self._take(topic, payload, now)
        except RefusedError as error:
            self._desk.refuse(error, topic)

    def _take(self, topic: str, payload: bytes, now: Moment) -> None:
        topics = self._desk.parts.topics
        if self._catching is not None:
            self._catching.arrived(topic, payload, now)
        if not self._is_ready():
            return
        if topic == topics.manifest:
            self._manifest_came(payload, now)
            return
        node, what = topics.node_of(topic) or ("", "")
        if not payload or (node == self._desk.parts.node and what != JOIN):
            return
        if what == REPORT:
            self._arrivals.reported(node, payload, now)
        elif what == JOIN:
            self._arrivals.wants_in(node, payload, now)
        elif what == PROPOSAL:
            handovers = self._desk.manifest.handovers if self._desk.manifest else ()
            self._deciding.arrived(payload, self._arrivals.known(node), handovers, now)

    def _manifest_came(self, payload: bytes, now: Moment) -> None:
        if self._catching is not None:
            return
        name, desk = name_of(payload), self._desk
        if name in self._pages.own_names and name != desk.name:
            return
        try:
            found, manifest = judged(payload, self.namespace, desk.keys.authority.public, self._own())
        except RefusedError as error:
            self._pages.manifest_lost()
            self._elsewhere.came(payload, error, now)
            self._is_settled = True
            raise
        self._elsewhere.is_own(now)
        match found:
            case Found.OURS | Found.OLDER:
                if self._is_settled and found is Found.OLDER:
                    self._pages.manifest_lost()
                else:
                    self._told_generation = manifest.key_generation
                    self._pages.found_on_broker(manifest, name)
                self._nothing_to_restore()
            case Found.OVERRULED:
                self._pages.manifest_lost()
                self._telling.broker_is_blank()
                desk.is_hurried = True
                self._nothing_to_restore()
            case Found.NEWER:
                self._catching = CatchingUp(desk, payload, manifest.epoch, now)
            case Found.SPLIT:
                self._stop(now)
            case Found.SUCCEEDED:
                self._handing.step_back(bytes.fromhex(manifest.authority), now)
        self._is_settled = True

    def _own(self) -> OwnEpoch:
        desk, row = self._desk, self._row
        is_own = desk.manifest is not None and desk.manifest.authority == desk.keys.authority.public.hex()
        successor = desk.manifest.successor if is_own and desk.manifest is not None else None
        return OwnEpoch(
            epoch=desk.epoch,
            name=desk.name,
            successor="" if successor is None else successor[1],
            started_ms=self._started_ms or 0,
            has_changes=self._making.has_changes,
            is_restored=row is not None and row.is_restored,
        )

    def _stop(self, now: Moment) -> None:
        with transaction(self._desk.store.connection) as connection:
            connection.execute("UPDATE sync_membership SET role = 'split', since_ms = ?", (now.utc_ms,))
        self._desk.outgoing.lose_all()
        self._row = membership(self._desk.store.connection)
        self._desk.tell("split", _SPLIT)

    # --- what is due

    def turn(self, now: Moment) -> Iterable[Letter]:
        """Do what is due, and give what is to be sent. Raises StoreError."""
        self._start(now)
        if not self._is_ready() or self._row is None:
            return []
        self._arrivals.write_down()
        if self._desk.connection is None:
            return []
        if self._catching is not None:
            self._catch_up(now)
            return []
        if not self._settles(now) or self._elsewhere.stands_back(now):
            return []
        self._making.sweep(now)
        self._making.turn(self._row, now)
        self._telling.turn(now)
        self._publish(now)
        return self._desk.outgoing.taken()

    def _publish(self, now: Moment) -> None:
        manifest = self._desk.manifest
        if manifest is None:
            return
        is_told = self._telling.is_done
        # A page must not be there before those who may read it have its key.
        if is_told or self._told_generation == manifest.key_generation:
            self._pages.turn(now)
        if not is_told or not self._pages.is_in_force:
            return
        self._told_generation = manifest.key_generation
        self._making.forget_old_keys()
        if self._handing.is_published and manifest.successor is not None:
            self._handing.step_back(bytes.fromhex(manifest.successor[1]), now)

    def _catch_up(self, now: Moment) -> None:
        if self._catching is not None and self._catching.turn(now):
            self._catching.close()
            self._catching = None
            self._caught_up += 1
            self._desk.read()
            if self._desk.manifest is not None:
                self._told_generation = self._desk.manifest.key_generation
                self._pages.found_on_broker(self._desk.manifest, self._desk.name)

    def _settles(self, now: Moment) -> bool:
        """Whether it is known what the broker keeps; one that shows nothing for a while has nothing."""
        if self._is_settled or self._connected is None or self._row is None:
            return self._is_settled
        patience_ms = _SETTLE_RESTORED_MS if self._row.is_restored else _SETTLE_MS
        if now.steady_ms - self._connected.steady_ms < patience_ms:
            return False
        self._is_settled = True
        self._telling.broker_is_blank()
        self._nothing_to_restore()
        return True

    def _nothing_to_restore(self) -> None:
        """What was published last is known: a later epoch of this key is another writer's from here on."""
        if self._row is not None and self._row.is_restored:
            with transaction(self._desk.store.connection) as connection:
                end_restoring(connection)

    def _start(self, now: Moment) -> None:
        if self._started_ms is None:
            self._started_ms = now.utc_ms

    def _is_ready(self) -> bool:
        """Read what this node is to the namespace, its epoch and its key; whether it may do anything."""
        desk = self._desk
        self._row = membership(desk.store.connection)
        if self._row is None or self._row.role is not SyncRole.AUTHORITY:
            # Where two write, what was published last from here is told all the same.
            desk.read_epoch()
            return False
        if self._row.authority != desk.keys.authority.public:
            desk.tell("key", "this node's secret is not the one that it is the authority with: put it back")
            return False
        try:
            desk.read()
        except RefusedError as error:
            desk.tell("key", f"{error.words}: put this node's secret back")
            return False
        desk.tell("key", "")
        return True

    # --- how it is doing

    def acknowledged(self, ticket: int, now: Moment) -> None:
        """The broker has a letter."""
        self._desk.outgoing.acknowledged(ticket, now)

    def standing(self, now: Moment) -> NamespaceSync:
        """How it is doing."""
        desk = self._desk
        role = self._row.role if self._row is not None else SyncRole.AUTHORITY
        count, behind = count_members(desk.store.connection, desk.epoch)
        trouble = list(desk.trouble.values())
        if self._catching is not None and (words := self._catching.engine.standing(now).trouble):
            trouble.append(f"what was published from here before is not taken over: {words}")
        if role is SyncRole.SPLIT and _SPLIT not in trouble:
            trouble.append(_SPLIT)
        return NamespaceSync(
            namespace=self.namespace,
            role=role,
            state=self._state(role),
            epoch=desk.epoch,
            seen_epoch=max(desk.epoch, desk.floor, self._catching.epoch if self._catching else 0),
            age_ms=0,
            proposals=count_waiting(desk.store.connection),
            members=count,
            members_behind=behind,
            trouble="; ".join(trouble),
            refused=dict(desk.refused),
            applied=self._caught_up,
            published=self._pages.published,
            bytes_in=self._arrived_bytes,
            bytes_out=desk.outgoing.sent_bytes,
            page_requests=self._pages.page_requests,
        )

    def _state(self, role: SyncRole) -> SyncState:
        state = SyncState.IN_STEP if self._pages.is_in_force else SyncState.BEHIND
        # The first that holds.
        for reason, holds in (
            (SyncState.SPLIT, role is SyncRole.SPLIT),
            (SyncState.NO_KEY, "key" in self._desk.trouble),
            (SyncState.OFFLINE, self._desk.connection is None),
            (SyncState.BEHIND, self._catching is not None),
            (SyncState.FAULTY, bool(self._desk.trouble)),
            (SyncState.WAITING, not self._is_settled),
        ):
            if holds:
                return reason
        return state

    def close(self) -> None:
        """Let go of the database."""
        if self._catching is not None:
            self._catching.close()
        self._desk.store.close()
