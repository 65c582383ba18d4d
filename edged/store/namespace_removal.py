"""Deleting people from a namespace's database, and counting what went with them."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from edged.domain.identity import Identity
from edged.store.history_people import erase_people

_KINDS: Final = {
    "identity": "identities",
    "face": "enrolled faces",
    "chip": "crops of enrolled faces",
    "embedding": "embeddings of enrolled faces",
    "seen_face": "seen faces",
    "seen_chip": "crops of seen faces",
    "seen_embedding": "embeddings of seen faces",
    "picture": "pictures",
    "job": "unreadable jobs",
    "unknown_group": "groups",
    "group_track": "tracks of groups",
    "group_face": "faces of groups",
}
"""Tables, and what their rows are called in a receipt."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What a removal did, or would do.

    Attributes:
        identities: who is gone.
        warnings: what could not be done besides, in words: a write-ahead log that a reader held on to, a
            snapshot that found no room. The people are gone from the database all the same.
        deleted: what went with them, by kind, without what there was none of.
    """

    identities: tuple[Identity, ...]
    warnings: tuple[str, ...]
    deleted: Mapping[str, int] = field(default_factory=dict)


class _TakenBack(Exception):  # noqa: N818 - no error: it ends the transaction of a rehearsal
    """Rolls back."""


@contextmanager
def rehearsal(
    change: Callable[[], AbstractContextManager[tuple[int, int]]],
) -> Iterator[tuple[int, int]]:
    """A change that is taken back in the end."""
    try:
        with change() as stamps:
            yield stamps
            raise _TakenBack  # noqa: TRY301 - it rolls the change back
    except _TakenBack:
        return


def delete_people(
    connection: sqlite3.Connection, people: Sequence[Identity], revision: int, now_ms: int
) -> dict[str, int]:
    """Delete people within a change; returns what went with them, by kind."""
    before = _rows(connection)
    objects = erase_people(connection, [person.id for person in people], now_ms)
    for person in people:
        # One by one: what taking back a statement needs is kept in memory.
        faces = connection.execute(
            "SELECT face.number FROM face JOIN identity ON identity.number = face.identity"
            " WHERE identity.id = ?",
            (person.id,),
        ).fetchall()
        connection.executemany("DELETE FROM face WHERE number = ?", faces)
        connection.execute("DELETE FROM identity WHERE id = ?", (person.id,))
        connection.execute(
            "INSERT OR REPLACE INTO tombstone (identity_id, revision, removed_ms) VALUES (?, ?, ?)",
            (person.id, revision, now_ms),
        )
    connection.execute("UPDATE ledger SET erased_revision = revision")
    after = _rows(connection)
    gone = {kind: before[kind] - after[kind] for kind in before}
    return {kind: number for kind, number in {**gone, "objects of jobs": objects}.items() if number > 0}


def removal(
    people: tuple[Identity, ...], deleted: Mapping[str, int], snapshots: int, warnings: Iterable[str]
) -> Removal:
    """The removal, of which `snapshots` copies are part: all of them are exchanged for a new one."""
    copies = {"snapshots": snapshots} if snapshots else {}
    return Removal(people, tuple(warnings), {**deleted, **copies})


def _rows(connection: sqlite3.Connection) -> dict[str, int]:
    return {
        kind: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 (from above)
        for table, kind in _KINDS.items()
    }
