"""What the daemon writes down of jobs by itself, and how it keeps that bounded in number, age and bytes."""

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from edged.delivery.orphans import OpenJob, closing_message
from edged.domain.history import HistoryEntry
from edged.domain.job import Job
from edged.domain.kept_time import KeptTime
from edged.domain.message import Message
from edged.domain.moment import Clock
from edged.settings.history import History
from edged.store.database import transaction
from edged.store.history_retention import sweep_history
from edged.store.history_store import HistoryStore
from edged.store.opened_namespaces import OpenedNamespaces
from edged.store.retention import Tally
from edged.store.sealing import Key

_LOG: Final = logging.getLogger(__name__)


class HistoryRecords:
    """The history of all namespaces, as the historian's thread writes it. Files are opened when first needed.

    All methods but `close` raise StoreError. `last_words` are the messages with which the outbox closed what
    a dead daemon left open: asked for a job, the history says the same, under the same number.
    """

    def __init__(
        self,
        data_dir: Path,
        namespaces: Iterable[str],
        settings: History,
        clock: Clock,
        new_id: Callable[[], str],
        last_words: Sequence[Message] = (),
        tally: Tally | None = None,
        *,
        key: Key | None = None,
    ) -> None:
        self._last_words = last_words
        self._opened = OpenedNamespaces(data_dir, namespaces, clock, new_id, key)
        self.settings = settings
        """Limits; may be exchanged at any time."""
        self._clock = clock
        self._time = KeptTime(clock.moment())
        self._tally = tally or Tally()

    def begin(self) -> None:
        """Close the jobs that a daemon left when it died; to be called before anything writes to the history.

        Nothing told to that daemon is on its way any more, so what was remembered for it is forgotten.
        """
        namespaces = self._opened.present()
        self.record([entry for entry in _entries(self._last_words) if entry[0] in namespaces])
        self._last_words = ()
        for namespace in namespaces:
            connection = self._opened.store(namespace).connection
            with transaction(connection):
                closed = _close_open_jobs(connection, namespace, self._clock.moment().utc_ms)
                connection.execute("DELETE FROM erased_track")
            if closed:
                _LOG.warning("namespace %s: %d jobs were left open and are closed now", namespace, closed)

    def record(self, entries: Sequence[tuple[str, HistoryEntry]]) -> None:
        """Write down (namespace, entry), in one transaction a namespace."""
        for namespace in dict.fromkeys(name for name, _ in entries):
            store = HistoryStore(self._opened.store(namespace))
            store.record([entry for name, entry in entries if name == namespace])

    def sweep(self) -> bool:
        """Delete some of what is too old or too much; whether there may be more of it."""
        correction = self._time.look(self._clock.moment())
        is_more = False
        for namespace in self._opened.present():
            connection = self._opened.store(namespace).connection
            is_more |= sweep_history(connection, self.settings, correction, self._tally)
        return is_more

    def close(self) -> None:
        """Let go of the files."""
        self._opened.close()


def _entries(messages: Iterable[Message]) -> Iterator[tuple[str, HistoryEntry]]:
    """What jobs were closed with; one that another edged wrote in another form is closed here, if at all."""
    for message in messages:
        with contextlib.suppress(msgspec.DecodeError):
            yield message.namespace, HistoryEntry(msgspec.json.decode(message.body, type=Job))


def _close_open_jobs(connection: sqlite3.Connection, namespace: str, now_ms: int) -> int:
    """Give every job that is in progress its last word; returns how many there were."""
    rows = connection.execute(
        "SELECT number, id, feed_id, sequence, body FROM job WHERE status = 'IN_PROGRESS'"
    ).fetchall()
    for number, job_id, feed_id, sequence, body in rows:
        try:
            is_request = msgspec.json.decode(body)["edge"].get("origin") == "api"
            orphan = OpenJob(
                job_id, namespace, feed_id or "", sequence, body, is_replay=False, is_request=is_request
            )
            final = closing_message(orphan, now_ms).body
            status = msgspec.json.decode(final)["status"]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            _LOG.error("The open job %s cannot be closed and is deleted: %s", job_id, error)
            connection.execute("DELETE FROM job WHERE number = ?", (number,))
        else:
            connection.execute(
                "UPDATE job SET status = ?, sequence = ?, body = ? WHERE number = ?",
                (status, sequence + 1, final, number),
            )
    return len(rows)
