"""What other nodes share of groups of unknown people, as the recogniser is to know it."""

import sqlite3
from typing import Final

from edged.domain.face import Embedding
from edged.domain.group import GroupElsewhere
from edged.store.namespace_chips import embeddings_from_bytes
from edged.store.sealing import Kind, Seal, opened_or_none, seal_of

MOST_KNOWN: Final = 1000
"""Groups that the recogniser compares a track with besides its own: those that were seen last."""
_MOST_MEANS: Final = 4
"""Nodes whose means of one group are taken; more of them show nothing new."""


def groups_elsewhere(connection: sqlite3.Connection, model_hash: str) -> tuple[GroupElsewhere, ...]:
    """The groups that other nodes share, those written to last first. To be called in a transaction."""
    seal = seal_of(connection)
    rows = connection.execute(
        "SELECT group_id, min(first_seen_ms), max(last_seen_ms), max(visits) FROM sync_group_elsewhere"
        " WHERE model_hash = ? GROUP BY group_id ORDER BY max(kept_ms) DESC, group_id LIMIT ?",
        (model_hash, MOST_KNOWN),
    ).fetchall()
    known = [
        GroupElsewhere(
            group_id, first_ms, last_ms, visits, means=_means(connection, seal, group_id, model_hash)
        )
        for group_id, first_ms, last_ms, visits in rows
    ]
    return tuple(one for one in known if one.means)


def _means(
    connection: sqlite3.Connection, seal: Seal, group_id: str, model_hash: str
) -> tuple[tuple[Embedding, float], ...]:
    rows = connection.execute(
        "SELECT number, vector, effective FROM sync_group_elsewhere WHERE group_id = ? AND model_hash = ?"
        " ORDER BY kept_ms DESC, node LIMIT ?",
        (group_id, model_hash, _MOST_MEANS),
    )
    opened = (
        (opened_or_none(seal, Kind.SHARED_MEAN, number, vector, model_hash), effective)
        for number, vector, effective in rows
    )
    return tuple((embeddings_from_bytes([vector])[0], effective) for vector, effective in opened if vector)
