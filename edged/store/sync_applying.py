"""Having an epoch in force: one transaction, all of it or nothing.

All its pages are staged by then. They are opened and read once before the transaction, so that the lock is
not held for what is no good, and again within it, a bucket at a time. Then every bucket that was touched is
made anew of the rows, and must be what the page said; and the hashes of all buckets must be what the manifest
says. Otherwise nothing was changed.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edged.domain.sync_state import SyncRole
from edged.replication.following import Accepted, stale_buckets
from edged.replication.keys import NamespaceKey
from edged.replication.people import (
    SharedPerson,
    bucket_of,
    content_hash,
    content_of,
    people_of,
    whole_digest,
)
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest, PageEntry
from edged.store.database import reading, transaction
from edged.store.namespace_queries import identity_of
from edged.store.namespace_removal import delete_people
from edged.store.namespace_store import next_revision
from edged.store.sync_person import Terms, give_custom_ids, person_here, require_sound, write_person
from edged.store.sync_proposals import unanswered
from edged.store.sync_records import (
    EpochRecord,
    applying,
    bucket_hashes,
    epoch_record,
    ids_in_buckets,
    membership,
    write_bucket,
    write_epoch,
)
from edged.store.sync_staging import staged_content


@dataclass(frozen=True, slots=True)
class Applied:
    """What an epoch changed.

    Attributes:
        record: the epoch in force now.
        changed: how many people are new, or changed.
        removed: how many people are gone.
        faces_removed: how many faces are gone of people who are not.
        skipped: people of touched buckets who were left as they are, since their changes are not answered.
    """

    record: EpochRecord
    changed: int
    removed: int
    faces_removed: int
    skipped: frozenset[str]

    @property
    def is_to_sweep(self) -> bool:
        """Whether copies of somebody who is gone may lie about."""
        return self.record.swept_epoch < self.record.epoch


@dataclass(slots=True)
class _Touched:
    """The buckets that a transaction touches.

    Attributes:
        before: who was in each.
        hashes: of the content of each, as its pages have it.
        skipped: people who stay as they are, as the pages have them.
    """

    before: Mapping[int, Sequence[str]]
    hashes: dict[int, bytes] = field(default_factory=dict)
    skipped: dict[str, SharedPerson] = field(default_factory=dict)


def manifest_in_force(connection: sqlite3.Connection) -> Manifest | None:
    """What the manifest in force says; it was verified when it was kept."""
    record = epoch_record(connection)
    return None if record is None else taken_apart(StatementKind.MANIFEST, record.manifest).body(Manifest)


def lacking(connection: sqlite3.Connection, manifest: Manifest) -> tuple[PageEntry, ...]:
    """The pages of a manifest that are needed to have it in force, staged ones too, in their order.

    Of the one in force the buckets of people whose own changes are not answered are not applied again before
    they are.
    """
    with reading(connection):
        stale = _stale(connection, manifest, unanswered(connection, manifest.epoch))
    return tuple(entry for entry in manifest.pages if entry.bucket in stale)


def _stale(connection: sqlite3.Connection, manifest: Manifest, waiting: Iterable[str]) -> frozenset[int]:
    before = manifest_in_force(connection)
    stale = stale_buckets(manifest, before, bucket_hashes(connection))
    if before is not None and before.epoch == manifest.epoch:
        stale -= {bucket_of(identity_id, manifest.buckets) for identity_id in waiting}
    return stale


def apply_epoch(connection: sqlite3.Connection, taken: Accepted, key: NamespaceKey, now_ms: int) -> Applied:
    """Have a manifest in force whose pages are all staged. People whose own changes are not answered stay.

    Args:
        connection: of the namespace's database, outside of a transaction.
        taken: the manifest. That in force too: what is stale of it is applied again.
        key: the namespace's, of the manifest's generation.
        now_ms: UTC milliseconds.

    Raises:
        RefusedError: the pages are not what the manifest says, or the database does not come out as it says.
            Nothing was changed.
        LookupError: a page is not staged. Nothing was changed.
        StoreError: likewise.
    """
    manifest = taken.manifest
    with reading(connection):
        for bucket in sorted(_stale(connection, manifest, unanswered(connection, manifest.epoch))):
            _bucket(connection, manifest, key, bucket)
    with transaction(connection):
        try:
            with applying(connection):
                return _applied(connection, taken, key, now_ms)
        except sqlite3.IntegrityError as error:
            raise RefusedError(Refusal.MALFORMED, f"epoch {manifest.epoch} cannot be kept: {error}") from None


def _bucket(
    connection: sqlite3.Connection, manifest: Manifest, key: NamespaceKey, bucket: int
) -> tuple[tuple[SharedPerson, ...], bytes]:
    """The people of one bucket by its staged pages, and the hash of its content."""
    entries = [entry for entry in manifest.pages if entry.bucket == bucket]
    content = staged_content(connection, manifest.namespace, key, entries)
    people = people_of(content)
    require_sound(people, bucket, manifest.buckets)
    return people, content_hash(content)


def _applied(connection: sqlite3.Connection, taken: Accepted, key: NamespaceKey, now_ms: int) -> Applied:
    manifest, before = taken.manifest, epoch_record(connection)
    waiting = unanswered(connection, manifest.epoch)
    stale = _stale(connection, manifest, waiting)
    terms = Terms(next_revision(connection), manifest.model, manifest.has_chips)
    touched = _Touched(ids_in_buckets(connection, manifest.buckets, stale))
    unlisted: set[str] = set()
    for bucket in sorted(stale):
        people, touched.hashes[bucket] = _bucket(connection, manifest, key, bucket)
        unlisted |= set(touched.before[bucket]) - {person.id for person in people}
        for person in people:
            if person.id in waiting:
                touched.skipped[person.id] = person
            else:
                write_person(connection, person, terms)
    removed = _remove(connection, unlisted - waiting, terms.revision, now_ms)
    give_custom_ids(connection, terms)
    _unwithhold(connection, terms.revision, manifest, stale, waiting)
    _require_equal(connection, manifest, terms, touched, waiting)
    hashes = {**_untouched(connection, manifest, stale), **touched.hashes}
    _require_whole(manifest, key, hashes)
    left = (unlisted & waiting) | touched.skipped.keys()
    for bucket in {bucket_of(identity_id, manifest.buckets) for identity_id in left}:
        hashes[bucket] = None
    record = _record(taken, before, terms, is_taken_out=bool(removed or terms.faces_removed))
    _keep(connection, taken, record, hashes)
    return Applied(record, terms.changed, removed, terms.faces_removed, frozenset(left))


def _remove(connection: sqlite3.Connection, identity_ids: Iterable[str], revision: int, now_ms: int) -> int:
    found = [identity_of(connection, identity_id) for identity_id in sorted(identity_ids)]
    people = [person for person in found if person is not None]
    if people:
        delete_people(connection, people, revision, now_ms)
    return len(people)


def _unwithhold(
    connection: sqlite3.Connection,
    revision: int,
    manifest: Manifest,
    stale: frozenset[int],
    waiting: frozenset[str],
) -> None:
    """Have faces used that the authority took: those of people who are as it says."""
    rows = connection.execute(
        "SELECT face.number, identity.id FROM sync_withheld JOIN face ON face.number = sync_withheld.face"
        " JOIN identity ON identity.number = face.identity"
    ).fetchall()
    for number, identity_id in rows:
        if identity_id not in waiting and bucket_of(identity_id, manifest.buckets) in stale:
            connection.execute("DELETE FROM sync_withheld WHERE face = ?", (number,))
            connection.execute("UPDATE identity SET revision = ? WHERE id = ?", (revision, identity_id))


def _require_equal(
    connection: sqlite3.Connection,
    manifest: Manifest,
    terms: Terms,
    touched: _Touched,
    waiting: frozenset[str],
) -> None:
    """Raise RefusedError (ALTERED) where the rows of a touched bucket are not what its page says."""
    for bucket, ids in ids_in_buckets(connection, manifest.buckets, touched.hashes).items():
        people = [person_here(connection, each, terms) for each in ids if each not in waiting]
        people += [
            each for each in touched.skipped.values() if bucket_of(each.id, manifest.buckets) == bucket
        ]
        if content_hash(content_of(each for each in people if each)) != touched.hashes[bucket]:
            raise RefusedError(
                Refusal.ALTERED, f"bucket {bucket} of epoch {manifest.epoch} does not come out as it went in"
            )


def _untouched(
    connection: sqlite3.Connection, manifest: Manifest, stale: frozenset[int]
) -> dict[int, bytes | None]:
    present = bucket_hashes(connection)
    return {bucket: present.get(bucket) for bucket in range(manifest.buckets) if bucket not in stale}


def _require_whole(manifest: Manifest, key: NamespaceKey, hashes: Mapping[int, bytes | None]) -> None:
    """Raise RefusedError (ALTERED) where all buckets together are not what the manifest says."""
    whole = {bucket: each for bucket, each in hashes.items() if each is not None}
    if len(whole) < manifest.buckets:
        # Of the epoch in force, with somebody whose own changes are not answered: it was compared before.
        return
    if whole_digest(key, whole, manifest.buckets) != manifest.content:
        raise RefusedError(
            Refusal.ALTERED,
            f"the database does not come out as epoch {manifest.epoch} says: its hash differs",
        )


def _record(taken: Accepted, before: EpochRecord | None, terms: Terms, *, is_taken_out: bool) -> EpochRecord:
    manifest = taken.manifest
    swept = before.swept_epoch if before else 0
    if is_taken_out:
        swept = min(swept, manifest.epoch - 1)
    elif before is None or before.swept_epoch >= before.epoch:
        swept = manifest.epoch
    return EpochRecord(
        epoch=manifest.epoch,
        manifest=taken.payload,
        revision=terms.revision,
        at_ms=manifest.issued_at,
        # A new epoch is a later word, whatever the authority's clock said before: it may have been wrong.
        alive_ms=before.alive_ms if before and before.epoch == manifest.epoch else manifest.issued_at,
        swept_epoch=swept,
        erased_epoch=manifest.erased_epoch,
        rotated_ms=before.rotated_ms if before else 0,
    )


def _keep(
    connection: sqlite3.Connection,
    taken: Accepted,
    record: EpochRecord,
    hashes: Mapping[int, bytes | None],
) -> None:
    write_epoch(connection, record)
    connection.execute("DELETE FROM sync_bucket")
    for bucket, each in hashes.items():
        write_bucket(connection, bucket, each)
    connection.execute("DELETE FROM sync_page")
    present = membership(connection)
    if present is not None and present.role is SyncRole.MEMBER:
        # Who is named as the next to speak is believed from here on.
        heir = taken.manifest.successor
        believed = bytes.fromhex(heir[1]) if heir else taken.authority
        connection.execute("UPDATE sync_membership SET authority = ?", (believed,))
