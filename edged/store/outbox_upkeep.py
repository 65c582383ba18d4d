"""What keeps the outbox bounded and honest: the start of a run, orphaned jobs, messages given up.

Each function runs in its caller's transaction.
"""

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edged.delivery.age import KNOWN_TIME_MS, is_given_up, knows_time
from edged.delivery.orphans import OpenJob, closing_message
from edged.delivery.route import Route
from edged.domain.hook import HOOK_PREFIX
from edged.domain.message import Message
from edged.domain.moment import Moment
from edged.store import outbox_erasing, outbox_hooks
from edged.store.outbox_counters import ALL_HOOKS, count, counted_as
from edged.store.outbox_queue import enqueue, reply_of

_LOG = logging.getLogger(__name__)

# Nobody is sending it: what is given up is never at the same moment delivered.
_UNLEASED: Final = """
    NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.message_id = message.id AND d.lease_until_steady_ms > ?)
"""


HOOK_MAX_AGE_S: Final = 86_400
"""A receiver that a client named may be away for a day. Whoever runs the daemon does not know it and cannot
mend it, and the job can still be asked for: keeping its mail for as long as the house's own helps nobody."""

# For a hook: the same terms as the index `delivery_hook` has, so that it is used.
_FOR_HOOK: Final = "d.sink >= 'hook:' AND d.sink < 'hook;'"


# Nobody else waits for it.
_FOR_HOOKS_ONLY: Final = f"""
    NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.message_id = message.id
                AND NOT ({_FOR_HOOK}))
"""  # noqa: S608 - a constant of ours


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Deliveries given up, dead letters among them: for their age, and for the room they took.

    Attributes:
        too_old, too_much: of the configured sinks.
        of_hooks: of webhooks that clients asked for, for either reason.
    """

    too_old: int = 0
    too_much: int = 0
    of_hooks: int = 0

    def __bool__(self) -> bool:
        return bool(self.too_old or self.too_much or self.of_hooks)


def state(connection: sqlite3.Connection, key: str, otherwise: Callable[[], str]) -> str:
    """A value of the state, made the first time it is asked for."""
    row = connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
    if row is not None:
        return str(row[0])
    value = otherwise()
    set_state(connection, key, value)
    return value


def set_state(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Remember a value."""
    connection.execute(
        "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
    )


def next_run(connection: sqlite3.Connection) -> int:
    """Count a start of the daemon."""
    run = int(state(connection, "run", lambda: "0")) + 1
    set_state(connection, "run", str(run))
    return run


def begin_run(connection: sqlite3.Connection, routes: Sequence[Route], boot_id: str) -> dict[str, int]:
    """End the leases of the run before, and what waits for sinks that are configured no more.

    Returns how many deliveries each of those sinks lost, dead letters among them.
    """
    connection.execute(
        """UPDATE delivery SET lease_until_steady_ms = NULL, due_steady_ms = 0
           WHERE lease_until_steady_ms IS NOT NULL OR due_steady_ms <> 0"""
    )
    if not boot_id or state(connection, "boot", lambda: boot_id) != boot_id:
        connection.execute(
            "UPDATE message SET enqueued_steady_ms = NULL WHERE enqueued_steady_ms IS NOT NULL"
        )
    set_state(connection, "boot", boot_id)
    outbox_hooks.count_uses(connection)
    outbox_erasing.forget_watched(connection)
    known = {route.sink_id for route in routes}
    known |= {f"{HOOK_PREFIX}{row[0]}" for row in connection.execute("SELECT id FROM hook")}
    waiting = dict(connection.execute("SELECT sink, count(*) FROM delivery GROUP BY sink").fetchall())
    gone = {sink: number for sink, number in waiting.items() if sink not in known}
    for sink, number in gone.items():
        connection.execute("DELETE FROM delivery WHERE sink = ?", (sink,))
        count(connection, sink, "sink_removed", number)
    return gone


def begin_replay(connection: sqlite3.Connection) -> int:
    """Count a replay, where the one before was broken off; returns the present one's number."""
    run = int(state(connection, "replay", lambda: "1"))
    if state(connection, "replay_open", lambda: "no") == "yes":
        run += 1
        set_state(connection, "replay", str(run))
    set_state(connection, "replay_open", "yes")
    return run


def end_replay(connection: sqlite3.Connection) -> None:
    """Note that the present replay came to its end."""
    set_state(connection, "replay_open", "no")


def close_orphans(connection: sqlite3.Connection, routes: Sequence[Route], now: Moment) -> list[Message]:
    """Give every open job its final message; returns these messages."""
    finals = []
    rows = connection.execute(
        """SELECT job_id, namespace, feed_id, sequence, body, is_replay, is_request, recipients, reply_topic,
           reply_correlation, client_id FROM open_job ORDER BY job_id"""
    ).fetchall()
    for orphan in map(_open_job, rows):
        try:
            final = closing_message(orphan, now.utc_ms)
        except ValueError as error:
            _LOG.error("The open job %s cannot be closed and is forgotten: %s", orphan.job_id, error)
            connection.execute("DELETE FROM open_job WHERE job_id = ?", (orphan.job_id,))
            count(connection, "", "orphan_unreadable", 1)
        else:
            enqueue(connection, routes, [final], now)
            finals.append(final)
    return finals


def _open_job(row: Sequence[Any]) -> OpenJob:
    (
        job_id,
        namespace,
        feed_id,
        sequence,
        body,
        is_replay,
        is_request,
        recipients,
        topic,
        correlation,
        client,
    ) = row
    return OpenJob(
        job_id=job_id,
        namespace=namespace,
        feed_id=feed_id,
        sequence=sequence,
        body=body,
        is_replay=bool(is_replay),
        is_request=bool(is_request),
        recipients=tuple(json.loads(recipients)),
        reply=reply_of(topic, correlation),
        client_id=client,
    )


def learn_time(connection: sqlite3.Connection, now: Moment) -> bool:
    """Give messages of a time when nobody knew the time the present one; returns whether it is known now."""
    if not knows_time(now.utc_ms):
        return False
    connection.execute(
        "UPDATE message SET enqueued_ms = ? WHERE enqueued_ms < ? AND enqueued_steady_ms IS NULL",
        (now.utc_ms, KNOWN_TIME_MS),
    )
    return True


def give_up(connection: sqlite3.Connection, now: Moment, max_age_ms: int, max_bytes: int) -> GivenUp:
    """Forget what is older than `max_age_ms`, then the oldest until no more than `max_bytes` are kept.

    What waits for hooks is younger than HOOK_MAX_AGE_S, and goes first where there is too much: it never
    takes the room of what the owner's sinks wait for.
    """
    too_old = _forget(connection, _too_old(connection, now, max_age_ms), "given_up_age")
    too_old += _forget_deliveries(connection, _too_old_for_hooks(connection, now), "given_up_age")
    too_much = _forget(connection, _too_much(connection, now, max_bytes, _FOR_HOOKS_ONLY), "given_up_bytes")
    too_much += _forget(connection, _too_much(connection, now, max_bytes), "given_up_bytes")
    return GivenUp(
        too_old=_number(too_old, of_hooks=False),
        too_much=_number(too_much, of_hooks=False),
        of_hooks=_number(too_old, of_hooks=True) + _number(too_much, of_hooks=True),
    )


def _too_old(connection: sqlite3.Connection, now: Moment, max_age_ms: int) -> list[int]:
    """Ids are in the order of the commits: the first one that is young enough ends the search."""
    old: list[int] = []
    rows = connection.execute(
        f"SELECT id, enqueued_ms, enqueued_steady_ms, {_UNLEASED} FROM message ORDER BY id",  # noqa: S608
        (now.steady_ms,),
    )
    for message_id, enqueued_ms, enqueued_steady_ms, unleased in rows:
        if not is_given_up(enqueued_ms, enqueued_steady_ms, now, max_age_ms):
            break
        if unleased:
            old.append(message_id)
    rows.close()
    return old


def _too_old_for_hooks(connection: sqlite3.Connection, now: Moment) -> list[int]:
    """Deliveries to hooks, in the order of their commits, up to the first one that is young enough."""
    old: list[int] = []
    rows = connection.execute(
        f"""SELECT d.id, m.enqueued_ms, m.enqueued_steady_ms, coalesce(d.lease_until_steady_ms, 0) > ?
            FROM delivery AS d JOIN message AS m ON m.id = d.message_id
            WHERE {_FOR_HOOK} ORDER BY d.id""",  # noqa: S608
        (now.steady_ms,),
    )
    for delivery_id, enqueued_ms, enqueued_steady_ms, is_leased in rows:
        if not is_given_up(enqueued_ms, enqueued_steady_ms, now, HOOK_MAX_AGE_S * 1000):
            break
        if not is_leased:
            old.append(delivery_id)
    rows.close()
    return old


def _too_much(
    connection: sqlite3.Connection, now: Moment, max_bytes: int, condition: str = "TRUE"
) -> list[int]:
    (kept,) = connection.execute("SELECT bytes FROM volume").fetchone()
    chosen: list[int] = []
    if kept <= max_bytes:
        return chosen
    rows = connection.execute(
        f"SELECT id, length(body) FROM message WHERE {_UNLEASED} AND {condition} ORDER BY id",  # noqa: S608
        (now.steady_ms,),
    )
    for message_id, size in rows:
        chosen.append(message_id)
        kept -= size
        if kept <= max_bytes:
            break
    rows.close()
    return chosen


def _forget(connection: sqlite3.Connection, message_ids: Iterable[int], counter: str) -> Counter[str]:
    """Delete messages for everybody; returns how many deliveries each sink lost, and counts them."""
    lost: Counter[str] = Counter()
    for message_id in message_ids:
        rows = connection.execute("DELETE FROM delivery WHERE message_id = ? RETURNING sink", (message_id,))
        lost.update(counted_as(sink) for (sink,) in rows.fetchall())
    return _counted(connection, lost, counter)


def _forget_deliveries(
    connection: sqlite3.Connection, delivery_ids: Sequence[int], counter: str
) -> Counter[str]:
    """Delete deliveries to hooks, and count them."""
    connection.executemany("DELETE FROM delivery WHERE id = ?", [(one,) for one in delivery_ids])
    return _counted(connection, Counter({ALL_HOOKS: len(delivery_ids)}), counter)


def _counted(connection: sqlite3.Connection, lost: Counter[str], counter: str) -> Counter[str]:
    for sink, number in lost.items():
        if number:
            count(connection, sink, counter, number)
    return lost


def _number(lost: Counter[str], *, of_hooks: bool) -> int:
    hooks = lost[ALL_HOOKS]
    return hooks if of_hooks else lost.total() - hooks
