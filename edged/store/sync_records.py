"""What a namespace's database says about its sync: rows as values, in the caller's transaction."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from edged.domain.sync_state import SyncRole
from edged.replication.people import SharedFace, SharedPerson, bucket_of
from edged.replication.statement import StatementKind, taken_apart
from edged.store.sealing import Kind, seal_of


@dataclass(frozen=True, slots=True)
class Membership:
    """What this node is to the namespace; see `0007_sync.sql` for each.

    `invitation` is kept out of the representation by its owner: never print a membership.
    """

    role: SyncRole
    node: str
    authority: bytes
    invitation: bytes | None
    invitation_expires_ms: int | None
    since_ms: int
    told_ms: int
    successor: str | None
    rotation_wanted: bool
    is_restored: bool
    is_leaving: bool


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """The epoch in force; see `0007_sync.sql`."""

    epoch: int
    manifest: bytes
    revision: int
    at_ms: int
    alive_ms: int
    swept_epoch: int
    erased_epoch: int
    rotated_ms: int


def membership(connection: sqlite3.Connection) -> Membership | None:
    """What this node is to the namespace; None where it is not synced."""
    row = connection.execute(
        "SELECT role, node, authority, invitation, invitation_expires_ms, since_ms, told_ms, successor,"
        " rotation_wanted, is_restored, is_leaving FROM sync_membership"
    ).fetchone()
    if row is None:
        return None
    return Membership(SyncRole(row[0]), *row[1:8], *(bool(flag) for flag in row[8:]))


def epoch_record(connection: sqlite3.Connection) -> EpochRecord | None:
    """The epoch in force; None before the first."""
    row = connection.execute(
        "SELECT epoch, manifest, revision, at_ms, alive_ms, swept_epoch, erased_epoch, rotated_ms"
        " FROM sync_epoch"
    ).fetchone()
    return None if row is None else EpochRecord(*row)


def write_epoch(connection: sqlite3.Connection, record: EpochRecord) -> None:
    """Have this epoch in force."""
    connection.execute(
        "INSERT OR REPLACE INTO sync_epoch (only_row, epoch, manifest, revision, at_ms, alive_ms,"
        " swept_epoch, erased_epoch, rotated_ms) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.epoch,
            record.manifest,
            record.revision,
            record.at_ms,
            record.alive_ms,
            record.swept_epoch,
            record.erased_epoch,
            record.rotated_ms,
        ),
    )


def bucket_hashes(connection: sqlite3.Connection) -> dict[int, bytes | None]:
    """The content hash of each bucket in force; None of those that are to be applied again."""
    return dict(connection.execute("SELECT bucket, content_hash FROM sync_bucket ORDER BY bucket"))


def write_bucket(connection: sqlite3.Connection, bucket: int, content_hash: bytes | None) -> None:
    """Have this content in force; None: whatever it is, it is to be applied again."""
    connection.execute("INSERT OR REPLACE INTO sync_bucket VALUES (?, ?)", (bucket, content_hash))


def envelopes(connection: sqlite3.Connection) -> dict[int, bytes]:
    """The namespace's keys by their generation, each in an envelope for this node."""
    return dict(connection.execute("SELECT generation, envelope FROM sync_key ORDER BY generation"))


def write_envelope(connection: sqlite3.Connection, generation: int, envelope: bytes) -> None:
    """Keep a key."""
    connection.execute(
        "INSERT OR REPLACE INTO sync_key (generation, envelope) VALUES (?, ?)", (generation, envelope)
    )


def forget_keys_before(connection: sqlite3.Connection, generation: int) -> None:
    """Forget keys: what was sealed with them, and recorded by somebody, can be opened by nobody any more."""
    connection.execute("DELETE FROM sync_key WHERE generation < ?", (generation,))


def shared_terms(connection: sqlite3.Connection) -> tuple[SyncRole, str, bool] | None:
    """This node's role, the embedder of the epoch in force, and whether crops are in it; None without one."""
    present, record = membership(connection), epoch_record(connection)
    if present is None or record is None:
        return None
    said = taken_apart(StatementKind.MANIFEST, record.manifest).body(_Terms)
    return present.role, said.model, said.has_chips


class _Terms(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The few words of a manifest, which may list a thousand pages, that retention asks for."""

    model: str
    has_chips: bool = False


def outdate_snapshots(connection: sqlite3.Connection) -> None:
    """This node is something else to the namespace: no snapshot of before may take the database's place."""
    connection.execute("UPDATE ledger SET revision = revision + 1, erased_revision = revision + 1")


@contextmanager
def applying(connection: sqlite3.Connection) -> Iterator[None]:
    """What changes within, in the caller's transaction, is the authority's word and nobody's wish."""
    connection.execute("UPDATE sync_membership SET is_applying = 1")
    yield
    connection.execute("UPDATE sync_membership SET is_applying = 0")


def ids_in_buckets(
    connection: sqlite3.Connection, buckets: int, wanted: Iterable[int]
) -> dict[int, list[str]]:
    """The people of each wanted bucket, by id."""
    found: dict[int, list[str]] = {bucket: [] for bucket in wanted}
    for (identity_id,) in connection.execute("SELECT id FROM identity ORDER BY id"):
        ids = found.get(bucket_of(identity_id, buckets))
        if ids is not None:
            ids.append(identity_id)
    return found


def shared_person(
    connection: sqlite3.Connection, identity_id: str, model_hash: str, *, with_chips: bool
) -> SharedPerson:
    """A person as pages carry them.

    Raises StoreError for a blob that does not open, LookupError where there is nobody of that id.
    """
    row = connection.execute(
        "SELECT id, name, custom_id, created_ms, updated_ms, number FROM identity WHERE id = ?",
        (identity_id,),
    ).fetchone()
    if row is None:
        raise LookupError(identity_id)
    person_id, name, custom_id, created_ms, updated_ms, number = row
    seal = seal_of(connection)
    faces = []
    rows = connection.execute(
        "SELECT face.id, quality, source, created_ms, vector, png FROM face"
        " LEFT JOIN embedding ON embedding.face = face.number AND model_hash = ?"
        " LEFT JOIN chip ON chip.face = face.number AND ?"
        " WHERE identity = ? ORDER BY face.id",
        (model_hash, with_chips, number),
    )
    for face_id, quality, source, created_ms, vector, png in rows:
        plain = None if vector is None else seal.open(Kind.FACE_EMBEDDING, face_id, vector, model_hash)
        chip = None if png is None else seal.open(Kind.FACE_CHIP, face_id, png)
        faces.append(SharedFace(face_id, quality, source, created_ms, plain, chip))
    return SharedPerson(person_id, name, custom_id, created_ms, updated_ms, tuple(faces))
