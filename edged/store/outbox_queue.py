"""The queue itself, in SQL: enqueue, claim, settle. Each runs in its caller's transaction."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from edged.delivery.parcel import Parcel, subject_of
from edged.delivery.route import Route
from edged.delivery.settlement import Settlement
from edged.domain.hook import HOOK_PREFIX, is_hook
from edged.domain.message import Message, MessageKind, Reply
from edged.domain.moment import Moment
from edged.store import outbox_hooks
from edged.store.outbox_counters import count, counted_as
from edged.store.outbox_erasing import screened

MESSAGE_COLUMNS: Final = (
    "m.kind, m.namespace, m.feed_id, m.subject_id, m.sequence, m.is_final, m.body, m.at_ms, m.is_replay,"
    " m.is_request, m.reply_topic, m.reply_correlation, m.client_id"
)

_INSERT_MESSAGE: Final = """
    INSERT INTO message (kind, namespace, feed_id, subject_id, sequence, is_final, is_replay, body, at_ms,
                         is_request, reply_topic, reply_correlation, client_id, enqueued_ms,
                         enqueued_steady_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# A final message, one of a replay, and one that is being sent are not touched; of the rest there is at most
# one a subject. It keeps its place in the queue and its time-out, but it is another message: its tries are
# counted anew.
_REPLACE: Final = """
    UPDATE delivery SET message_id = :message_id, attempts = 0
    WHERE id = (
        SELECT d.id FROM delivery AS d JOIN message AS m ON m.id = d.message_id
        WHERE d.sink = :sink AND d.subject = :subject AND d.dead_ms IS NULL
          AND d.lease_until_steady_ms IS NULL AND m.is_final = 0 AND m.is_replay = 0
        ORDER BY d.id DESC LIMIT 1
    )
"""

_CLAIM: Final = f"""
    SELECT d.id, d.attempts, m.enqueued_ms, m.enqueued_steady_ms, {MESSAGE_COLUMNS}
    FROM delivery AS d JOIN message AS m ON m.id = d.message_id
    WHERE d.sink = :sink AND d.dead_ms IS NULL
      AND d.due_steady_ms <= :now AND coalesce(d.lease_until_steady_ms, 0) <= :now
      AND NOT EXISTS (
        SELECT 1 FROM delivery AS e
        WHERE e.sink = d.sink AND e.subject = d.subject AND e.dead_ms IS NULL AND e.id < d.id
          AND (e.due_steady_ms > :now OR coalesce(e.lease_until_steady_ms, 0) > :now)
      )
    ORDER BY d.id LIMIT :limit
"""  # noqa: S608 - a constant of ours


def enqueue(
    connection: sqlite3.Connection, routes: Sequence[Route], messages: Iterable[Message], now: Moment
) -> None:
    """Write the messages for everybody who is told them, and what they say of open jobs."""
    replaced: Counter[str] = Counter()
    for message in screened(connection, messages):
        if message.kind is MessageKind.JOB:
            _note_job(connection, message)
        takers = _takers(connection, routes, message)
        if takers:
            replaced.update(_put(connection, message, takers, now))
        if message.is_final:
            for hook_id in _hook_ids(message):
                outbox_hooks.release(connection, hook_id)
    for sink, number in replaced.items():
        count(connection, sink, "replaced", number)


def _takers(connection: sqlite3.Connection, routes: Sequence[Route], message: Message) -> list[str]:
    """Sinks that are told the message: of a request only hooks, and those that it names."""
    takers = [] if message.is_request else [route.sink_id for route in routes if route.takes(message)]
    takers += outbox_hooks.takers(connection, message)
    configured = {route.sink_id for route in routes}
    takers += [sink for sink in message.recipients if sink in configured]
    takers += outbox_hooks.are_there(connection, message.recipients)
    return list(dict.fromkeys(takers))


def _put(connection: sqlite3.Connection, message: Message, takers: Sequence[str], now: Moment) -> list[str]:
    """Write the message once and its delivery for each; returns those for whom it took another's place."""
    message_id = _insert(connection, message, now)
    replaced = []
    for sink in takers:
        if not message.is_replay and _replace(connection, sink, message, message_id):
            replaced.append(counted_as(sink))
        else:
            connection.execute(
                "INSERT INTO delivery (message_id, sink, subject) VALUES (?, ?, ?)",
                (message_id, sink, subject_of(message)),
            )
    return replaced


def _hook_ids(message: Message) -> list[str]:
    return [sink.removeprefix(HOOK_PREFIX) for sink in message.recipients if is_hook(sink)]


def claim(connection: sqlite3.Connection, sink: str, limit: int, now: Moment, lease_ms: int) -> list[Parcel]:
    """Lease the sink's oldest messages that may be sent now, in their order."""
    rows = connection.execute(_CLAIM, {"sink": sink, "now": now.steady_ms, "limit": limit}).fetchall()
    connection.executemany(
        "UPDATE delivery SET lease_until_steady_ms = ? WHERE id = ?",
        [(now.steady_ms + lease_ms, row[0]) for row in rows],
    )
    return [
        Parcel(
            id=row[0],
            attempts=row[1],
            enqueued_ms=row[2],
            enqueued_steady_ms=row[3],
            message=message_of(row[4:]),
        )
        for row in rows
    ]


def settle(connection: sqlite3.Connection, sink: str, settlement: Settlement, now: Moment) -> None:
    """Write down what became of leased deliveries. Those that are gone meanwhile are passed over."""
    if settlement.delivered:
        connection.executemany(
            "DELETE FROM delivery WHERE id = ?", [(delivery_id,) for delivery_id in settlement.delivered]
        )
        count(connection, sink, "sent", len(settlement.delivered))
    connection.executemany(
        """UPDATE delivery SET lease_until_steady_ms = NULL, due_steady_ms = ?, attempts = attempts + ?,
           reason = ? WHERE id = ?""",
        [(now.steady_ms + r.wait_ms, int(r.counts), r.reason, r.id) for r in settlement.retried],
    )
    if settlement.buried:
        _bury(connection, sink, settlement.buried, now)
    connection.executemany(
        "UPDATE delivery SET lease_until_steady_ms = NULL WHERE id = ?",
        [(delivery_id,) for delivery_id in settlement.released],
    )


def _bury(connection: sqlite3.Connection, sink: str, buried: Sequence[tuple[int, str]], now: Moment) -> None:
    """To the dead letters; what a hook's receiver refuses is gone, for nobody of the house would miss it."""
    if is_hook(sink):
        connection.executemany("DELETE FROM delivery WHERE id = ?", [(one,) for one, _ in buried])
        count(connection, sink, "refused", len(buried))
        return
    connection.executemany(
        "UPDATE delivery SET lease_until_steady_ms = NULL, dead_ms = ?, reason = ? WHERE id = ?",
        [(now.utc_ms, reason, delivery_id) for delivery_id, reason in buried],
    )
    count(connection, sink, "buried", len(buried))


def next_due(connection: sqlite3.Connection, sink: str) -> int | None:
    """When a waiting message of the sink may be sent at the earliest (steady ms); None: none waits."""
    (due,) = connection.execute(
        """SELECT min(max(due_steady_ms, coalesce(lease_until_steady_ms, 0))) FROM delivery
           WHERE sink = ? AND dead_ms IS NULL""",
        (sink,),
    ).fetchone()
    return due if due is None else int(due)


def is_empty(connection: sqlite3.Connection, sink: str) -> bool:
    """Whether nothing waits for the sink; dead letters do not wait."""
    row = connection.execute(
        "SELECT 1 FROM delivery WHERE sink = ? AND dead_ms IS NULL LIMIT 1", (sink,)
    ).fetchone()
    return row is None


def message_of(row: Sequence[Any]) -> Message:
    """A message out of MESSAGE_COLUMNS. Its recipients are not among them: they are its deliveries."""
    kind, namespace, feed_id, subject_id, sequence, is_final, body, at_ms, is_replay, *request = row
    is_request, reply_topic, reply_correlation, client_id = request
    return Message(
        kind=MessageKind(kind),
        namespace=namespace,
        feed_id=feed_id,
        subject_id=subject_id,
        sequence=sequence,
        is_final=bool(is_final),
        body=body,
        at_ms=at_ms,
        is_replay=bool(is_replay),
        is_request=bool(is_request),
        reply=reply_of(reply_topic, reply_correlation),
        client_id=client_id,
    )


def reply_of(topic: str | None, correlation: bytes | None) -> Reply | None:
    """Where an answer goes, as it is stored."""
    return None if topic is None else Reply(topic, correlation or b"")


def _of_reply(reply: Reply | None) -> tuple[str | None, bytes | None]:
    return (None, None) if reply is None else (reply.topic, reply.correlation)


def _insert(connection: sqlite3.Connection, message: Message, now: Moment) -> int:
    cursor = connection.execute(
        _INSERT_MESSAGE,
        (
            message.kind.value,
            message.namespace,
            message.feed_id,
            message.subject_id,
            message.sequence,
            message.is_final,
            message.is_replay,
            message.body,
            message.at_ms,
            message.is_request,
            *_of_reply(message.reply),
            message.client_id,
            now.utc_ms,
            now.steady_ms,
        ),
    )
    return int(cursor.lastrowid or 0)


def _replace(connection: sqlite3.Connection, sink: str, message: Message, message_id: int) -> bool:
    what = {"message_id": message_id, "sink": sink, "subject": subject_of(message)}
    return connection.execute(_REPLACE, what).rowcount > 0


def _note_job(connection: sqlite3.Connection, message: Message) -> None:
    if message.is_final:
        connection.execute("DELETE FROM open_job WHERE job_id = ?", (message.subject_id,))
        return
    connection.execute(
        """INSERT INTO open_job (job_id, namespace, feed_id, sequence, is_replay, body, is_request,
                                 recipients, reply_topic, reply_correlation, client_id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (job_id) DO UPDATE SET sequence = excluded.sequence, body = excluded.body""",
        (
            message.subject_id,
            message.namespace,
            message.feed_id,
            message.sequence,
            message.is_replay,
            message.body,
            message.is_request,
            json.dumps(message.recipients),
            *_of_reply(message.reply),
            message.client_id,
        ),
    )
