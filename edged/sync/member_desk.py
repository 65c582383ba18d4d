"""A member's database, what was read of it, and its proposals: opened when needed, and anew after a fault."""

from pathlib import Path

from edged.domain.moment import Moment
from edged.domain.sync_state import SyncRole
from edged.store import sync_following as rows
from edged.store.namespace_store import NamespaceStore
from edged.sync.parts import NodeParts
from edged.sync.proposing import Proposing
from edged.sync.pursuit import Pursuit


class MemberDesk:
    """One member's; its calls raise StoreError.

    Attributes:
        known: what the database said when it was read last; stays where it cannot be read.
        proposing: this node's own changes; None while the database is closed.
    """

    def __init__(self, parts: NodeParts, pursuit: Pursuit) -> None:
        self.known: rows.Known | None = None
        self.proposing: Proposing | None = None
        self._parts = parts
        self._pursuit = pursuit
        self._store: NamespaceStore | None = None
        self._version = -1
        self._is_settled = False

    @property
    def path(self) -> Path | None:
        """The database's file; None while it is closed."""
        return None if self._store is None else self._store.path

    def opened(self) -> NamespaceStore:
        """The database."""
        if self._store is None:
            self._store = self._parts.open_store()
            self.proposing = Proposing(self._parts, self._store)
            self._version, self._is_settled = -1, False
        return self._store

    def look(self) -> rows.Known | None:
        """What the database says, read again where anybody changed it."""
        store = self.opened()
        ((version,),) = store.connection.execute("PRAGMA data_version")
        if version != self._version:
            was, self.known, self._version = self.known, rows.known(store.connection), version
            if self.known is None:
                return None
            self._follow(was, self.known)
            self.refetch()
        return self.known

    def _follow(self, was: rows.Known | None, known: rows.Known) -> None:
        is_new = was is None or was.in_force != known.in_force
        # After a fault the proposals are others, which follow nothing yet.
        if known.manifest and self.proposing and (is_new or not self.proposing.is_following):
            self.proposing.follow(known.manifest)

    def outdate(self) -> None:
        """This node wrote to it: it is to be read again."""
        self._version = -1

    def refetch(self) -> None:
        """See what is to be applied again."""
        self._pursuit.aim_again(self.opened().connection, self.known)

    def applied(self) -> None:
        """An epoch is in force: what follows from it is due."""
        self._version, self._is_settled = -1, False

    def settle(self, now: Moment) -> None:
        """Do what follows from the epoch in force; at the start too, in case that it did not come about."""
        known, keys, parts = self.known, self._parts.keys, self._parts
        if self._is_settled or known is None or keys is None or known.membership.role is not SyncRole.MEMBER:
            return
        if known.has_to_settle:
            rows.settle_keys(self.opened().connection, parts.node, parts.namespace, keys, now.utc_ms)
            self.outdate()
            self.look()
        self._is_settled = True

    def close(self) -> None:
        """Let go of the database."""
        store, self._store, self.proposing, self._version = self._store, None, None, -1
        if store is not None:
            store.close()
