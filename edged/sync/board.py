"""What is known of the sync of each namespace, for whoever wants to look: metrics, state, the galleries."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edged.domain.sync_state import NamespaceSync, NodeLag, SyncState

_FAILED: Final = "edged itself failed, and begins anew: the log has what happened, for an issue report"


class SyncBoard:
    """The latest standing of each namespace, and of the members where this node is the authority.

    Written by the thread of the sync, read by any. All calls take no longer than a copy of a small table.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standings: dict[str, NamespaceSync] = {}
        self._members: dict[str, tuple[NodeLag, ...]] = {}
        self._listeners: tuple[Callable[[NamespaceSync], None], ...] = ()

    def on_tell(self, listener: Callable[[NamespaceSync], None]) -> None:
        """Have every standing that differs from the one before told to `listener`, by the telling thread.

        It must be quick and must not raise.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def tell(self, standing: NamespaceSync, members: tuple[NodeLag, ...] = ()) -> None:
        """Replace what is known of the standing's namespace."""
        with self._lock:
            is_news = self._standings.get(standing.namespace) != standing
            self._standings[standing.namespace] = standing
            self._members[standing.namespace] = members
            listeners = self._listeners if is_news else ()
        for listener in listeners:
            listener(standing)

    def fail(self) -> None:
        """Have all that is known be `faulty`, until it is told anew: whoever tells it has a fault itself."""
        for standing in self.standings():
            failed = replace(standing, state=SyncState.FAULTY, trouble=_FAILED)
            self.tell(failed, self.members(standing.namespace))

    def forget(self, namespace: str) -> None:
        """Know nothing of a namespace any more: it is not synced. Nothing where it was not known."""
        with self._lock:
            self._standings.pop(namespace, None)
            self._members.pop(namespace, None)

    def standings(self) -> tuple[NamespaceSync, ...]:
        """The latest of each namespace, by their names."""
        with self._lock:
            return tuple(standing for _, standing in sorted(self._standings.items()))

    def standing(self, namespace: str) -> NamespaceSync | None:
        """The latest of one namespace; None where it is not synced, or nothing was told yet."""
        with self._lock:
            return self._standings.get(namespace)

    def members(self, namespace: str) -> tuple[NodeLag, ...]:
        """How far each member is, as the authority knows it; nothing at a node that is not the authority."""
        with self._lock:
            return self._members.get(namespace, ())
