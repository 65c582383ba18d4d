"""Proves again what the code takes for granted of the sync of a namespace. Only reads."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from edged.domain.errors import StoreError
from edged.domain.sync_state import SyncRole
from edged.replication.keys import NamespaceKey
from edged.replication.people import bucket_of, content_hash, content_of, page_name, whole_digest
from edged.replication.refusal import RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest
from edged.store.sync_records import (
    EpochRecord,
    Membership,
    bucket_hashes,
    envelopes,
    epoch_record,
    ids_in_buckets,
    membership,
    shared_person,
)

TRIGGERS: Final = frozenset(
    {
        "identity_wanted",
        "identity_unwanted",
        "name_wanted",
        "custom_id_wanted",
        "face_wanted",
        "face_moved",
        "face_unwanted",
        "face_withheld",
        "moved_face_withheld",
        "proposed_in_vain",
        "group_shared",
        "group_unshared",
    }
)
"""They write down what a member wants of the authority, and what may not be used before it took it."""

_TABLES: Final = (
    "sync_epoch",
    "sync_bucket",
    "sync_page",
    "sync_retired",
    "sync_key",
    "sync_member",
    "sync_invitation",
    "sync_proposed",
    "sync_change",
    "sync_proposal",
    "sync_withheld",
    "sync_group_sharing",
    "sync_group_elsewhere",
    "sync_group_node",
    "sync_group_fate",
)

_ODD: Final = {
    "member {} has reported an epoch that is not published yet": """
        SELECT sync_member.node FROM sync_member, sync_epoch, sync_membership
        WHERE sync_member.epoch > sync_epoch.epoch AND role = 'authority' AND NOT is_restored
    """,
    "member {} has cleared up for an epoch that it has not applied": """
        SELECT node FROM sync_member WHERE swept_epoch > epoch
    """,
    "change {} went out in a proposal that is not there": """
        SELECT number FROM sync_change
        WHERE proposal IS NOT NULL AND proposal NOT IN (SELECT number FROM sync_proposal)
    """,
    "proposal {} is answered with an epoch, and not accepted": """
        SELECT number FROM sync_proposal WHERE epoch > 0 AND verdict <> 'accepted'
    """,
    "what the proposal {} wants is kept though it is answered, or is gone though it waits": """
        SELECT node || ', ' || number FROM sync_proposed WHERE (verdict = 'waiting') <> (wanted IS NOT NULL)
    """,
    "the epoch in force, {}, is earlier than the last that took somebody out": """
        SELECT epoch FROM sync_epoch WHERE erased_epoch > epoch
    """,
    "the epoch in force, {}, is earlier than the one that was cleared up for": """
        SELECT epoch FROM sync_epoch WHERE swept_epoch > epoch
    """,
    "group {} is shared by another node and was named, merged or forgotten": """
        SELECT group_id FROM sync_group_elsewhere WHERE group_id IN (SELECT group_id FROM sync_group_fate)
    """,
    "what other nodes share of groups has a later revision, {}, than the groups' ledger": """
        SELECT elsewhere_revision FROM group_ledger WHERE elsewhere_revision > revision
    """,
    "the epoch in force, {}, is of a later revision than the ledger's": """
        SELECT epoch FROM sync_epoch, ledger WHERE sync_epoch.revision > ledger.revision
    """,
}
"""What must not be, and how to find it."""


def sync_findings(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with the sync, in words."""
    yield from _of_triggers(connection)
    present = membership(connection)
    if present is None:
        for table in _TABLES:
            if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608 (from above)
                yield f"the namespace is not synced, and {table} is not empty"
        return
    yield from _of_membership(connection, present)
    for words, sql in _ODD.items():
        for (name,) in connection.execute(sql):
            yield words.format(name)
    yield from _of_pages(connection)
    record = epoch_record(connection)
    if record is not None:
        yield from _of_epoch(connection, record, present)
    elif bucket_hashes(connection):
        yield "there is no epoch in force, and hashes of its content are there"


def _of_pages(connection: sqlite3.Connection) -> Iterator[str]:
    for name, sealed in connection.execute("SELECT sha256, sealed FROM sync_page"):
        if page_name(sealed) != name:
            yield f"the staged page {name[:12]} is not what its name says"


def _of_triggers(connection: sqlite3.Connection) -> Iterator[str]:
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    for name in sorted(TRIGGERS - there):
        yield f"the trigger {name} is gone: what is changed here is not told, or used too early"


def _of_membership(connection: sqlite3.Connection, present: Membership) -> Iterator[str]:
    if connection.execute("SELECT 1 FROM sync_membership WHERE is_applying").fetchone():
        yield "an epoch was begun to be applied and never ended: changes made here are not told any more"
    for digest, secret in connection.execute("SELECT hash, secret FROM sync_invitation"):
        if hashlib.sha256(secret).digest() != digest:
            yield "an invitation that is out has another hash than its secret: nobody can use it"
    if (present.role is SyncRole.JOINING) != (present.invitation is not None):
        yield f"this node is {present.role}, and its invitation {_is_there(present.invitation)}"


def _is_there(value: object) -> str:
    return "is not there" if value is None else "is still there"


def digest_findings(
    connection: sqlite3.Connection, open_key: Callable[[int, bytes], NamespaceKey]
) -> list[str]:
    """Whether all buckets together are what the manifest in force says.

    Args:
        connection: of the namespace's database, in a reader's transaction.
        open_key: gives the namespace's key of a generation and its envelope; raises RefusedError.
    """
    record = epoch_record(connection)
    manifest = None if record is None else _manifest_of(record.manifest)
    if record is None or manifest is None:
        return []
    envelope = envelopes(connection).get(manifest.key_generation)
    if envelope is None:
        return [
            f"the namespace's key of epoch {record.epoch} (generation {manifest.key_generation}) is not here"
        ]
    hashes = bucket_hashes(connection)
    whole = {bucket: made for bucket in range(manifest.buckets) if (made := hashes.get(bucket)) is not None}
    if len(whole) < manifest.buckets:
        # Some are to be applied again, which is a state and no damage.
        return []
    try:
        key = open_key(manifest.key_generation, envelope)
    except RefusedError as error:
        return [error.words]
    if whole_digest(key, whole, manifest.buckets) != manifest.content:
        return [f"what is in force is not the content that the manifest of epoch {record.epoch} names"]
    return []


def _of_epoch(connection: sqlite3.Connection, record: EpochRecord, present: Membership) -> Iterator[str]:
    manifest = _manifest_of(record.manifest)
    if manifest is None:
        yield f"the manifest of epoch {record.epoch} cannot be read"
        return
    if not _is_signed(record.manifest, manifest):
        yield f"the manifest of epoch {record.epoch} is not signed by the authority that it names"
    if manifest.epoch != record.epoch:
        yield f"the manifest in force is of epoch {manifest.epoch}, the row says {record.epoch}"
    hashes = bucket_hashes(connection)
    beyond = [bucket for bucket in hashes if bucket >= manifest.buckets]
    if beyond:
        yield f"there are hashes of {len(beyond)} buckets that epoch {record.epoch} does not have"
    if present.role is SyncRole.REMOVED:
        return
    yield from _of_buckets(connection, manifest, hashes, record)


def _of_buckets(
    connection: sqlite3.Connection, manifest: Manifest, hashes: dict[int, bytes | None], record: EpochRecord
) -> Iterator[str]:
    """Each bucket's content made again of the rows; what was changed since the epoch is left out."""
    own = _changed_since(connection, record.revision, manifest.buckets)
    known = {bucket: made for bucket, made in hashes.items() if made is not None and bucket not in own}
    for bucket, ids in ids_in_buckets(connection, manifest.buckets, sorted(known)).items():
        try:
            people = [
                shared_person(connection, one, manifest.model, with_chips=manifest.has_chips) for one in ids
            ]
        except StoreError:
            # A blob that does not open is told of among the blobs.
            continue
        if content_hash(content_of(people)) != known[bucket]:
            yield (
                f"bucket {bucket} is not what epoch {record.epoch} says, and nobody in it was changed here:"
                f" {len(ids)} people"
            )


def _changed_since(connection: sqlite3.Connection, revision: int, buckets: int) -> set[int]:
    """The buckets with changes of this node's own that no epoch has yet."""
    changed = connection.execute(
        "SELECT id FROM identity WHERE revision > ? UNION SELECT identity_id FROM tombstone"
        " WHERE revision > ? UNION SELECT identity_id FROM sync_change"
        " UNION SELECT identity_id FROM sync_proposal",
        (revision, revision),
    )
    return {bucket_of(identity_id, buckets) for (identity_id,) in changed}


def _is_signed(payload: bytes, manifest: Manifest) -> bool:
    try:
        return taken_apart(StatementKind.MANIFEST, payload).is_by(bytes.fromhex(manifest.authority))
    except RefusedError:
        return False


def _manifest_of(payload: bytes) -> Manifest | None:
    """What it says, whoever signed it."""
    try:
        return msgspec.json.decode(payload.partition(b"\n")[0], type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
