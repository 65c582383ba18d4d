"""The epoch that is to be in force next: its pages, and the transaction that applies it."""

import sqlite3
from collections.abc import Callable
from typing import Final

from edged.domain.moment import Moment
from edged.domain.sync_state import SyncRole
from edged.replication.following import Accepted, ask_again_ms
from edged.replication.keys import NamespaceKey, envelope_place
from edged.replication.refusal import Refusal, RefusedError
from edged.store.sync_applying import Applied, apply_epoch, lacking
from edged.store.sync_following import Known
from edged.store.sync_staging import keep_only, stage, staged_names
from edged.sync.page_fetching import PageFetching
from edged.sync.parts import NodeParts


class Pursuit:
    """Goes after one epoch at a time; a later one takes its place.

    Args:
        parts: what the member stands on.
        refused: told of a page that was not taken.
        alarmed: told of an epoch that cannot be applied.
    """

    def __init__(
        self,
        parts: NodeParts,
        refused: Callable[[RefusedError], None],
        alarmed: Callable[[RefusedError], None],
    ) -> None:
        self._parts = parts
        self._refused = refused
        self._alarmed = alarmed
        self._ask_every_ms: Final = round(parts.settings.ask_every * 1000)
        self.fetching: Final = PageFetching(parts.topics, self._ask_every_ms, parts.jitter, parts.mirror)
        self.target: Accepted | None = None
        """The manifest that is to be in force next; None where the one in force is all there is."""
        self._apply_ms = 0
        self._failures = 0
        self._split_epoch = 0
        """An epoch that is told in two ways: neither is applied."""

    def drop(self) -> None:
        """Go after nothing."""
        self.target = None
        self.fetching.want(())

    def aim(self, connection: sqlite3.Connection, taken: Accepted) -> None:
        """Have a manifest in force next: fetch what it needs."""
        self._failures = self._apply_ms = 0
        self._fetch(connection, taken)

    def is_after(self, payload: bytes) -> bool:
        """Whether this very manifest is on its way already."""
        return self.target is not None and payload == self.target.payload

    def require_later(self, taken: Accepted) -> None:
        """Raise RefusedError for a manifest that is not of a later epoch than the one on its way.

        Of the same one, neither is gone after any more.
        """
        epoch = taken.manifest.epoch
        if self.target is not None and epoch == self.target.manifest.epoch:
            self._split_epoch = epoch
            self.drop()
        if epoch == self._split_epoch:
            raise split(epoch)
        if epoch < self._split_epoch or (self.target is not None and epoch < self.target.manifest.epoch):
            raise RefusedError(Refusal.OLD, f"epoch {epoch} came after a later one")

    def aim_again(self, connection: sqlite3.Connection, known: Known | None) -> None:
        """See what is to be applied again of the epoch in force, where no later one is on its way."""
        if known is not None and known.membership.role is SyncRole.REMOVED:
            # Nothing of it opens any more.
            self.drop()
            return
        if self.target is not None or known is None or known.record is None or known.manifest is None:
            return
        if lacking(connection, known.manifest):
            in_force = known.record.manifest, known.in_force.name, known.membership.authority
            self.aim(connection, Accepted(known.manifest, *in_force))

    def go_on(
        self, connection: sqlite3.Connection, known: Known, now: Moment, *, is_connected: bool
    ) -> tuple[Accepted, Applied] | None:
        """Take over what came, and apply the epoch once all is there; returns what is in force since."""
        for error in self.fetching.turn(now) if is_connected else ():
            self._refused(error)
        came = self.fetching.came()
        if came:
            stage(connection, came, now.utc_ms)
            self.fetching.staged()
            self.fetching.turn(now)
        if self.target is None or self.fetching.missing or now.steady_ms < self._apply_ms:
            return None
        key = self.key(known, self.target.manifest.key_generation)
        return None if key is None else self._applied(connection, self.target, key, now)

    def key(self, known: Known, generation: int) -> NamespaceKey | None:
        """The namespace's key of a generation; None where it is not here."""
        keys, envelope = self._parts.keys, known.envelopes.get(generation)
        if keys is None or envelope is None:
            return None
        place = envelope_place(self._parts.namespace, self._parts.node, generation)
        try:
            return NamespaceKey(keys.open_envelope(envelope, place), generation)
        except RefusedError:
            return None

    def _fetch(self, connection: sqlite3.Connection, taken: Accepted) -> None:
        needed = lacking(connection, taken.manifest)
        keep_only(connection, {entry.sha256 for entry in needed})
        staged = staged_names(connection)
        self.target = taken
        self.fetching.want([entry for entry in needed if entry.sha256 not in staged])

    def _applied(
        self, connection: sqlite3.Connection, taken: Accepted, key: NamespaceKey, now: Moment
    ) -> tuple[Accepted, Applied] | None:
        try:
            applied = apply_epoch(connection, taken, key, now.utc_ms)
        except LookupError:
            # Somebody changed what is needed meanwhile.
            self._fetch(connection, taken)
            return None
        except RefusedError as error:
            self._alarmed(error)
            self._failures += 1
            wait_ms = ask_again_ms(self._failures, self._ask_every_ms, self._parts.jitter)
            self._apply_ms = now.steady_ms + wait_ms
            # Pages that open to nonsense are asked for anew.
            keep_only(connection, ())
            self._fetch(connection, taken)
            return None
        self.target, self._failures = None, 0
        return taken, applied


def split(epoch: int) -> RefusedError:
    """That an epoch is told in two ways."""
    return RefusedError(Refusal.SPLIT, f"there are two different epochs {epoch}: two nodes write")
