"""The hooks of the outbox: webhooks that clients of the API asked for, and who of them is told a message.

Each function runs in its caller's transaction. Requests' hooks are deleted by the schema's triggers, with
their last message.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from edged.domain.hook import HOOK_PREFIX, MOST_OF_REQUESTS, MOST_REGISTERED, Hook, HookLimitError, is_hook
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.store.outbox_counters import ALL_HOOKS, count

_COLUMNS: Final = "id, url, secret, client_id, namespaces, created_ms, is_registered"


def add(connection: sqlite3.Connection, hook: Hook) -> Hook:
    """Keep a hook; returns the one to use, which for a request may be one that is there.

    Raises HookLimitError where there are too many.
    """
    client = hook.client_id or ""
    if hook.is_registered:
        _require_room(connection, hook)
        _insert(connection, hook, uses=0)
        return hook
    found = connection.execute(
        f"""UPDATE hook SET uses = uses + 1 WHERE client_id = ? AND url = ? AND is_registered = 0
            RETURNING {_COLUMNS}""",  # noqa: S608
        (client, hook.url),
    ).fetchone()
    if found is not None:
        return _hook(found)
    _require_room(connection, hook)
    _insert(connection, hook, uses=1)
    return hook


def release(connection: sqlite3.Connection, hook_id: str) -> None:
    """A request that named the hook came to nothing, or its job has ended."""
    connection.execute(
        "UPDATE hook SET uses = uses - 1 WHERE id = ? AND is_registered = 0 AND uses > 0", (hook_id,)
    )


def remove(connection: sqlite3.Connection, hook_id: str) -> tuple[Hook | None, int]:
    """Forget a hook and what waits for it; returns the hook, and how much that was."""
    hook = one(connection, hook_id)
    connection.execute("DELETE FROM hook WHERE id = ?", (hook_id,))
    lost = connection.execute(
        "DELETE FROM delivery WHERE sink = ? AND dead_ms IS NULL", (f"{HOOK_PREFIX}{hook_id}",)
    ).rowcount
    if lost:
        count(connection, ALL_HOOKS, "hook_removed", lost)
    return hook, lost


def one(connection: sqlite3.Connection, hook_id: str) -> Hook | None:
    """The hook of an id, or None."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM hook WHERE id = ?", (hook_id,)).fetchone()  # noqa: S608
    return None if row is None else _hook(row)


def registered(connection: sqlite3.Connection, client_id: str | None) -> list[Hook]:
    """The registered hooks of a client, or (None) of all, the oldest first."""
    rows = connection.execute(
        f"""SELECT {_COLUMNS} FROM hook WHERE is_registered = 1 AND (client_id = :client OR :client IS NULL)
            ORDER BY created_ms, id""",  # noqa: S608
        {"client": client_id},
    )
    return [_hook(row) for row in rows]


def everyone(connection: sqlite3.Connection) -> list[Hook]:
    """All hooks, the registered ones first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM hook ORDER BY is_registered DESC, created_ms, id")  # noqa: S608
    return [_hook(row) for row in rows]


def due(connection: sqlite3.Connection, now: Moment) -> list[Hook]:
    """The hooks for which something waits that may be sent now."""
    rows = connection.execute(
        f"""SELECT {_COLUMNS} FROM hook WHERE EXISTS (
              SELECT 1 FROM delivery WHERE sink = 'hook:' || hook.id AND dead_ms IS NULL
              AND due_steady_ms <= :now AND coalesce(lease_until_steady_ms, 0) <= :now)""",  # noqa: S608
        {"now": now.steady_ms},
    )
    return [_hook(row) for row in rows]


def takers(connection: sqlite3.Connection, message: Message) -> list[str]:
    """Sink ids of the registered hooks that are told a message.

    They are told jobs of their namespaces; a detect job, which is in none, is told to its own client's.
    """
    if message.kind is not MessageKind.JOB:
        return []
    if message.namespace:
        # No name holds a quotation mark: where the quoted one is in the array's text, it is in the array.
        condition, value = "instr(namespaces, ?) > 0", f'"{message.namespace}"'
    else:
        condition, value = "client_id = ? AND client_id <> ''", message.client_id
    rows = connection.execute(
        f"SELECT id FROM hook WHERE is_registered = 1 AND {condition} ORDER BY created_ms, id",  # noqa: S608
        (value,),
    )
    return [f"{HOOK_PREFIX}{row[0]}" for row in rows]


def are_there(connection: sqlite3.Connection, sinks: Sequence[str]) -> list[str]:
    """Those of the sink ids that are hooks which exist."""
    return [
        sink
        for sink in sinks
        if is_hook(sink) and one(connection, sink.removeprefix(HOOK_PREFIX)) is not None
    ]


def count_uses(connection: sqlite3.Connection) -> None:
    """Begin a run: requests that named a hook and were never begun do not hold it any more."""
    uses: dict[str, int] = {}
    for (recipients,) in connection.execute("SELECT recipients FROM open_job WHERE recipients <> '[]'"):
        for sink in json.loads(recipients):
            uses[sink] = uses.get(sink, 0) + 1
    hook_ids = connection.execute("SELECT id FROM hook WHERE is_registered = 0").fetchall()
    connection.executemany(
        "UPDATE hook SET uses = ? WHERE id = ?",
        [(uses.get(f"{HOOK_PREFIX}{hook_id}", 0), hook_id) for (hook_id,) in hook_ids],
    )


def keep_clients(
    connection: sqlite3.Connection, clients: Mapping[str, Collection[str]]
) -> tuple[list[Hook], int]:
    """Remove the hooks of clients that are not among these, and give the others their client's namespaces.

    Returns the removed hooks, and how much waited for them.
    """
    gone: list[Hook] = []
    lost = 0
    rows = connection.execute(f"SELECT {_COLUMNS} FROM hook WHERE client_id <> ''").fetchall()  # noqa: S608
    for hook in (_hook(row) for row in rows):
        namespaces = clients.get(hook.client_id or "")
        if namespaces is None:
            lost += remove(connection, hook.id)[1]
            gone.append(hook)
        elif hook.is_registered:
            connection.execute(
                "UPDATE hook SET namespaces = ? WHERE id = ?", (json.dumps(sorted(namespaces)), hook.id)
            )
    return gone, lost


def _require_room(connection: sqlite3.Connection, hook: Hook) -> None:
    (number,) = connection.execute(
        """SELECT count(*) FROM hook WHERE is_registered = :registered
           AND (client_id = :client OR NOT :registered)""",
        {"registered": hook.is_registered, "client": hook.client_id or ""},
    ).fetchone()
    most = MOST_REGISTERED if hook.is_registered else MOST_OF_REQUESTS
    if number >= most:
        raise HookLimitError(
            f"no more than {most} webhooks are kept",
            remedy="Delete a registered one, or wait until what waits for those of requests was sent.",
        )


def _insert(connection: sqlite3.Connection, hook: Hook, *, uses: int) -> None:
    connection.execute(
        f"INSERT INTO hook ({_COLUMNS}, uses) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            hook.id,
            hook.url,
            hook.secret,
            hook.client_id or "",
            json.dumps(list(hook.namespaces)),
            hook.created_ms,
            hook.is_registered,
            uses,
        ),
    )


def _hook(row: Sequence[Any]) -> Hook:
    hook_id, url, secret, client_id, namespaces, created_ms, is_registered = row
    return Hook(
        id=hook_id,
        url=url,
        secret=secret,
        client_id=client_id or None,
        namespaces=tuple(json.loads(namespaces)),
        created_ms=created_ms,
        is_registered=bool(is_registered),
    )
