"""What people ask of the outbox: how full it is, which letters are dead, and to send those again.

Each function runs in its caller's transaction.
"""

import sqlite3
from dataclasses import dataclass, field

from edged.domain.hook import Hook, is_hook
from edged.domain.moment import Moment
from edged.store import outbox_hooks
from edged.store.outbox_counters import ALL_HOOKS, count


@dataclass(frozen=True, slots=True)
class SinkDepth:
    """How one sink is doing.

    Attributes:
        sink: its id.
        waiting: messages not sent yet; of these, retrying: tried, and failed.
        oldest_age_ms: how long the oldest of them has been waiting; None where none waits.
        dead: dead letters.
        last_reason: why the last try of a waiting message failed; empty where none did.
        counters: by name, since the file was made: `sent`, `replaced`, `buried`, `given_up_age`,
            `given_up_bytes`, `sink_removed`, `dropped`, `resent`.
    """

    sink: str
    waiting: int
    retrying: int
    oldest_age_ms: int | None
    dead: int
    last_reason: str
    counters: dict[str, int]


@dataclass(frozen=True, slots=True)
class HookDepth:
    """How one webhook of an API client is doing.

    Attributes:
        id: its id; where: its receiver, without path and query.
        client_id: whose it is; None where no client is known.
        is_registered: told every job; else only those of requests that name it.
        waiting: messages not sent yet.
        oldest_age_ms: how long the oldest of them has been waiting; None where none waits.
        last_reason: why the last try of one failed; empty where none did.
    """

    id: str
    where: str
    client_id: str | None
    is_registered: bool
    waiting: int
    oldest_age_ms: int | None
    last_reason: str


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How the outbox is doing: what is kept for all sinks together, each sink, and the clients' webhooks.

    `hook_counters` are those of all webhooks together, by name, as a sink has them; also `refused` and
    `hook_removed`.
    """

    messages: int
    bytes: int
    open_jobs: int
    sinks: tuple[SinkDepth, ...]
    hooks: tuple[HookDepth, ...] = ()
    hook_counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a sink would not take.

    Attributes:
        id: what `resend` and `drop` call it.
        sink, reason, dead_ms: who did not take it, why, and since when (UTC ms).
        kind, namespace, feed_id, subject_id, sequence: what it is.
        attempts: tries that the sink answered and failed.
        size_bytes: of its body.
    """

    id: int
    sink: str
    reason: str
    dead_ms: int
    kind: str
    namespace: str
    feed_id: str
    subject_id: str
    sequence: int
    attempts: int
    size_bytes: int


def messages(connection: sqlite3.Connection) -> int:
    """How many messages are kept, dead letters among them; at once, however many they are."""
    (number,) = connection.execute("SELECT messages FROM volume").fetchone()
    return int(number)


def status(connection: sqlite3.Connection, configured: tuple[str, ...], now: Moment) -> OutboxStatus:
    """All sinks that are configured, have something waiting, or ever had; and the hooks."""
    counters: dict[str, dict[str, int]] = {}
    for sink, name, value in connection.execute("SELECT sink, name, value FROM counter"):
        counters.setdefault(sink, {})[name] = value
    of_hooks = counters.pop(ALL_HOOKS, {})
    known = dict.fromkeys(configured)
    known |= dict.fromkeys(_sinks_with(connection, "dead_ms IS NULL"))
    known |= dict.fromkeys(_sinks_with(connection, "dead_ms IS NOT NULL"))
    known |= dict.fromkeys(sink for sink in sorted(counters) if sink)
    messages, kept = connection.execute("SELECT messages, bytes FROM volume").fetchone()
    (open_jobs,) = connection.execute("SELECT count(*) FROM open_job").fetchone()
    return OutboxStatus(
        messages=messages,
        bytes=kept,
        open_jobs=open_jobs,
        sinks=tuple(
            _depth(connection, sink, counters.get(sink, {}), now) for sink in known if not is_hook(sink)
        ),
        hooks=tuple(_hook_depth(connection, hook, now) for hook in outbox_hooks.everyone(connection)),
        hook_counters=of_hooks,
    )


def _sinks_with(connection: sqlite3.Connection, condition: str) -> list[str]:
    """The sinks that have such deliveries: from one to the next in the index, however many each has."""
    question = f"SELECT min(sink) FROM delivery WHERE {condition} AND sink > ?"  # noqa: S608 - words of ours
    sinks: list[str] = []
    while (found := connection.execute(question, (sinks[-1] if sinks else "",)).fetchone()[0]) is not None:
        sinks.append(found)
    return sinks


def _hook_depth(connection: sqlite3.Connection, hook: Hook, now: Moment) -> HookDepth:
    depth = _depth(connection, hook.sink_id, {}, now)
    return HookDepth(
        id=hook.id,
        where=hook.where,
        client_id=hook.client_id,
        is_registered=hook.is_registered,
        waiting=depth.waiting,
        oldest_age_ms=depth.oldest_age_ms,
        last_reason=depth.last_reason,
    )


def _depth(connection: sqlite3.Connection, sink: str, counters: dict[str, int], now: Moment) -> SinkDepth:
    # One question an index: together they would look at every waiting message.
    (waiting,) = connection.execute(
        "SELECT count(*) FROM delivery WHERE sink = ? AND dead_ms IS NULL", (sink,)
    ).fetchone()
    retrying, first = connection.execute(
        """SELECT count(*), min(id) FROM delivery
           WHERE sink = ? AND dead_ms IS NULL AND reason IS NOT NULL""",
        (sink,),
    ).fetchone()
    reason = connection.execute("SELECT reason FROM delivery WHERE id = ?", (first,)).fetchone()
    (dead,) = connection.execute(
        "SELECT count(*) FROM delivery WHERE sink = ? AND dead_ms IS NOT NULL", (sink,)
    ).fetchone()
    oldest = connection.execute(
        """SELECT m.enqueued_ms, m.enqueued_steady_ms FROM delivery AS d JOIN message AS m
           ON m.id = d.message_id WHERE d.sink = ? AND d.dead_ms IS NULL ORDER BY d.id LIMIT 1""",
        (sink,),
    ).fetchone()
    return SinkDepth(
        sink=sink,
        waiting=waiting,
        retrying=retrying,
        oldest_age_ms=None if oldest is None else _age_ms(oldest[0], oldest[1], now),
        dead=dead,
        last_reason="" if reason is None else reason[0],
        counters=counters,
    )


def _age_ms(enqueued_ms: int, enqueued_steady_ms: int | None, now: Moment) -> int:
    if enqueued_steady_ms is not None:
        return max(0, now.steady_ms - enqueued_steady_ms)
    return max(0, now.utc_ms - enqueued_ms)


def dead_letters(connection: sqlite3.Connection) -> list[DeadLetter]:
    """All dead letters, in the order they were committed."""
    rows = connection.execute(
        """SELECT d.id, d.sink, coalesce(d.reason, ''), d.dead_ms, m.kind, m.namespace, m.feed_id,
                  m.subject_id, m.sequence, d.attempts, length(m.body)
           FROM delivery AS d JOIN message AS m ON m.id = d.message_id
           WHERE d.dead_ms IS NOT NULL ORDER BY d.id"""
    )
    return [DeadLetter(*row) for row in rows]


def resend(connection: sqlite3.Connection, delivery_id: int | None) -> int:
    """Put one dead letter, or (None) all of them, back into the queue; returns how many."""
    return _take(
        connection,
        delivery_id,
        """UPDATE delivery SET dead_ms = NULL, reason = NULL, attempts = 0, due_steady_ms = 0
           WHERE dead_ms IS NOT NULL AND (id = :id OR :id IS NULL) RETURNING sink""",
        "resent",
    )


def drop(connection: sqlite3.Connection, delivery_id: int) -> int:
    """Forget one dead letter; returns how many there were of that id: 0 or 1."""
    return _take(
        connection,
        delivery_id,
        "DELETE FROM delivery WHERE dead_ms IS NOT NULL AND id = :id RETURNING sink",
        "dropped",
    )


def _take(connection: sqlite3.Connection, delivery_id: int | None, statement: str, counter: str) -> int:
    sinks = [row[0] for row in connection.execute(statement, {"id": delivery_id}).fetchall()]
    for sink in sorted(set(sinks)):
        count(connection, sink, counter, sinks.count(sink))
    return len(sinks)
