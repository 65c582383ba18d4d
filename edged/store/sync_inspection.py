"""How the sync of a namespace stands by its database, looked at without changing anything."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edged.domain.sync_state import NodeLag
from edged.store.database import open_database, reading
from edged.store.namespace_files import NAMESPACE_SCHEMA
from edged.store.sync_members import count_waiting, lags
from edged.store.sync_records import EpochRecord, Membership, epoch_record, membership


@dataclass(frozen=True, slots=True)
class SyncSight:
    """What the tables of sync say.

    Attributes:
        membership: never to be printed as a whole: an invitation may be in it.
        epoch: in force; None before the first.
        revision: of the ledger.
        generations: of the namespace's keys that are here, in their order.
        to_apply: buckets that are to be applied again.
        staged: pages that wait for others.
        members: of the authority, those that were put out left out.
        proposals: of how many people, of a member that are not answered; of the authority that wait for the
            owner.
        withheld: faces that may not be used before the authority took them.
    """

    membership: Membership
    epoch: EpochRecord | None
    revision: int
    generations: tuple[int, ...]
    to_apply: int
    staged: int
    members: tuple[NodeLag, ...]
    proposals: int
    withheld: int


def look_at_sync(path: Path) -> SyncSight | None:
    """The sync of the namespace in a database; None where it is not synced. Raises StoreError."""
    with closing(open_database(path, NAMESPACE_SCHEMA, read_only=True)) as connection, reading(connection):
        return sync_sight(connection)


def sync_sight(connection: sqlite3.Connection) -> SyncSight | None:
    """The same, in a reader's transaction."""
    present = membership(connection)
    if present is None:
        return None

    def count(sql: str) -> int:
        return int(connection.execute(sql).fetchone()[0])

    keys = connection.execute("SELECT generation FROM sync_key ORDER BY generation")
    return SyncSight(
        membership=present,
        epoch=epoch_record(connection),
        revision=count("SELECT revision FROM ledger"),
        generations=tuple(int(row[0]) for row in keys),
        to_apply=count("SELECT count(*) FROM sync_bucket WHERE content_hash IS NULL"),
        staged=count("SELECT count(*) FROM sync_page"),
        members=tuple(lags(connection)),
        proposals=count(
            "SELECT count(DISTINCT identity_id) FROM sync_proposal WHERE verdict IN ('', 'waiting')"
        )
        + count_waiting(connection),
        withheld=count("SELECT count(*) FROM sync_withheld"),
    )
