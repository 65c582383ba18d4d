"""Namespaces with an epoch in force, made of the rows that are there."""

from builders.namespaces import MODEL, START_UTC_MS
from builders.sealing import counted_chance
from edged.replication.keys import NAMESPACE_KEY_BYTES, NamespaceKey, NodeKeys, envelope_place, seal_envelope
from edged.replication.people import content_hash, content_of, page_name, page_place, whole_digest
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import FIRST, Manifest, PageEntry
from edged.store.database import transaction
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_records import (
    EpochRecord,
    ids_in_buckets,
    shared_person,
    write_bucket,
    write_envelope,
    write_epoch,
)

SEED = bytes(range(32))
NODE = "kitchen"


def an_epoch(
    store: NamespaceStore,
    *,
    namespace: str = "home",
    buckets: int = 4,
    epoch: int = 1,
    role: str = "authority",
) -> Manifest:
    """Have the namespace be synced, and all that is in it be in force as an epoch; a member's with `role`."""
    keys, give = NodeKeys(SEED), counted_chance()
    connection = store.connection
    with transaction(connection):
        connection.execute(
            "INSERT OR REPLACE INTO sync_membership (only_row, role, node, authority, since_ms)"
            " VALUES (1, ?, ?, ?, ?)",
            (role, NODE, keys.authority.public, START_UTC_MS),
        )
        key = NamespaceKey(give(NAMESPACE_KEY_BYTES), 1)
        place = envelope_place(namespace, NODE, key.generation)
        write_envelope(
            connection, key.generation, seal_envelope(key.secret, keys.sealing_public, place, give)
        )
        pages, hashes, faces = [], {}, 0
        listed = ids_in_buckets(connection, buckets, range(buckets))
        for bucket, ids in listed.items():
            people = [shared_person(connection, one, MODEL, with_chips=False) for one in ids]
            content = content_of(people)
            hashes[bucket] = content_hash(content)
            sealed = key.seal(content, page_place(namespace, bucket, 0))
            pages.append(PageEntry(bucket, 0, page_name(sealed), len(sealed)))
            faces += sum(len(person.faces) for person in people)
            write_bucket(connection, bucket, hashes[bucket])
        manifest = Manifest(
            namespace=namespace,
            epoch=epoch,
            previous=FIRST,
            issued_at=START_UTC_MS,
            authority=keys.authority.public.hex(),
            writer=NODE,
            run="1",
            model=MODEL,
            key_generation=key.generation,
            buckets=buckets,
            pages=tuple(pages),
            content=whole_digest(key, hashes, buckets),
            identities=sum(map(len, listed.values())),
            faces=faces,
        )
        payload = signed(StatementKind.MANIFEST, manifest, keys.authority)
        (revision,) = connection.execute("SELECT revision FROM ledger").fetchone()
        write_epoch(
            connection,
            EpochRecord(epoch, payload, revision, START_UTC_MS, START_UTC_MS, epoch, 0, START_UTC_MS),
        )
    return manifest
