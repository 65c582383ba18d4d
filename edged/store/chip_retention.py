"""Keeps the aligned crops of enrolled people within their limits. Embeddings stay: they are known still.

A face that no model has embedded keeps its crop until one has: it would stand for nobody without it.
"""

import sqlite3
from typing import Final

from edged.domain.kept_time import AHEAD_MS, KNOWN_MS, Correction
from edged.settings.privacy import Chips
from edged.store.database import reading, transaction
from edged.store.retention import Excess, Tally, empty_log

_STEP: Final = 24

_OLDEST: Final = """
    SELECT face.number, face.created_ms, length(png) FROM face JOIN chip ON chip.face = face.number
    WHERE EXISTS (SELECT 1 FROM embedding WHERE embedding.face = face.number)
    ORDER BY face.created_ms, face.id LIMIT ?
"""


def sweep_chips(
    connection: sqlite3.Connection, settings: Chips, correction: Correction, tally: Tally
) -> bool:
    """Delete some of the crops that are too old or too much; whether there may be more. Raises StoreError.

    A face that was enrolled when nobody knew the time is as old as the first time that was known; so is one
    that a clock which ran ahead dated into the future.
    """
    if settings.keep and settings.max_age is None and settings.max_bytes is None:
        return False
    if correction.is_known and settings.max_age is not None:
        _date(connection, correction)
    with reading(connection):
        doomed = _doomed(connection, settings, correction)
    if not doomed:
        return False
    with transaction(connection):
        connection.executemany("DELETE FROM chip WHERE face = ?", [(number,) for number in doomed])
    tally.add("chip", len(doomed))
    if len(doomed) < _STEP:
        empty_log(connection)
    return len(doomed) == _STEP


def _doomed(connection: sqlite3.Connection, settings: Chips, correction: Correction) -> list[int]:
    (chip_bytes,) = connection.execute("SELECT chips FROM kept_bytes").fetchone()
    most_bytes = chip_bytes if settings.max_bytes is None else settings.max_bytes
    before_ms = 0 if settings.max_age is None else correction.before_ms(settings.max_age)
    excess = Excess(0 if settings.keep else _STEP, chip_bytes - most_bytes)
    return list(excess.oldest(connection.execute(_OLDEST, (_STEP,)), before_ms))


def _date(connection: sqlite3.Connection, correction: Correction) -> None:
    wrong = [("created_ms < ?", KNOWN_MS)]
    if correction.is_settled:
        wrong.append(("created_ms > ?", correction.now_ms + AHEAD_MS))
    for condition, limit_ms in wrong:
        found = connection.execute(f"SELECT 1 FROM face WHERE {condition} LIMIT 1", (limit_ms,))  # noqa: S608
        if found.fetchone():
            with transaction(connection):
                connection.execute(
                    f"UPDATE face SET created_ms = ? WHERE {condition}",  # noqa: S608 (both from above)
                    (correction.now_ms, limit_ms),
                )
