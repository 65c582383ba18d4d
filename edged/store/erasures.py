"""Follows removals from the namespaces' databases into the outbox, where messages may still name people.

A removal is one transaction in the namespace's database, which leaves the person's tombstone. The outbox is
another file: it remembers up to which revision of each namespace it has followed. Whoever removes somebody
calls this right after; the daemon does at its start and whenever it sees that people changed. So what a crash
keeps one from doing, the next one does.
"""

import sqlite3
from pathlib import Path
from typing import Final

from edged.store.database import reading
from edged.store.namespace_queries import ledger
from edged.store.outbox import FILE_NAME, Outbox
from edged.store.outbox_erasing import Redaction

_UNSETTLED: Final = "SELECT identity_id FROM tombstone WHERE heir IS NULL AND revision > ?"


class Erasures:
    """What the outbox has to do with removals. Used by any thread; each brings its own connection."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def finish(self, namespace: str, connection: sqlite3.Connection) -> Redaction:
        """Take whoever was removed from a namespace out of all that waits; raises StoreError.

        Returns what that changed: nothing, most often.
        """
        followed = self._outbox.followed(namespace)
        watched = self._outbox.watched_for(namespace)
        with reading(connection):
            revision = ledger(connection).revision
            # A revision that the file never reached: another one has taken its place.
            since = followed if followed <= revision else 0
            gone = [row[0] for row in connection.execute(_UNSETTLED, (since,))]
            tracks = {row[0] for row in connection.execute("SELECT track_id FROM erased_track")}
            back = [one for one in watched if not _is_gone(connection, one)]
        if back:
            self._outbox.let_in(namespace, back)
        # Where another file took its place, what it removes from now on must not seem to be followed already.
        if not gone and followed <= revision:
            return Redaction()
        return self._outbox.redact(namespace, gone, tracks, revision)


def outbox_in(data_dir: Path) -> Outbox | None:
    """The outbox of a data folder as commands use it, beside a running daemon; None where there is none."""
    return Outbox(data_dir, may_replace=False) if (data_dir / FILE_NAME).exists() else None


def _is_gone(connection: sqlite3.Connection, identity_id: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM tombstone WHERE identity_id = ? AND heir IS NULL", (identity_id,)
    ).fetchone()
    return row is not None
