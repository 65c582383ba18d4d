"""Taking removed people out of what waits in the outbox. Each function runs in its caller's transaction.

The namespaces' databases say who was removed, by their tombstones; the outbox remembers how far it has
followed each. So a crash between the two is made good by whoever looks next. While it follows, and until the
daemon starts anew, it also remembers who they are: what is on its way to it loses them as it comes.

Whoever was exported from one namespace and imported into another has one id in both: what is told of the
other stays as it is.
"""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from edged.delivery.redaction import mentions, redacted, tracks_in
from edged.domain.message import Message, MessageKind
from edged.store.outbox_counters import count

_FOLLOWED: Final = "erased_revision:"
_GONE: Final = "erased:"
_ALL_GONE: Final = ("erased:", "erased;")
"""What lies between them begins with `_GONE`."""

STEP: Final = 256
"""Messages that one transaction looks through."""


@dataclass(slots=True)
class Redaction:
    """What became of messages that wait, dead letters among them; or which of them mention somebody.

    Attributes:
        messages: how many that are, by kind.
        open_jobs: jobs that are open, of which the same is kept to close them.
        unreadable: messages that mentioned somebody and were no JSON of ours: they are deleted.
        tracks: tracks that the messages say are theirs.
    """

    messages: dict[str, int] = field(default_factory=dict)
    open_jobs: int = 0
    unreadable: int = 0
    tracks: set[str] = field(default_factory=set)

    @property
    def mentioning(self) -> int:
        """Messages of all kinds together."""
        return sum(self.messages.values())

    def counted(self) -> dict[str, int]:
        """By kind, for a receipt; without what there was none of."""
        kinds = {f"{kind} messages": number for kind, number in sorted(self.messages.items())}
        rest = {"open jobs": self.open_jobs, "unreadable messages": self.unreadable}
        return {kind: number for kind, number in {**kinds, **rest}.items() if number}


def followed(connection: sqlite3.Connection, namespace: str) -> int:
    """The revision of a namespace up to which its removals have reached the outbox."""
    row = connection.execute("SELECT value FROM state WHERE key = ?", (f"{_FOLLOWED}{namespace}",)).fetchone()
    return int(row[0]) if row else 0


def set_followed(connection: sqlite3.Connection, namespace: str, revision: int) -> None:
    """Note that all removals up to the revision have reached the outbox."""
    connection.execute(
        "INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", (f"{_FOLLOWED}{namespace}", str(revision))
    )


def watch_for(connection: sqlite3.Connection, namespace: str, identity_ids: Iterable[str]) -> None:
    """Take these people out of whatever comes from now on."""
    connection.executemany(
        "INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)",
        [(_gone(namespace, identity_id), namespace) for identity_id in identity_ids],
    )


def watched_for(connection: sqlite3.Connection, namespace: str) -> list[str]:
    """Whom `watch_for` was told of a namespace."""
    return _watched(connection).get(namespace, [])


def let_in(connection: sqlite3.Connection, namespace: str, identity_ids: Iterable[str]) -> None:
    """These people are enrolled again, under their old ids."""
    connection.executemany(
        "DELETE FROM state WHERE key = ?", [(_gone(namespace, identity_id),) for identity_id in identity_ids]
    )


def forget_watched(connection: sqlite3.Connection) -> None:
    """A run begins: nothing told by the one before is on its way any more."""
    connection.execute("DELETE FROM state WHERE key > ? AND key < ?", _ALL_GONE)


def screened(connection: sqlite3.Connection, messages: Iterable[Message]) -> list[Message]:
    """The messages as they may be written: without those whom `watch_for` was told."""
    gone = _watched(connection)
    if not gone:
        return list(messages)
    return [_screened(connection, message, gone.get(message.namespace, [])) for message in messages]


def gather_tracks(
    namespace: str,
    identity_ids: Collection[str],
    after: int,
    found: Redaction,
    connection: sqlite3.Connection,
) -> int | None:
    """Note the tracks that some messages say are theirs; the last message's id, None where none is left."""
    last = None
    for message_id, kind, body in _some(connection, namespace, after):
        last = message_id
        if mentions(body, identity_ids):
            found.messages[kind] = found.messages.get(kind, 0) + 1
            _note_tracks(found, kind, body, identity_ids)
    return last


def redact_some(
    namespace: str,
    identity_ids: Collection[str],
    after: int,
    done: Redaction,
    connection: sqlite3.Connection,
) -> int | None:
    """Take people, and `done.tracks`, out of some messages; the last one's id, None where none is left."""
    last = None
    for message_id, kind, body in _some(connection, namespace, after):
        last = message_id
        if not mentions(body, [*identity_ids, *done.tracks]):
            continue
        try:
            changed = redacted(MessageKind(kind), body, identity_ids, done.tracks)
        except (ValueError, TypeError, KeyError, AttributeError):
            if mentions(body, identity_ids):
                connection.execute("DELETE FROM delivery WHERE message_id = ?", (message_id,))
                count(connection, "", "erased_unreadable", 1)
                done.unreadable += 1
            continue
        if changed is not None:
            _put_body(connection, message_id, body, changed)
            done.messages[kind] = done.messages.get(kind, 0) + 1
    return last


def redact_open_jobs(
    connection: sqlite3.Connection, namespace: str, identity_ids: Collection[str], done: Redaction
) -> None:
    """The same of the jobs that are open. There are few."""
    for job_id, body in _open_jobs(connection, namespace):
        if not mentions(body, [*identity_ids, *done.tracks]):
            continue
        try:
            changed = redacted(MessageKind.JOB, body, identity_ids, done.tracks)
        except (ValueError, TypeError, KeyError, AttributeError):
            # Nobody could close it either.
            connection.execute("DELETE FROM open_job WHERE job_id = ?", (job_id,))
            count(connection, "", "orphan_unreadable", 1)
            continue
        if changed is not None:
            connection.execute("UPDATE open_job SET body = ? WHERE job_id = ?", (changed, job_id))
            done.open_jobs += 1


def tracks_of_open_jobs(
    connection: sqlite3.Connection, namespace: str, identity_ids: Collection[str], found: Redaction
) -> None:
    """Note the tracks that open jobs say are theirs."""
    for _, body in _open_jobs(connection, namespace):
        if mentions(body, identity_ids):
            found.open_jobs += 1
            _note_tracks(found, MessageKind.JOB.value, body, identity_ids)


def _note_tracks(found: Redaction, kind: str, body: bytes, identity_ids: Collection[str]) -> None:
    try:
        found.tracks |= tracks_in(MessageKind(kind), body, identity_ids)
    except (ValueError, TypeError, KeyError, AttributeError):
        return


def _gone(namespace: str, identity_id: str) -> str:
    return f"{_GONE}{namespace}:{identity_id}"


def _watched(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Whom `watch_for` was told, by namespace."""
    gone: dict[str, list[str]] = {}
    rows = connection.execute("SELECT key, value FROM state WHERE key > ? AND key < ?", _ALL_GONE)
    for key, namespace in rows:
        gone.setdefault(namespace, []).append(key.removeprefix(_gone(namespace, "")))
    return gone


def _some(connection: sqlite3.Connection, namespace: str, after: int) -> list[tuple[int, str, bytes]]:
    return connection.execute(
        "SELECT id, kind, body FROM message WHERE id > ? AND namespace = ? ORDER BY id LIMIT ?",
        (after, namespace, STEP),
    ).fetchall()


def _open_jobs(connection: sqlite3.Connection, namespace: str) -> list[tuple[str, bytes]]:
    return connection.execute(
        "SELECT job_id, body FROM open_job WHERE namespace = ?", (namespace,)
    ).fetchall()


def _put_body(connection: sqlite3.Connection, message_id: int, old: bytes, new: bytes) -> None:
    connection.execute("UPDATE message SET body = ? WHERE id = ?", (new, message_id))
    connection.execute("UPDATE volume SET bytes = bytes + ?", (len(new) - len(old),))


def _screened(connection: sqlite3.Connection, message: Message, gone: Collection[str]) -> Message:
    if not mentions(message.body, gone):
        return message
    changed = redacted(message.kind, message.body, gone)
    if changed is None:
        return message
    count(connection, "", "erased_on_the_way", 1)
    return replace(message, body=changed)
