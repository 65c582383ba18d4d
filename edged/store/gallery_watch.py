"""The thread that sees what commands do to the enrolled people while the daemon runs."""

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError
from edged.domain.group import GroupChange
from edged.domain.identity import GalleryChange
from edged.domain.moment import Clock
from edged.store.faults import translated
from edged.store.gallery_age import GalleryAge, OldTruth
from edged.store.gallery_ports import Erasures, Galleries, Groups
from edged.store.group_store import GroupStore
from edged.store.namespace_files import file_of, namespace_path
from edged.store.namespace_recovery import Recovery, open_or_recover
from edged.store.namespace_snapshots import APART_MS
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key

POLL_S: Final = 0.3
"""A change is seen within this; asking costs one read of shared memory and one stat."""

_REST_LOOKS: Final = 10
"""After a fault the file is left alone for so many looks: opening it anew proves it, which costs reading."""

_LOG: Final = logging.getLogger(__name__)
_NOBODY: Final = GalleryChange(0, (), ())
_NO_GROUPS: Final = GroupChange(-1, is_whole=True, changed=())


class GalleryWatch(threading.Thread):
    """Keeps the galleries, and the groups, as the namespaces' databases are, and the databases in order.

    A database may appear, be exchanged or vanish at any time. It also takes the snapshots, because it is
    the one in the daemon that has the files open. No error ends it: each is logged once, and once more in
    other words when it is over.
    """

    def __init__(
        self,
        data_dir: Path,
        namespaces: Iterable[str],
        model_hash: str,
        galleries: Galleries,
        clock: Clock,
        new_id: Callable[[], str],
        groups: Groups | None = None,
        *,
        key: Key | None = None,
        erasures: Erasures | None = None,
        old: OldTruth | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        super().__init__(name="gallery-watch", daemon=True)
        self._poll_s = poll_s
        self._watched = [
            _Watched(
                namespace,
                namespace_path(data_dir, namespace),
                model_hash,
                galleries,
                partial(open_or_recover, clock=clock, new_id=new_id, key=key),
                clock,
                groups,
                erasures,
                age=None if old is None else GalleryAge(namespace, old),
            )
            for namespace in dict.fromkeys(namespaces)
        ]
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._read_once = threading.Event()
        self.beats = 0
        """Counts the looks: whoever watches sees that it goes on."""

    def wait_until_read(self, timeout_s: float) -> bool:
        """Wait until every namespace was looked at once, so that the first frame meets a full gallery."""
        return self._read_once.wait(timeout_s)

    def remarks(self) -> list[str]:
        """What a person should know of the age of what is known, in words; any thread may ask."""
        return [watched.age.remark for watched in self._watched if watched.age and watched.age.remark]

    def withheld(self) -> frozenset[str]:
        """The namespaces of which nobody is recognised, because what is known is old; any thread may ask."""
        return frozenset(
            watched.namespace for watched in self._watched if watched.age and watched.age.is_withheld
        )

    def wake(self) -> None:
        """Look now: whoever calls has just changed a namespace. May be called by any thread."""
        self._woken.set()

    def stop(self, timeout_s: float) -> bool:
        """End the thread, with a last snapshot where one is wanting; False when it did not end in time."""
        self._stopping.set()
        self._woken.set()
        if self.ident is not None:
            self.join(timeout_s)
        return not self.is_alive()

    def run(self) -> None:
        """Look at each namespace in turn until stopped."""
        while True:
            # Before the look: a change during it is looked for again.
            self._woken.clear()
            self.beats += 1
            for watched in self._watched:
                watched.look()
            # Whoever waits for the people need not wait for the copying.
            self._read_once.set()
            for watched in self._watched:
                watched.keep_snapshot()
            if not self._stopping.is_set():
                self._woken.wait(self._poll_s)
            if self._stopping.is_set():
                break
        for watched in self._watched:
            watched.close()


class _Watched:
    """One namespace, as the watching thread sees it."""

    def __init__(
        self,
        namespace: str,
        path: Path,
        model_hash: str,
        galleries: Galleries,
        opening: Callable[[Path], tuple[NamespaceStore, Recovery | None]],
        clock: Clock,
        groups: Groups | None,
        erasures: Erasures | None,
        *,
        age: GalleryAge | None,
    ) -> None:
        self.age = age
        self.namespace = namespace
        self._is_withheld = False
        self._erasures = erasures
        self._is_followed = True
        self._has_complained = False
        self._path = path
        self._model_hash = model_hash
        self._galleries = galleries
        self._groups = groups
        self._opening = opening
        self._clock = clock
        self._store: NamespaceStore | None = None
        self._file: tuple[int, int] | None = None
        self._data_version = -1
        self._revision = 0
        self._group_revision = -1
        self._is_known = False
        self._snapshotted = -1
        self._snapshot_rests_until_ms = 0
        self._trouble = ""
        self._looks_to_rest = 0

    def look(self) -> None:
        """See whether anything changed, and pass it on; never raises."""
        if self.age is not None:
            # Also of a file that cannot be read: what was read of it grows old all the same.
            self._heed(self.age)
        if self._looks_to_rest:
            self._looks_to_rest -= 1
            return
        try:
            self._look()
        except StoreError as error:
            self._say_once(str(error))
            # The next look opens the file anew, and so finds out whether it is damaged.
            self._let_go()
        except Exception:  # noqa: BLE001 (the thread's top: a gallery that stood still unseen would be worse)
            _LOG.exception("namespace %s: looking at the enrolled people failed", self.namespace)
            self._let_go()
        else:
            if self._trouble:
                _LOG.warning("namespace %s: its database is in order again", self.namespace)
                self._trouble = ""

    def keep_snapshot(self, *, is_last: bool = False) -> None:
        """Copy what has no copy yet; never raises. A failure is said, and tried again after a while."""
        store, now = self._store, self._clock.moment()
        if store is None or self._snapshotted == self._revision:
            return
        if now.steady_ms < self._snapshot_rests_until_ms and not is_last:
            return
        utc_ms = now.utc_ms
        try:
            if store.snapshots.is_due(store.connection, utc_ms, is_last=is_last):
                store.snapshots.take(store.connection, utc_ms)
            elif not is_last and store.snapshots.is_behind(store.connection):
                return
        except StoreError as error:
            _LOG.error("namespace %s: no snapshot was taken: %s", self.namespace, error)
            self._snapshot_rests_until_ms = now.steady_ms + APART_MS
            return
        self._snapshotted = self._revision

    def close(self) -> None:
        """Take a last snapshot where there are changes that none has, and let go of the file."""
        self.keep_snapshot(is_last=True)
        self._let_go()

    def _look(self) -> None:
        with translated(self._path):
            present = file_of(self._path)
        if present is None:
            self._let_go(rest=False)
            if self._is_known or self._group_revision >= 0:
                _LOG.warning("namespace %s: %s is gone, so nobody is enrolled", self.namespace, self._path)
                self._forget()
            return
        if self._file is not None and present != self._file:
            self._forget_groups()
        if self._store is None or present != self._file:
            self._let_go(rest=False)
            self._store = self._opened()
        with translated(self._path):
            (version,) = self._store.connection.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:
            if self.age is not None:
                with translated(self._path):
                    self.age.read(self._store.connection)
                self._heed(self.age)
            self._read(self._store)
            self._read_groups(self._store)
            self._data_version = version
        if not self._is_followed:
            self._follow(self._store)

    def _heed(self, age: GalleryAge) -> None:
        """Withhold everybody where what is known is too old, or give them back."""
        age.look(self._clock.moment())
        if age.is_withheld == self._is_withheld:
            return
        self._is_withheld = age.is_withheld
        if age.is_withheld:
            self._galleries.replace(self.namespace, GalleryChange(self._revision, (), ()))
        else:
            # All of it is read anew.
            self._data_version = -1
            self._revision = 0

    def _opened(self) -> NamespaceStore:
        store, _ = self._opening(self._path)
        self._file = file_of(self._path)
        # What was known may have come from another file of this name: begin anew.
        self._data_version = -1
        self._revision = 0
        self._group_revision = -1
        self._snapshotted = -1
        return store

    def _read(self, store: NamespaceStore) -> None:
        known = self._revision
        change = store.changes_since(known, self._model_hash)
        if change is None:
            # Of an empty namespace each new job would be a look: galleries that are empty stay as they are.
            if known == 0 and self._is_known:
                self._forget_people()
            return
        if self._is_withheld:
            # With the revision: who waits for the gallery to have a change does not wait for ever.
            self._galleries.replace(self.namespace, GalleryChange(change.revision, (), ()))
        elif known == 0 or change.revision < known:
            self._galleries.replace(self.namespace, change)
        else:
            self._galleries.apply(self.namespace, change)
        self._revision = change.revision
        self._is_known = True
        self._is_followed = False
        _LOG.info(
            "namespace %s: revision %d, %d people new or changed, %d removed",
            self.namespace,
            change.revision,
            len(change.changed),
            len(change.removed),
        )
        if change.removed or known == 0:
            self._finish_removals(store)

    def _read_groups(self, store: NamespaceStore) -> None:
        """After the people: whoever is named is known before their group is gone."""
        if self._groups is None:
            return
        change = GroupStore(store).changes_since(self._group_revision, self._model_hash)
        if change is not None:
            self._groups.apply(self.namespace, change)
            self._group_revision = change.revision

    def _finish_removals(self, store: NamespaceStore) -> None:
        """Do what a reader, a full disk or a crash kept a removal from doing."""
        try:
            store.empty_log()
            store.snapshots.tidy(store.connection)
        except StoreError as error:
            _LOG.error("namespace %s: traces of removed people are left: %s", self.namespace, error)

    def _follow(self, store: NamespaceStore) -> None:
        """Have who was removed taken out of the outbox, now that nobody is recognised as them any more."""
        try:
            if self._erasures is not None:
                self._erasures.finish(self.namespace, store.connection)
        except StoreError as error:
            # The next look tries again.
            if not self._has_complained:
                _LOG.error("namespace %s: messages may still name removed people: %s", self.namespace, error)
            self._has_complained = True
            return
        self._is_followed, self._has_complained = True, False

    def _forget(self) -> None:
        self._forget_people()
        self._forget_groups()

    def _forget_people(self) -> None:
        self._revision = 0
        self._is_known = False
        self._galleries.replace(self.namespace, _NOBODY)

    def _forget_groups(self) -> None:
        self._group_revision = -1
        if self._groups is not None:
            self._groups.apply(self.namespace, _NO_GROUPS)

    def _let_go(self, *, rest: bool = True) -> None:
        if self._store is not None:
            self._store.close()
        self._store = None
        self._file = None
        self._looks_to_rest = _REST_LOOKS if rest else 0

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            _LOG.error("namespace %s: %s", self.namespace, trouble)
