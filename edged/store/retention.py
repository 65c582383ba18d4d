"""What all retention has in common: times that were written by a wrong clock, and counting what was taken.

A sweep is a step: a few rows in one transaction, because overwriting them with zeros takes a while and nobody
shall wait for it. Whoever sweeps calls again for as long as there may be more.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edged.domain.kept_time import AHEAD_MS, KNOWN_MS, Correction
from edged.store.database import path_of, transaction
from edged.store.faults import translated

_GIVEN_BACK: Final = 128
"""Pages of 4 kB that one step gives back to the disk."""

_SLACK_PAGES: Final = 1024
"""Free pages that stay: what comes next is written there."""


KINDS: Final = ("job", "seen_face", "picture", "group", "chip")
"""What retention deletes, as it is counted."""


class Tally:
    """Counts what retention deleted since the start, by kind. Any thread may count and ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))

    def add(self, kind: str, number: int) -> None:
        """Count some of a kind."""
        with self._lock:
            self._counts[kind] += number

    @property
    def taken(self) -> dict[str, int]:
        """How many of each of KINDS."""
        with self._lock:
            return dict(self._counts)


@dataclass(slots=True)
class Excess:
    """What there is too much of. Taking the oldest row makes it less."""

    rows: float
    bytes: float

    def oldest(self, rows: Iterable[tuple[int, int, int]], before_ms: int) -> Iterator[int]:
        """Of (number, time, bytes), the oldest first, the numbers that are too old or in the way."""
        for number, at_ms, size in rows:
            if self.rows <= 0 and self.bytes <= 0 and at_ms >= before_ms:
                return
            self.rows -= 1
            self.bytes -= size
            yield number


def correct_times(connection: sqlite3.Connection, tables: Sequence[str], correction: Correction) -> None:
    """Put right what a wrong clock wrote as `kept_ms`, where there is such a thing."""
    for table in tables:
        for change, condition, values in _corrections(correction):
            with translated(path_of(connection)):
                is_there = connection.execute(
                    f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1",  # noqa: S608 (all of this package)
                    values[1:],
                ).fetchone()
            if is_there:
                with transaction(connection):
                    connection.execute(
                        f"UPDATE {table} SET kept_ms = {change} WHERE {condition}",  # noqa: S608
                        values,
                    )


def _corrections(correction: Correction) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(new time, which rows, values of both) of each change."""
    if correction.moved is not None:
        first_ms, last_ms, by_ms = correction.moved
        yield "kept_ms + ?", "kept_ms BETWEEN ? AND ?", (by_ms, first_ms, last_ms)
    if correction.is_known:
        # Nobody knows how old these are: their time begins now.
        yield "?", "kept_ms < ?", (correction.now_ms, KNOWN_MS)
        if correction.is_settled:
            yield "?", "kept_ms > ?", (correction.now_ms, correction.now_ms + AHEAD_MS)


def empty_log(connection: sqlite3.Connection) -> None:
    """Let nothing of what was deleted be left in the log; where a reader holds it, the next one does."""
    with translated(path_of(connection)):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def give_back(connection: sqlite3.Connection) -> bool:
    """Give some of the file's free pages back to the disk; whether there may be more.

    Files that were made before edged knew this keep theirs, to be written again.
    """
    with translated(path_of(connection)):
        (mode,) = connection.execute("PRAGMA auto_vacuum").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if mode != 2 or free <= _SLACK_PAGES:  # noqa: PLR2004 - INCREMENTAL, as SQLite calls it
            return False
        # A page a row, of no columns, of which `execute` takes the first alone.
        connection.executescript(f"PRAGMA incremental_vacuum({_GIVEN_BACK})")
    return bool(free - _GIVEN_BACK > _SLACK_PAGES)
