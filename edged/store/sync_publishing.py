"""Making the authority's next epoch of what is in the database, and its pages again from the same rows.

An epoch is read and written in one state of the database: the pages are made in a reader's transaction, which
holds up nobody, and what changed meanwhile is made again in the short writer's transaction that keeps the
epoch. Pages are not kept: they are made again when they are sent, and are the same bytes.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from edged.domain.sync_state import SyncRole
from edged.replication.keys import NamespaceKey, SigningKey
from edged.replication.people import bucket_of, buckets_for, content_hash, whole_digest
from edged.replication.publishing import (
    BucketPages,
    Terms,
    entries_by_bucket,
    sealed_pages,
    terms_of,
    unlisted,
)
from edged.replication.statement import StatementKind, signed, taken_apart
from edged.replication.statements import FIRST, Manifest, name_of
from edged.store.database import reading, transaction
from edged.store.namespace_queries import ledger
from edged.store.sync_members import untell
from edged.store.sync_pages import content_in, retire
from edged.store.sync_records import (
    EpochRecord,
    bucket_hashes,
    epoch_record,
    ids_in_buckets,
    membership,
    write_bucket,
    write_envelope,
    write_epoch,
)

_PERSON_BYTES = 64
"""Of a person in a page, beside their name and custom id."""
_FACE_BYTES = 64
"""Of a face, beside its vector, its chip and its source."""
_BESIDE_A_PAGE_BYTES = 28


@dataclass(frozen=True, slots=True)
class Writer:
    """Who makes epochs: the namespace, the node, the run of its daemon, and the key that signs."""

    namespace: str
    node: str
    run: str
    signing: SigningKey


@dataclass(frozen=True, slots=True)
class Order:
    """What the next epoch is to be.

    Attributes:
        writer: who makes it.
        terms: what it says besides who is in it.
        key: what its pages are sealed with.
        now_ms: UTC milliseconds.
        envelope: the key for the node itself, where it is a new one.
        floor: its number is greater.
        handovers: how the authority came to its key.
        successor: who speaks after it: the node and its key in hex.
        is_wanted: it is made even where nothing is changed.
    """

    writer: Writer
    terms: Terms
    key: NamespaceKey
    now_ms: int
    envelope: bytes | None = None
    floor: int = 0
    handovers: tuple[str, ...] = ()
    successor: tuple[str, str] | None = None
    is_wanted: bool = False


@dataclass(slots=True)
class _Draft:
    """An epoch on its way: the revision that was read, the epoch before, and every bucket."""

    revision: int
    before: EpochRecord | None
    manifest: Manifest | None
    buckets: int
    states: dict[int, BucketPages]


def manifest_in(record: EpochRecord | None) -> Manifest | None:
    """The manifest of the epoch in force; it was verified when it was kept."""
    if record is None:
        return None
    return taken_apart(StatementKind.MANIFEST, record.manifest).body(Manifest)


def write_next_epoch(connection: sqlite3.Connection, order: Order) -> EpochRecord | None:
    """Make the next epoch and have it in force; nothing is sent yet.

    Returns the epoch in force afterwards: the one before where nothing but the ledger's revision went on.
    None where this node is the authority no more, or another process made an epoch meanwhile.
    Raises StoreError.
    """
    with reading(connection):
        draft = _drafted(connection, order)
    with transaction(connection):
        present = membership(connection)
        if (
            present is None
            or present.role is not SyncRole.AUTHORITY
            or epoch_record(connection) != draft.before
        ):
            return None
        since, draft.revision = draft.revision, ledger(connection).revision
        _make(connection, order, draft, _changed_since(connection, since, draft.buckets))
        return _kept(connection, order, draft)


def _drafted(connection: sqlite3.Connection, order: Order) -> _Draft:
    record = epoch_record(connection)
    manifest = manifest_in(record)
    draft = _Draft(ledger(connection).revision, record, manifest, 0, {})
    hashes = bucket_hashes(connection)
    if record is None or manifest is None or not _can_go_on(order, manifest):
        draft.buckets = buckets_for(_content_bytes(connection, order.terms))
        _make(connection, order, draft, range(draft.buckets))
        return draft
    draft.buckets = manifest.buckets
    entries = entries_by_bucket(manifest.pages)
    for bucket in range(manifest.buckets):
        known = hashes.get(bucket)
        if known is not None and bucket in entries:
            draft.states[bucket] = BucketPages(known, entries[bucket])
    stale = _changed_since(connection, record.revision, draft.buckets)
    stale |= set(range(draft.buckets)) - draft.states.keys()
    _make(connection, order, draft, stale)
    fitting = buckets_for(_listed_bytes(draft), draft.buckets)
    if fitting != draft.buckets:
        draft.buckets, draft.states = fitting, {}
        _make(connection, order, draft, range(fitting))
    return draft


def _can_go_on(order: Order, manifest: Manifest) -> bool:
    """Whether pages of the manifest before can be pages of the next one."""
    return (
        manifest.key_generation == order.key.generation
        and manifest.model == order.terms.model
        and manifest.has_chips == order.terms.has_chips
    )


def _make(connection: sqlite3.Connection, order: Order, draft: _Draft, wanted: Collection[int]) -> None:
    if not wanted:
        return
    for bucket, ids in ids_in_buckets(connection, draft.buckets, wanted).items():
        content = content_in(connection, ids, order.terms.model, with_chips=order.terms.has_chips)
        pages = sealed_pages(order.key, order.writer.namespace, bucket, content)
        draft.states[bucket] = BucketPages(content_hash(content), tuple(entry for entry, _ in pages))


def _changed_since(connection: sqlite3.Connection, revision: int, buckets: int) -> set[int]:
    """The buckets of who was changed, or removed, since a revision."""
    rows = connection.execute(
        "SELECT id FROM identity WHERE revision > ?1 UNION ALL"
        " SELECT identity_id FROM tombstone WHERE revision > ?1",
        (revision,),
    )
    return {bucket_of(identity_id, buckets) for (identity_id,) in rows}


def _kept(connection: sqlite3.Connection, order: Order, draft: _Draft) -> EpochRecord:
    before, hashes = draft.before, {number: state.content_hash for number, state in draft.states.items()}
    content = whole_digest(order.key, hashes, draft.buckets)
    is_same = draft.manifest is not None and _says_the_same(order, draft.manifest, content)
    epoch = max(before.epoch if before else 0, order.floor) + 1
    if before is not None and is_same and not order.is_wanted and order.floor <= before.epoch:
        record = _gone_on(before, draft.revision)
    else:
        record = _next_record(connection, order, draft, epoch, content)
        retire(connection, unlisted(draft.manifest, draft.states), order.now_ms)
        connection.executemany(
            "DELETE FROM sync_retired WHERE sha256 = ?",
            [(entry.sha256,) for state in draft.states.values() for entry in state.entries],
        )
        _keep_key(connection, order, epoch)
    write_epoch(connection, record)
    connection.execute("DELETE FROM sync_bucket")
    for bucket, each in hashes.items():
        write_bucket(connection, bucket, each)
    _date_answers(connection, record)
    return record


def _says_the_same(order: Order, manifest: Manifest, content: str) -> bool:
    return (
        manifest.content == content
        and terms_of(manifest) == order.terms
        and manifest.authority == order.writer.signing.public.hex()
        and manifest.successor == order.successor
    )


def _gone_on(record: EpochRecord, revision: int) -> EpochRecord:
    return EpochRecord(
        record.epoch,
        record.manifest,
        revision,
        record.at_ms,
        record.alive_ms,
        record.swept_epoch,
        record.erased_epoch,
        record.rotated_ms,
    )


def _next_record(
    connection: sqlite3.Connection, order: Order, draft: _Draft, epoch: int, content: str
) -> EpochRecord:
    before, writer, terms = draft.before, order.writer, order.terms
    ((erased,),) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM tombstone WHERE revision > ?)", (before.revision if before else 0,)
    )
    erased_epoch = epoch if erased else (before.erased_epoch if before else 0)
    ((identities, faces),) = connection.execute(
        "SELECT (SELECT count(*) FROM identity), (SELECT count(*) FROM face)"
    )
    manifest = Manifest(
        namespace=writer.namespace,
        epoch=epoch,
        previous=name_of(before.manifest) if before else FIRST,
        issued_at=order.now_ms,
        authority=writer.signing.public.hex(),
        writer=writer.node,
        run=writer.run,
        model=terms.model,
        key_generation=order.key.generation,
        buckets=draft.buckets,
        pages=tuple(entry for number in range(draft.buckets) for entry in draft.states[number].entries),
        content=content,
        identities=identities,
        faces=faces,
        erased_epoch=erased_epoch,
        proposals=terms.proposals,
        has_chips=terms.has_chips,
        shares_groups=terms.shares_groups,
        handovers=order.handovers,
        successor=order.successor,
    )
    is_rotated = order.envelope is not None or before is None
    return EpochRecord(
        epoch=epoch,
        manifest=signed(StatementKind.MANIFEST, manifest, writer.signing),
        revision=draft.revision,
        at_ms=order.now_ms,
        alive_ms=order.now_ms,
        swept_epoch=before.swept_epoch if before else 0,
        erased_epoch=erased_epoch,
        rotated_ms=order.now_ms if is_rotated or before is None else before.rotated_ms,
    )


def _keep_key(connection: sqlite3.Connection, order: Order, epoch: int) -> None:
    generation = order.key.generation
    if order.envelope is not None:
        write_envelope(connection, generation, order.envelope)
        connection.execute("UPDATE sync_membership SET rotation_wanted = 0")
        untell(connection)
    connection.execute(
        "UPDATE sync_key SET since_epoch = ? WHERE generation = ? AND since_epoch = 0", (epoch, generation)
    )


def _date_answers(connection: sqlite3.Connection, record: EpochRecord) -> None:
    """Proposals that were accepted are in this epoch: their nodes are told which it is."""
    rows = connection.execute(
        "UPDATE sync_proposed SET epoch = ? WHERE verdict = 'accepted' AND epoch = 0 AND revision <= ?"
        " RETURNING node",
        (record.epoch, record.revision),
    ).fetchall()
    for node in sorted({node for (node,) in rows}):
        untell(connection, node)


def _content_bytes(connection: sqlite3.Connection, terms: Terms) -> int:
    """How much there is to share, but for what MessagePack adds to a text."""
    ((size,),) = connection.execute(
        "SELECT coalesce((SELECT sum(? + length(CAST(name AS BLOB))"
        " + coalesce(length(CAST(custom_id AS BLOB)), 0)) FROM identity), 0)"
        " + coalesce((SELECT sum(? + length(CAST(source AS BLOB))) FROM face), 0)"
        " + coalesce((SELECT sum(length(vector)) FROM embedding WHERE model_hash = ?), 0)"
        " + coalesce((SELECT sum(length(png)) FROM chip WHERE ?), 0)",
        (_PERSON_BYTES, _FACE_BYTES, terms.model, terms.has_chips),
    )
    return int(size)


def _listed_bytes(draft: _Draft) -> int:
    return sum(
        entry.bytes - _BESIDE_A_PAGE_BYTES for state in draft.states.values() for entry in state.entries
    )
