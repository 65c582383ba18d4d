"""What the API needs that belongs to no namespace: access tokens, and detect jobs, in the file `api.db`."""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import msgspec

from edged.api.answers import DetectJob
from edged.delivery.orphans import OpenJob, closing_message
from edged.domain.errors import StoreError, StoreFault
from edged.domain.message import Message
from edged.settings.history import JobHistory
from edged.store.database import Schema, open_database, reading, transaction
from edged.store.faults import translated
from edged.store.outbox_file import moved_aside

SCHEMA: Final = Schema(
    kind="API database",
    application_id=0x6564_6170,  # "edap"
    migrations=Path(__file__).with_name("api_migrations"),
)

FILE_NAME: Final = "api.db"

MOST_TOKENS: Final = 100
"""Of one client; whoever asks for one more loses the oldest."""

MOST_FOUND: Final = 100
"""Detect jobs that one search gives."""

_STEP: Final = 100
_LOG: Final = logging.getLogger(__name__)

T = TypeVar("T")
_Way: TypeAlias = Callable[[sqlite3.Connection], AbstractContextManager[sqlite3.Connection]]


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An access token as it is kept.

    Attributes:
        digest: SHA-256 of the token, 32 bytes.
        client_id: whose it is.
        secret_fingerprint: of the client's secret when it was given out.
        issued_ms, expires_ms: UTC milliseconds.
    """

    digest: bytes
    client_id: str
    secret_fingerprint: str
    issued_ms: int
    expires_ms: int


class ApiStore:
    """Opened when first needed; used by several threads, one at a time.

    With `may_replace`, which is the daemon's, a damaged file is moved aside and a new one takes its place:
    clients then ask for new tokens. All methods but `close` raise StoreError.
    """

    def __init__(self, data_dir: Path, *, may_replace: bool = False) -> None:
        self._path = data_dir / FILE_NAME
        self._may_replace = may_replace
        self._turn = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    def begin(self, now_ms: int, last_words: Iterable[Message] = ()) -> int:
        """Close the detect jobs that a daemon left when it died, before any is written.

        `last_words` are the messages with which the outbox closed what that daemon left open: nobody shall be
        told otherwise here. Returns how many were closed in other words.
        """
        for message in last_words:
            # What another edged wrote in another form is closed below.
            with contextlib.suppress(msgspec.DecodeError):
                if message.client_id and not message.namespace:
                    job = msgspec.json.decode(message.body, type=DetectJob)
                    self.record_detect(message.client_id, job, now_ms)
        return self._write(lambda connection: _close_open_jobs(connection, now_ms))

    def close(self) -> None:
        """Let go of the file; it is not opened again."""
        with self._turn:
            self._is_closed = True
            self._let_go()

    # --- access tokens

    def add_token(self, token: StoredToken) -> None:
        """Keep a token; where the client has MOST_TOKENS that are not over, its oldest ends."""

        def act(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM access_token WHERE expires_ms <= ?", (token.issued_ms,))
            connection.execute(
                "INSERT INTO access_token (digest, client_id, secret_fingerprint, issued_ms, expires_ms)"
                " VALUES (?, ?, ?, ?, ?)",
                (token.digest, token.client_id, token.secret_fingerprint, token.issued_ms, token.expires_ms),
            )
            connection.execute(
                "DELETE FROM access_token WHERE client_id = ?1 AND digest <> ?2 AND digest NOT IN"
                " (SELECT digest FROM access_token WHERE client_id = ?1 AND digest <> ?2"
                "  ORDER BY issued_ms DESC, digest LIMIT ?3)",
                (token.client_id, token.digest, MOST_TOKENS - 1),
            )

        self._write(act)

    def token(self, digest: bytes) -> StoredToken | None:
        """The token with this SHA-256, also one that is over; None where there is none, any more."""
        row = self._read(
            lambda connection: connection.execute(
                "SELECT digest, client_id, secret_fingerprint, issued_ms, expires_ms FROM access_token"
                " WHERE digest = ?",
                (digest,),
            ).fetchone()
        )
        return StoredToken(*row) if row else None

    def tokens(self, client_id: str) -> list[StoredToken]:
        """A client's tokens, the newest first."""
        rows = self._read(
            lambda connection: connection.execute(
                "SELECT digest, client_id, secret_fingerprint, issued_ms, expires_ms FROM access_token"
                " WHERE client_id = ? ORDER BY issued_ms DESC, digest",
                (client_id,),
            ).fetchall()
        )
        return [StoredToken(*row) for row in rows]

    def revoke(self, digest: bytes) -> bool:
        """End one token; whether it was there."""
        return self._delete("DELETE FROM access_token WHERE digest = ?", digest) > 0

    def revoke_client(self, client_id: str) -> int:
        """End all tokens of a client; returns how many."""
        return self._delete("DELETE FROM access_token WHERE client_id = ?", client_id)

    # --- detect jobs

    def record_detect(self, client_id: str, job: DetectJob, now_ms: int) -> None:
        """Write down a telling of a client's job; one that is older than what is kept is passed over."""
        values = (
            job.id,
            client_id,
            job.feed_id,
            job.custom_id,
            job.created_at,
            now_ms,
            job.status.value,
            job.edge.sequence,
            msgspec.json.encode(job),
        )
        self._write(
            lambda connection: connection.execute(
                "INSERT INTO detect_job (id, client_id, feed_id, custom_id, created_ms, kept_ms, status,"
                " sequence, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " kept_ms = excluded.kept_ms, status = excluded.status, sequence = excluded.sequence,"
                " body = excluded.body WHERE excluded.sequence > detect_job.sequence",
                values,
            )
        )

    def detect_job(self, client_id: str, job_id: str) -> bytes | None:
        """A job of this client's, JSON."""
        row = self._read(
            lambda connection: connection.execute(
                "SELECT body FROM detect_job WHERE id = ? AND client_id = ?", (job_id, client_id)
            ).fetchone()
        )
        return row[0] if row else None

    def detect_jobs(
        self,
        client_id: str,
        custom_id: str | None = None,
        feed_id: str | None = None,
        before_ms: float | None = None,
        after_ms: float | None = None,
    ) -> list[bytes]:
        """A client's jobs, JSON, the newest first, at most MOST_FOUND; None does not matter."""
        conditions = ["client_id = ?"]
        parameters: list[object] = [client_id]
        for words, value in (
            ("custom_id = ?", custom_id),
            # Where both are asked for, the index of the customIds is the better one.
            ("feed_id = ?" if custom_id is None else "+feed_id = ?", feed_id),
            ("created_ms < ?", before_ms),
            ("created_ms > ?", after_ms),
        ):
            if value is not None:
                conditions.append(words)
                parameters.append(value)
        rows = self._read(
            lambda connection: connection.execute(
                f"SELECT body FROM detect_job WHERE {' AND '.join(conditions)}"  # noqa: S608 (of constants)
                " ORDER BY created_ms DESC, id DESC LIMIT ?",
                (*parameters, MOST_FOUND),
            ).fetchall()
        )
        return [row[0] for row in rows]

    def sweep(self, settings: JobHistory, now_ms: int) -> bool:
        """Delete some jobs that are too old or too many, and tokens that are over; whether there is more."""

        def act(connection: sqlite3.Connection) -> bool:
            connection.execute("DELETE FROM access_token WHERE expires_ms <= ?", (now_ms,))
            (jobs,) = connection.execute("SELECT jobs FROM detect_volume").fetchone()
            rows = connection.execute(
                "SELECT number, kept_ms FROM detect_job ORDER BY kept_ms, number LIMIT ?", (_STEP,)
            ).fetchall()
            before_ms = now_ms - round(settings.max_age * 1000)
            doomed = [
                (number,)
                for place, (number, kept_ms) in enumerate(rows)
                if place < jobs - settings.most or kept_ms < before_ms
            ]
            connection.executemany("DELETE FROM detect_job WHERE number = ?", doomed)
            return len(doomed) == _STEP

        return self._write(act)

    def _delete(self, sql: str, value: object) -> int:
        return self._write(lambda connection: connection.execute(sql, (value,)).rowcount)

    def _write(self, act: Callable[[sqlite3.Connection], T]) -> T:
        return self._unless_damaged(transaction, act)

    def _read(self, act: Callable[[sqlite3.Connection], T]) -> T:
        return self._unless_damaged(reading, act)

    def _unless_damaged(self, way: _Way, act: Callable[[sqlite3.Connection], T]) -> T:
        """Do it; where the file turns out to be damaged, do it again on the one that takes its place."""
        with self._turn:
            try:
                with way(self._opened()) as connection:
                    return act(connection)
            except StoreError as error:
                if error.fault is not StoreFault.CORRUPT or not self._may_replace:
                    raise
                self._let_go()
                _LOG.error("%s; it was moved to %s", error.what, moved_aside(self._path))
            with way(self._opened()) as connection:
                return act(connection)

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._is_closed:
            raise StoreError(f"{self._path} was closed")
        if self._connection is None:
            with translated(self._path):
                self._connection = open_database(self._path, SCHEMA, synchronous="FULL", any_thread=True)
        return self._connection


def _close_open_jobs(connection: sqlite3.Connection, now_ms: int) -> int:
    rows = connection.execute(
        "SELECT number, id, coalesce(feed_id, ''), sequence, body FROM detect_job"
        " WHERE status = 'IN_PROGRESS'"
    ).fetchall()
    for number, job_id, feed_id, sequence, body in rows:
        try:
            orphan = OpenJob(job_id, "", feed_id, sequence, body, is_replay=False, is_request=True)
            final = closing_message(orphan, now_ms).body
            status = msgspec.json.decode(final)["status"]
        except (ValueError, TypeError, KeyError) as error:
            _LOG.error("The open detect job %s cannot be closed and is deleted: %s", job_id, error)
            connection.execute("DELETE FROM detect_job WHERE number = ?", (number,))
        else:
            connection.execute(
                "UPDATE detect_job SET status = ?, sequence = ?, body = ? WHERE number = ?",
                (status, sequence + 1, final, number),
            )
    return len(rows)
