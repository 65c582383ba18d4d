"""Keeps the aligned crops of enrolled people within their limits. Embeddings stay: they are known still.

A face that no model has embedded keeps its crop until one has: it would stand for nobody without it.

In a synced namespace the authority's limits hold for what is shared. What retention takes there is a change
that the next epoch brings to everybody. A member takes nothing that its epoch consists of: it would not be
what the epoch says any more, and would have it again with the next one.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

from edged.domain.kept_time import AHEAD_MS, KNOWN_MS, Correction
from edged.domain.sync_state import SyncRole
from edged.settings.privacy import Chips
from edged.store.database import reading, transaction
from edged.store.namespace_store import next_revision
from edged.store.retention import Excess, Tally, empty_log
from edged.store.sync_records import membership, shared_terms

_STEP: Final = 24

_OLDEST: Final = """
    SELECT face.number, face.created_ms, length(png) FROM face JOIN chip ON chip.face = face.number
    WHERE EXISTS (SELECT 1 FROM embedding WHERE embedding.face = face.number) AND face.created_ms >= ?
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
    with reading(connection):
        terms = shared_terms(connection)
    is_member = terms is not None and terms[0] is SyncRole.MEMBER
    if terms is not None and is_member and terms[2]:
        return False
    if correction.is_known and settings.max_age is not None and not is_member:
        _date(connection, correction)
    with reading(connection):
        doomed = _doomed(connection, settings, correction, keeps_undated=is_member)
    if not doomed:
        return False
    with transaction(connection):
        connection.executemany("DELETE FROM chip WHERE face = ?", [(number,) for number in doomed])
        if terms is not None and terms[2]:
            _stamp(connection, doomed)
    tally.add("chip", len(doomed))
    if len(doomed) < _STEP:
        empty_log(connection)
    return len(doomed) == _STEP


def _stamp(connection: sqlite3.Connection, faces: Iterable[int]) -> None:
    """Have the people of these faces be changed: an epoch consists of them."""
    revision = next_revision(connection)
    connection.executemany(
        "UPDATE identity SET revision = ? WHERE number = (SELECT identity FROM face WHERE number = ?)",
        [(revision, number) for number in faces],
    )


def _doomed(
    connection: sqlite3.Connection, settings: Chips, correction: Correction, *, keeps_undated: bool
) -> list[int]:
    (chip_bytes,) = connection.execute("SELECT chips FROM kept_bytes").fetchone()
    most_bytes = chip_bytes if settings.max_bytes is None else settings.max_bytes
    before_ms = 0 if settings.max_age is None else correction.before_ms(settings.max_age)
    excess = Excess(0 if settings.keep else _STEP, chip_bytes - most_bytes)
    # A member's faces have the authority's times, which are put right there.
    least_ms = KNOWN_MS if keeps_undated and settings.keep else 0
    return list(excess.oldest(connection.execute(_OLDEST, (least_ms, _STEP)), before_ms))


def _date(connection: sqlite3.Connection, correction: Correction) -> None:
    wrong = [("created_ms < ?", KNOWN_MS)]
    if correction.is_settled:
        wrong.append(("created_ms > ?", correction.now_ms + AHEAD_MS))
    for condition, limit_ms in wrong:
        found = connection.execute(f"SELECT 1 FROM face WHERE {condition} LIMIT 1", (limit_ms,))  # noqa: S608
        if found.fetchone():
            with transaction(connection):
                changed = connection.execute(
                    f"UPDATE face SET created_ms = ? WHERE {condition} RETURNING number",  # noqa: S608
                    (correction.now_ms, limit_ms),
                ).fetchall()
                if membership(connection) is not None:
                    _stamp(connection, [number for (number,) in changed])
