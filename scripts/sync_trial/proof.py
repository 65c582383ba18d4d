"""What a node's database holds, proved from its rows: exactly one epoch's people, and of which one.

The pages of every bucket are made anew of the rows, and must be those that the manifest lists by hash.
"""

import sqlite3
from dataclasses import dataclass

from edged.domain.sync_state import SyncRole
from edged.replication.keys import NamespaceKey, envelope_place
from edged.replication.people import bucket_of, content_hash, content_of, whole_digest
from edged.replication.publishing import entries_by_bucket, sealed_pages
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest, name_of
from edged.store.database import reading
from edged.store.sync_records import envelopes, epoch_record, ids_in_buckets, membership, shared_person
from sync_trial.nodes import NAMESPACE, TrialNode


@dataclass(frozen=True, slots=True)
class Holding:
    """What a database holds.

    Attributes:
        epoch: in force; 0: none.
        name: of its manifest, hex.
        content: its digest, by the manifest.
        unsettled: buckets with people whose own changes here are in no epoch yet, or are to be corrected.
        has_news: people were changed that no epoch has, or a page is here that is not applied.
        people: how many there are.
        faults: what must not be.
    """

    epoch: int
    name: str
    content: str
    unsettled: int
    has_news: bool
    people: int
    faults: tuple[str, ...]

    @property
    def is_settled(self) -> bool:
        """Whether it is exactly what its manifest says, with nothing to come."""
        return self.epoch > 0 and not (self.unsettled or self.has_news or self.faults)


def holding(node: TrialNode) -> Holding:
    """What a node's database holds now; reads all of it, in one state."""
    with node.store(read_only=True) as store, reading(store.connection) as connection:
        present, record = membership(connection), epoch_record(connection)
        ((people, revision),) = connection.execute(
            "SELECT (SELECT count(*) FROM identity), revision FROM ledger"
        )
        if present is None or record is None:
            is_joined = present is not None and present.role is SyncRole.MEMBER
            faults = ("there are people, and no epoch",) if is_joined and people else ()
            return Holding(0, "", "", 0, True, people, faults)
        statement = taken_apart(StatementKind.MANIFEST, record.manifest)
        manifest = statement.body(Manifest)
        unsettled = _unsettled(connection, manifest, record.revision, present.role)
        faults = [] if statement.is_by(present.authority) else ["the manifest in force is not signed"]
        faults += _faults(connection, node, manifest, unsettled)
        is_ahead = present.role is SyncRole.AUTHORITY and revision > record.revision
        ((staged,),) = connection.execute("SELECT count(*) FROM sync_page")
        has_news = is_ahead or staged > 0
        name = name_of(record.manifest)
        return Holding(
            manifest.epoch, name, manifest.content, len(unsettled), has_news, people, tuple(faults)
        )


def _unsettled(
    connection: sqlite3.Connection, manifest: Manifest, revision: int, role: SyncRole
) -> frozenset[int]:
    """Buckets that may differ from the epoch: their people were changed here, and not by an epoch."""
    if role is SyncRole.AUTHORITY:
        rows = connection.execute(
            "SELECT id FROM identity WHERE revision > ?1 UNION SELECT identity_id FROM tombstone"
            " WHERE revision > ?1",
            (revision,),
        )
    else:
        rows = connection.execute("SELECT identity_id FROM sync_change")
    found = {bucket_of(identity_id, manifest.buckets) for (identity_id,) in rows}
    stale = connection.execute("SELECT bucket FROM sync_bucket WHERE content_hash IS NULL")
    return frozenset(found | {bucket for (bucket,) in stale})


def _faults(
    connection: sqlite3.Connection, node: TrialNode, manifest: Manifest, unsettled: frozenset[int]
) -> list[str]:
    envelope = envelopes(connection).get(manifest.key_generation)
    if envelope is None:
        return [f"the key of epoch {manifest.epoch} is not here"]
    place = envelope_place(NAMESPACE, node.name, manifest.key_generation)
    key = NamespaceKey(node.keys.open_envelope(envelope, place), manifest.key_generation)
    listed, hashes, mixed = entries_by_bucket(manifest.pages), {}, []
    for bucket, ids in ids_in_buckets(connection, manifest.buckets, range(manifest.buckets)).items():
        content = content_of(
            shared_person(connection, each, manifest.model, with_chips=manifest.has_chips) for each in ids
        )
        hashes[bucket] = content_hash(content)
        made = tuple(entry for entry, _ in sealed_pages(key, NAMESPACE, bucket, content))
        if bucket not in unsettled and made != listed[bucket]:
            mixed.append(bucket)
    if mixed:
        return [f"{len(mixed)} of {manifest.buckets} buckets are not those of epoch {manifest.epoch}"]
    if not unsettled and whole_digest(key, hashes, manifest.buckets) != manifest.content:
        return [f"the digest of the rows is not the one of epoch {manifest.epoch}"]
    return []
