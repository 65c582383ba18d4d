"""Keeps the history of a namespace within its limits: jobs, faces, pictures; in age, number and bytes."""

import sqlite3
from typing import Final

from edged.domain.kept_time import Correction
from edged.settings.history import History
from edged.store.database import reading, transaction
from edged.store.retention import Excess, Tally, correct_times, empty_log

_STEP: Final = 24
"""Rows of a kind that one step deletes."""

_PICTURE_STEP: Final = 4
"""Pictures, likewise: each is some hundred kilobytes."""

_TABLES: Final = ("picture", "seen_face", "job")

_JOBS: Final = "SELECT number, kept_ms, length(body) FROM job ORDER BY kept_ms, number LIMIT ?"
_FACES: Final = (
    "SELECT number, kept_ms, coalesce((SELECT length(png) FROM seen_chip WHERE face = number), 0)"
    " FROM seen_face WHERE enrolled IS NULL ORDER BY kept_ms, number LIMIT ?"
)
_PICTURES: Final = "SELECT number, kept_ms, length(jpeg) FROM picture ORDER BY kept_ms, number LIMIT ?"


def sweep_history(
    connection: sqlite3.Connection, settings: History, correction: Correction, tally: Tally
) -> bool:
    """Delete some of what is too old or too much; whether there may be more of it. Raises StoreError."""
    correct_times(connection, _TABLES, correction)
    with reading(connection):
        doomed = _doomed(connection, settings, correction)
    if not any(doomed.values()):
        return False
    with transaction(connection):
        for table, numbers in doomed.items():
            connection.executemany(
                f"DELETE FROM {table} WHERE number = ?",  # noqa: S608 (from above)
                [(number,) for number in numbers],
            )
    for table, numbers in doomed.items():
        tally.add(table, len(numbers))
    has_rest = any(len(numbers) == _steps(table) for table, numbers in doomed.items())
    if not has_rest:
        empty_log(connection)
    return has_rest


def _doomed(
    connection: sqlite3.Connection, settings: History, correction: Correction
) -> dict[str, list[int]]:
    """The rows of each table that one step deletes."""
    jobs, faces, picture_bytes = connection.execute(
        "SELECT jobs, faces, picture_bytes FROM history_volume"
    ).fetchone()
    job_bytes, chip_bytes = connection.execute("SELECT jobs, seen_chips FROM kept_bytes").fetchone()
    excess = {
        "picture": (_PICTURES, Excess(0, picture_bytes - settings.pictures.max_bytes)),
        "seen_face": (
            _FACES,
            Excess(faces - settings.faces.most, chip_bytes - settings.faces.max_bytes),
        ),
        "job": (_JOBS, Excess(jobs - settings.jobs.most, job_bytes - settings.jobs.max_bytes)),
    }
    ages = {
        "picture": settings.pictures.max_age,
        "seen_face": settings.faces.max_age,
        "job": settings.jobs.max_age,
    }
    return {
        table: list(most.oldest(connection.execute(sql, (_steps(table),)), correction.before_ms(ages[table])))
        for table, (sql, most) in excess.items()
    }


def _steps(table: str) -> int:
    return _PICTURE_STEP if table == "picture" else _STEP
