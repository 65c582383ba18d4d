"""Proves again what the code takes for granted of the groups in a namespace's database. Only reads."""

import sqlite3
from collections.abc import Iterator
from typing import Final

from edged.store.group_queries import revision_of

_LATER: Final = {
    "group {} has a later revision than the groups' ledger": (
        "SELECT id FROM unknown_group WHERE revision > ?"
    ),
    "the end of group {} has a later revision than the groups' ledger": (
        "SELECT group_id FROM group_fate WHERE revision > ?"
    ),
    "the lost track {} has a later revision than the groups' ledger": (
        "SELECT track_id FROM group_lost_track WHERE revision > ?"
    ),
}
"""What must not be, and how to find it."""

_ODD: Final = {
    "group {} has no track, so nobody is in it": """
        SELECT id FROM unknown_group
        WHERE NOT EXISTS (SELECT 1 FROM group_track WHERE unknown_group = unknown_group.number)
    """,
    "group {} was seen at other times than its tracks": """
        SELECT DISTINCT unknown_group.id FROM unknown_group
        JOIN group_track AS track ON track.unknown_group = unknown_group.number
        WHERE track.first_seen_ms < unknown_group.first_seen_ms
           OR track.last_seen_ms > unknown_group.last_seen_ms
    """,
    "group {} is there and gone at once": """
        SELECT group_id FROM group_fate WHERE group_id IN (SELECT id FROM unknown_group)
    """,
    "track {} is in a group and lost at once": """
        SELECT id FROM group_track WHERE id IN (SELECT track_id FROM group_lost_track)
    """,
    "group {} was merged into one that is gone": """
        SELECT group_id FROM group_fate WHERE heir IN (SELECT group_id FROM group_fate)
    """,
    "track {} of a group has no embedding": """
        SELECT id FROM group_track
        WHERE NOT EXISTS (SELECT 1 FROM group_track_embedding WHERE track = number)
    """,
    "face {} of a group has neither an embedding nor a chip to make one from": """
        SELECT number FROM group_face
        WHERE NOT EXISTS (SELECT 1 FROM group_embedding AS made WHERE made.face = number)
          AND NOT EXISTS (SELECT 1 FROM group_chip AS chip WHERE chip.face = number)
    """,
}


def group_findings(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with the groups, in words."""
    if connection.execute("SELECT count(*) FROM group_ledger").fetchone() != (1,):
        yield "the groups' ledger has not exactly one row"
        return
    for words, sql in _LATER.items():
        for (name,) in connection.execute(sql, (revision_of(connection),)):
            yield words.format(name)
    for words, sql in _ODD.items():
        for (name,) in connection.execute(sql):
            yield words.format(name)
