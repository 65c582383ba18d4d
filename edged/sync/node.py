"""One namespace on this node, whatever the node is to it: looks, and changes the engine with the role."""

import logging
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from typing import Final

from edged.domain.errors import EdgedError
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, NodeLag, SyncRole, SyncState
from edged.store.namespace_files import file_of
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_members import lags
from edged.store.sync_records import Membership, membership
from edged.sync.database_fault import DatabaseFault
from edged.sync.participant import Connection, Letter, Participant
from edged.sync.parts import NodeParts

_LAGS_MS: Final = 5_000
_FILE_MS: Final = 1_000
_PAYLOAD_BYTES: Final = 16_384
"""What is wanted of the broker while there is no engine to say more."""
_HOPEFUL: Final = frozenset({SyncState.IN_STEP, SyncState.BEHIND, SyncState.WAITING})
"""What an engine says that has just begun anew after a fault, and has not met it again yet."""

_LOG: Final = logging.getLogger(__name__)

_Key = tuple[object, ...]


class Node:
    """The participant of a namespace, swapped when commands change what this node is to it.

    A participant itself, and nothing of it raises: what the database does is told as `faulty`, and tried
    again. All calls are one thread's, whose the databases are.

    Args:
        namespace: which.
        make_parts: makes what the engines stand on, anew for each; may raise EdgedError.
        make_engine: the engine of a role.
    """

    def __init__(
        self,
        namespace: str,
        make_parts: Callable[[], NodeParts],
        make_engine: Callable[[SyncRole, NodeParts], Participant],
    ) -> None:
        self.namespace = namespace
        self._make_parts = make_parts
        self._make_engine = make_engine
        self._store: NamespaceStore | None = None
        self._file: tuple[int, int] | None = None
        self._file_ms = 0
        self._version: int | None = None
        self._membership: Membership | None = None
        self._engine: Participant | None = None
        self._engine_key: _Key = ()
        self._connection: Connection | None = None
        self._tickets: dict[int, int] = {}
        self._next_ticket = 1
        self._fault = DatabaseFault(f"Namespace {namespace} is not synced")
        self._state = SyncState.WAITING
        self._seen: tuple[NamespaceSync, Moment] | None = None
        """How the engine stood last, and when."""
        self._lags: tuple[NodeLag, ...] = ()
        self._lags_ms: int | None = None

    @property
    def is_synced(self) -> bool:
        """Whether this node is anything to the namespace, as of the last turn."""
        return self._membership is not None

    # --- what the thread calls

    def connected(self, connection: Connection, now: Moment) -> None:
        """The broker is there."""
        self._connection = connection
        self._tickets.clear()
        self._with_engine(now, lambda engine: engine.connected(connection, now))

    def disconnected(self, now: Moment) -> None:
        """It is gone."""
        self._connection = None
        self._tickets.clear()
        self._with_engine(now, lambda engine: engine.disconnected(now))

    def subscriptions(self) -> frozenset[str]:
        """What is to be read now."""
        return self._engine.subscriptions() if self._engine else frozenset()

    def asks_again(self) -> frozenset[str]:
        """Subscriptions to be made anew."""
        return self._engine.asks_again() if self._engine else frozenset()

    def most_payload_bytes(self) -> int:
        """A larger payload is none that can be wanted."""
        return max(_PAYLOAD_BYTES, self._engine.most_payload_bytes() if self._engine else 0)

    def takes(self, topic: str) -> bool:
        """Whether a message is for this namespace."""
        return self._engine is not None and self._engine.takes(topic)

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        """Something came."""
        self._with_engine(now, lambda engine: engine.arrived(topic, payload, now))

    def turn(self, now: Moment) -> Iterable[Letter]:
        """See what this node is to the namespace, do what is due, give what is to be sent."""
        if self._fault.rests(now):
            return []
        letters: list[Letter] = []
        try:
            self._look(now)
            if self._engine is not None:
                letters = [self._numbered(letter) for letter in self._engine.turn(now)]
        except (EdgedError, sqlite3.Error) as error:
            self._failed(error, now)
        return letters

    def acknowledged(self, ticket: int, now: Moment) -> None:
        """The broker has a letter."""
        own = self._tickets.pop(ticket, None)
        if own is not None:
            self._with_engine(now, lambda engine: engine.acknowledged(own, now))

    def standing(self, now: Moment) -> NamespaceSync:
        """How it is doing."""
        role = self._membership.role if self._membership else SyncRole.JOINING
        if self._engine is not None:
            try:
                seen = self._engine.standing(now)
            except (EdgedError, sqlite3.Error) as error:
                self._failed(error, now)
            else:
                self._seen = seen, now
                return self._doubted(seen)
        return replace(self._last_seen(role, now), role=role, state=self._state, trouble=self._fault.words)

    def _doubted(self, seen: NamespaceSync) -> NamespaceSync:
        """A fault is told until it is known to be over, whatever an engine hopes that began anew after it."""
        words = self._fault.words
        if not words or seen.state not in _HOPEFUL:
            return seen
        return replace(
            seen, state=self._state, trouble="; ".join(each for each in (words, seen.trouble) if each)
        )

    def _last_seen(self, role: SyncRole, now: Moment) -> NamespaceSync:
        """What is known while nothing can be asked: epochs stay, and grow older."""
        if self._seen is None:
            return NamespaceSync(self.namespace, role, self._state)
        seen, at = self._seen
        if not seen.age_ms:
            return seen
        return replace(seen, age_ms=seen.age_ms + now.steady_ms - at.steady_ms)

    def lags(self, now: Moment) -> tuple[NodeLag, ...]:
        """How far the members are, where this node is the authority; asked of the database now and then."""
        if self._store is None or self._membership is None:
            return ()
        if self._membership.role not in {SyncRole.AUTHORITY, SyncRole.SPLIT}:
            return ()
        if self._lags_ms is None or now.steady_ms - self._lags_ms >= _LAGS_MS:
            self._lags_ms = now.steady_ms
            try:
                self._lags = tuple(lags(self._store.connection))
            except sqlite3.Error as error:
                self._failed(error, now)
        return self._lags

    def close(self) -> None:
        """Let go of the database."""
        self._drop_engine()
        if self._store is not None:
            self._store.close()
        self._store, self._version, self._membership = None, None, None

    # --- the role

    def _look(self, now: Moment) -> None:
        if self._store is not None and now.steady_ms - self._file_ms >= _FILE_MS:
            self._file_ms = now.steady_ms
            if file_of(self._store.path) != self._file:
                # It was exchanged: restored, recovered, or deleted.
                self.close()
        if self._store is None:
            self._store = self._make_parts().open_store()
            self._file, self._file_ms = file_of(self._store.path), now.steady_ms
        ((version,),) = self._store.connection.execute("PRAGMA data_version")
        if version == self._version:
            return
        found = membership(self._store.connection)
        key = _key_of(found)
        if key != self._engine_key:
            self._drop_engine()
            self._membership = found
            if found is not None:
                self._begin(found, now)
            self._engine_key = key
        self._membership, self._version = found, version

    def _begin(self, found: Membership, now: Moment) -> None:
        parts = self._make_parts()
        if found.node != parts.node:
            raise EdgedError(
                f"{self.namespace} is synced here as the node `{found.node}`, and this device is called"
                f" `{parts.node}` now: call it as before (`device: {found.node}` in the configuration), or"
                " leave (`edged sync leave --unsaid`) and join again"
            )
        if parts.keys is None:
            raise _MissingKeyError(
                parts.keys_trouble
                or f"this node's own secret for {self.namespace} is not here: put it back (`sync.keys`, or"
                " the file `sync/NAMESPACE.key` of the data folder), or leave and join again"
            )
        self._engine = self._make_engine(found.role, parts)
        self._fault.has_begun()
        self._lags_ms = None
        _LOG.info("Namespace %s: the role of this node is: %s", self.namespace, found.role)
        if self._connection is not None:
            self._engine.connected(self._connection, now)

    def _drop_engine(self) -> None:
        engine, self._engine, self._engine_key = self._engine, None, ()
        self._tickets.clear()
        self._lags = ()
        if engine is not None:
            engine.close()

    # --- the rest

    def _numbered(self, letter: Letter) -> Letter:
        """The letter under a number that no engine before had: late acknowledgements must not be mixed up."""
        ticket, self._next_ticket = self._next_ticket, self._next_ticket + 1
        self._tickets[ticket] = letter.ticket
        return Letter(letter.topic, letter.payload, letter.is_retained, ticket)

    def _with_engine(self, now: Moment, call: Callable[[Participant], None]) -> None:
        if self._engine is None:
            return
        try:
            call(self._engine)
        except (EdgedError, sqlite3.Error) as error:
            self._failed(error, now)

    def _failed(self, error: Exception, now: Moment) -> None:
        is_keyless = isinstance(error, _MissingKeyError)
        self._state = SyncState.NO_KEY if is_keyless else SyncState.FAULTY
        self._fault.failed(error, now, self._store.path if self._store is not None else None)
        was = self._membership
        try:
            self.close()
        except sqlite3.Error as closing:
            _LOG.debug("The database of %s does not close: %s", self.namespace, closing)
        # What it is to the namespace is still so, and shown.
        self._membership = was


class _MissingKeyError(EdgedError):
    """The node's own secret is not here."""


def _key_of(found: Membership | None) -> _Key:
    """What makes another engine necessary."""
    if found is None:
        return ()
    return (found.role, found.node, found.since_ms, found.invitation)


def engine_of(role: SyncRole, parts: NodeParts) -> Participant:
    """The engine of a role, with the sharing of groups where there is any. Raises StoreError."""
    if role in {SyncRole.JOINING, SyncRole.SPLIT}:
        return _alone(role, parts)
    is_sharing = parts.wants_groups or _has_shared(parts)
    engine = _alone(role, parts)
    if not is_sharing:
        return engine
    from edged.sync.with_groups import WithGroups  # noqa: PLC0415 (of those who share)

    return WithGroups(engine, parts)


def _has_shared(parts: NodeParts) -> bool:
    """Whether what was shared is to be taken back, or what others shared to be deleted."""
    with closing(parts.open_store()) as store:
        ((is_left,),) = store.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM sync_group_sharing) OR EXISTS (SELECT 1 FROM sync_group_node)"
        )
    return bool(is_left)


def _alone(role: SyncRole, parts: NodeParts) -> Participant:
    """Each is imported when it is first needed."""
    match role:
        case SyncRole.AUTHORITY | SyncRole.SPLIT:
            from edged.sync.authority import Authority  # noqa: PLC0415

            return Authority(parts)
        case SyncRole.JOINING:
            from edged.sync.joining import Joining  # noqa: PLC0415

            return Joining(parts)
        case SyncRole.MEMBER | SyncRole.REMOVED:
            from edged.sync.member import Member  # noqa: PLC0415

            return Member(parts)
