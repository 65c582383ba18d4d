"""Keeps the groups of a namespace within their limits: in age, in number, and in the bytes of their crops."""

import sqlite3
from typing import Final

from edged.domain.kept_time import Correction
from edged.settings.groups import Groups
from edged.store.database import reading, transaction
from edged.store.group_rows import forget_fates, remove_groups
from edged.store.retention import Excess, Tally, correct_times, empty_log

_STEP: Final = 8
"""Groups that one step deletes: overwriting their chips with zeros takes a while."""

_FATES_KEPT: Final = 1000
"""Changes whose groups and tracks are remembered as gone: a daemon hears of a change within a second."""

_OLDEST: Final = """
    SELECT number, kept_ms,
           (SELECT coalesce(sum(length(png)), 0) FROM group_track
            JOIN group_face ON group_face.track = group_track.number
            JOIN group_chip ON group_chip.face = group_face.number
            WHERE group_track.unknown_group = unknown_group.number)
    FROM unknown_group ORDER BY kept_ms, number LIMIT ?
"""


def sweep_groups(
    connection: sqlite3.Connection, settings: Groups, correction: Correction, tally: Tally
) -> bool:
    """Delete some of the groups that are too old or too much; whether there may be more of them.

    Those unseen for longest go first. Where groups are off, all go. Raises StoreError.
    """
    correct_times(connection, ("unknown_group",), correction)
    with reading(connection):
        doomed = _doomed(connection, settings, correction)
    if not doomed:
        return False
    with transaction(connection):
        # Each node keeps groups for as long as its own settings say.
        remove_groups(connection, doomed, is_told=False)
        forget_fates(connection, _FATES_KEPT)
    tally.add("group", len(doomed))
    empty_log(connection)
    return len(doomed) == _STEP


def _doomed(connection: sqlite3.Connection, settings: Groups, correction: Correction) -> list[str]:
    (number,) = connection.execute("SELECT count(*) FROM unknown_group").fetchone()
    (chip_bytes,) = connection.execute("SELECT group_chips FROM kept_bytes").fetchone()
    most = settings.max_groups if settings.enabled else 0
    excess = Excess(number - most, chip_bytes - settings.max_bytes)
    numbers = list(
        excess.oldest(connection.execute(_OLDEST, (_STEP,)), correction.before_ms(settings.max_age))
    )
    return [
        connection.execute("SELECT id FROM unknown_group WHERE number = ?", (one,)).fetchone()[0]
        for one in numbers
    ]
