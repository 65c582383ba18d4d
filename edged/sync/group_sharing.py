"""Shares this node's groups of unknown people with the other nodes of a namespace, and takes in theirs."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import msgspec

from edged.domain.identifiers import FEED_ID
from edged.domain.kept_time import KNOWN_MS
from edged.domain.moment import Moment
from edged.replication.keys import NamespaceKey
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.shared_groups import MOST_GROUPS_BYTES, groups_place, heard, said
from edged.store import sync_groups as rows
from edged.store.namespace_store import NamespaceStore
from edged.sync.group_counts import GroupCounts
from edged.sync.outgoing import Outgoing
from edged.sync.participant import Connection
from edged.sync.parts import NodeParts

TELL_EVERY_MS: Final = 10_000
"""Changes are gathered for so long after a word; the first after a while goes out at once, and so does what
somebody made of a group."""
_LOOK_MS: Final = 500
_REFRESH_MS: Final = 86_400_000
"""Well before others take a word for stale."""
_SETTLE_MS: Final = 2_000
_SWEEP_MS: Final = 600_000
_GRACE_MS: Final = 3_600_000
"""After a new key, nodes have so long to share their groups anew."""
_MOST_WAITING_BYTES: Final = 4_000_000
_MOST_REMEMBERED: Final = 1_000

_LOG: Final = logging.getLogger(__name__)


class GroupSharing:
    """The sharing of one namespace while it goes on; see `edged.sync.with_groups`."""

    def __init__(self, parts: NodeParts, outgoing: Outgoing, refused: Callable[[RefusedError], None]) -> None:
        self._parts = parts
        self._outgoing = outgoing
        self._refused = refused
        self._topic = parts.topics.groups(parts.node)
        self._own = rows.OwnGroups(parts.model_hash)
        self._came: dict[str, bytes] = {}
        self._seen: dict[str, bytes] = {}
        self._asks = False
        self._has_begun = False
        self._generation = 0
        self._generation_ms = 0
        self._told: bytes | None = None
        self._told_ms: int | None = None
        self._version = -1
        self._look_ms = self._tell_ms = self._settle_ms = self._sweep_ms = 0
        self._log_ms: int | None = 0
        """When the database's log is to be emptied; None: nothing of what was deleted is left there. At the
        start there may be: the run before may have ended between the two."""
        self._is_taken_back = False
        self.counts = GroupCounts()

    # --- what comes

    def reconnected(self) -> None:
        """There is another connection: the broker may have forgotten what it was given."""
        self._told = None
        self._seen.clear()

    def reopened(self) -> None:
        """The database was opened anew: what its connection counts of changes begins anew."""
        self._version = -1

    def asks_again(self) -> bool:
        """Whether something came that could not be taken yet; each call forgets it."""
        asks, self._asks = self._asks, False
        return asks

    def came(self, node: str, payload: bytes) -> None:
        """The groups of a node came, or nothing: it shares none any more."""
        if node == self._parts.node:
            if not payload:
                # Somebody cleared what this node said.
                self._told = None
            return
        if len(payload) > MOST_GROUPS_BYTES or not FEED_ID.fullmatch(node):
            self._refused(RefusedError(Refusal.OVERSIZED, f"groups of {len(payload)} bytes came"))
            return
        if self._seen.get(node) == _digest(payload):
            return
        waiting = sum(map(len, self._came.values())) - len(self._came.get(node, b""))
        if waiting + len(payload) > _MOST_WAITING_BYTES or len(self._came) >= _MOST_REMEMBERED:
            self._asks = True
            return
        self._came[node] = payload

    # --- what is due

    def turn(
        self, store: NamespaceStore, now: Moment, key: NamespaceKey, connection: Connection | None
    ) -> None:
        """Take in what came, let go of what is too old, and say what is new here. Raises StoreError."""
        if not self._has_begun:
            rows.begin_sharing(store.connection)
            self._has_begun = True
        if key.generation != self._generation:
            # What others say with it may have come before it was here.
            self._asks = self._generation > 0
            self._generation, self._generation_ms = key.generation, now.steady_ms
            self._told = None
            self._seen.clear()
        if self._take(store, now, key) + self._settle(store, now) + self._sweep(store, now):
            self._log_ms = now.steady_ms
        self._empty_log(store, now)
        if connection is not None:
            self._tell(store, now, key, connection)

    def end(self, store: NamespaceStore, now: Moment, connection: Connection | None) -> bool:
        """Delete what others shared, and take back what this node did; whether all of it is done."""
        self._came.clear()
        if rows.forget_what_others_share(store.connection):
            self._log_ms = now.steady_ms
        self._empty_log(store, now)
        if rows.is_sharing(store.connection):
            if self._is_taken_back:
                rows.end_sharing(store.connection)
            elif (
                connection is not None
                and self._outgoing.room
                and not self._outgoing.is_under_way(self._topic)
            ):
                self._outgoing.post(self._topic, b"", self._taken_back)
        return self._log_ms is None and not rows.is_anything_left(store.connection)

    def _empty_log(self, store: NamespaceStore, now: Moment) -> None:
        """Let nothing of what was deleted be left in the log; while somebody reads there, later."""
        if self._log_ms is not None and now.steady_ms >= self._log_ms:
            self._log_ms = now.steady_ms + _SETTLE_MS if any(store.swept_log()) else None

    def _taken_back(self, now: Moment) -> None:  # noqa: ARG002 (of letters)
        self._is_taken_back = True

    def _before_ms(self, now: Moment) -> int:
        groups = self._parts.groups
        return now.utc_ms - round(groups.max_age * 1000) if groups and now.utc_ms >= KNOWN_MS else 0

    def _take(self, store: NamespaceStore, now: Moment, key: NamespaceKey) -> int:
        """Take in what came; returns how many groups others have named, merged or forgotten."""
        gone = 0
        while self._came:
            node, payload = next(iter(self._came.items()))
            try:
                gone += self._take_one(store, node, payload, now, key)
            except RefusedError as error:
                self._refused(error)
                if error.refusal is Refusal.NO_KEY:
                    # It is asked for again once the key is here.
                    self._seen.pop(node, None)
            # Not before: what the database did not take is tried again.
            self._came.pop(node, None)
        return gone

    def _take_one(
        self, store: NamespaceStore, node: str, payload: bytes, now: Moment, key: NamespaceKey
    ) -> int:
        if len(self._seen) >= _MOST_REMEMBERED:
            self._seen.clear()
        self._seen[node] = _digest(payload)
        if not payload:
            gone = int(rows.take_back(store.connection, node))
        else:
            parts = self._parts
            place = groups_place(parts.namespace, node)
            word = heard(payload, key, place, parts.model_hash, parts.embedder.size)
            gone = rows.take_in(
                store.connection,
                node,
                word,
                key.generation,
                now_ms=now.utc_ms,
                before_ms=self._before_ms(now),
            )
        self.counts = replace(self.counts, elsewhere=rows.count_elsewhere(store.connection))
        # What others know of groups that are here too changes what this node says.
        self._version = -1
        return gone

    def _settle(self, store: NamespaceStore, now: Moment) -> int:
        if now.steady_ms < self._settle_ms:
            return 0
        self._settle_ms = now.steady_ms + _SETTLE_MS
        return rows.settle(store.connection, now.utc_ms)

    def _sweep(self, store: NamespaceStore, now: Moment) -> int:
        if now.steady_ms < self._sweep_ms:
            return 0
        self._sweep_ms = now.steady_ms + _SWEEP_MS
        has_had_time = now.steady_ms - self._generation_ms >= _GRACE_MS
        gone = rows.sweep(
            store.connection,
            now_ms=now.utc_ms,
            before_ms=self._before_ms(now),
            generation=self._generation if has_had_time else 0,
        )
        self.counts = replace(self.counts, elsewhere=rows.count_elsewhere(store.connection))
        return int(gone)

    # --- what it says

    def _tell(self, store: NamespaceStore, now: Moment, key: NamespaceKey, connection: Connection) -> None:
        is_free = self._outgoing.room and not self._outgoing.is_under_way(self._topic)
        if not is_free or now.steady_ms < self._look_ms:
            return
        self._look_ms = now.steady_ms + _LOOK_MS
        if now.steady_ms < self._tell_ms and not rows.has_untold_fates(store.connection):
            return
        ((version,),) = store.connection.execute("PRAGMA data_version")
        is_due = self._told_ms is None or now.steady_ms - self._told_ms >= _REFRESH_MS
        if version == self._version and self._told is not None and not is_due:
            return
        fates = rows.fates_due(store.connection, now.utc_ms)
        groups = self._own.read(store.connection)
        content = _digest(msgspec.msgpack.encode((key.generation, groups, fates)))
        is_nothing = not groups and not fates and not rows.has_said(store.connection)
        if is_nothing or (content == self._told and not is_due):
            self._version = version
            return
        most_bytes = connection.most_payload_bytes
        word = said(
            groups,
            fates,
            at_ms=rows.next_word_ms(store.connection, now.utc_ms),
            model=self._parts.model_hash,
            key=key,
            place=groups_place(self._parts.namespace, self._parts.node),
            most_bytes=MOST_GROUPS_BYTES if most_bytes is None else most_bytes,
        )
        if word.left_out and not self.counts.left_out:
            _LOG.warning(
                "Namespace %s: %d groups of unknown people are shared, for %d there is no room",
                self._parts.namespace,
                word.groups,
                word.left_out,
            )
        self.counts = replace(self.counts, shared=word.groups, left_out=word.left_out)
        self._tell_ms = now.steady_ms + TELL_EVERY_MS
        self._outgoing.post(self._topic, word.payload, lambda at: self._has_told(content, at))
        # Not before: what could not be written down, or said, is due again.
        self._version = version

    def _has_told(self, content: bytes, at: Moment) -> None:
        self._told, self._told_ms = content, at.steady_ms


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
