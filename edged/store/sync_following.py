"""What a member's database says of its place in the namespace, and what the authority told it."""

import sqlite3
from dataclasses import dataclass

from edged.domain.sync_state import SyncRole
from edged.replication.following import InForce
from edged.replication.keys import NodeKeys, envelope_place
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statements import Manifest, name_of
from edged.replication.statements import Member as Told
from edged.store.database import reading, transaction
from edged.store.sync_applying import manifest_in_force
from edged.store.sync_founding import keep_succession, succession, take_over
from edged.store.sync_proposals import forget_own_changes
from edged.store.sync_records import (
    EpochRecord,
    Membership,
    envelopes,
    epoch_record,
    forget_keys_before,
    membership,
    outdate_snapshots,
    write_envelope,
)

_OF_A_MEMBER = (
    "sync_epoch",
    "sync_bucket",
    "sync_page",
    "sync_key",
    "sync_group_sharing",
    "sync_group_elsewhere",
    "sync_group_node",
    "sync_group_fate",
    "sync_membership",
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a node goes by.

    Attributes:
        membership: what this node is; never printed, see there.
        record: the epoch in force; None before the first.
        manifest: what its manifest says.
        in_force: the same for comparing.
        envelopes: the namespace's keys by generation.
        succeeds: `told_at` of the succession that is kept here; 0: this node is to follow nobody.
    """

    membership: Membership
    record: EpochRecord | None
    manifest: Manifest | None
    in_force: InForce
    envelopes: dict[int, bytes]
    succeeds: int = 0

    @property
    def has_to_settle(self) -> bool:
        """Whether `settle_keys` may have something to do."""
        present = self.manifest
        is_older = present is not None and any(each < present.key_generation for each in self.envelopes)
        return is_older or self.succeeds > 0


def known(connection: sqlite3.Connection) -> Known | None:
    """What is in the database now; None where the namespace is not synced. Raises StoreError."""
    with reading(connection):
        present, record = membership(connection), epoch_record(connection)
        if present is None:
            return None
        in_force = InForce() if record is None else InForce(record.epoch, name_of(record.manifest))
        heir = succession(connection)
        return Known(
            present,
            record,
            manifest_in_force(connection),
            in_force,
            envelopes(connection),
            0 if heir is None else heir.told_at,
        )


def take_told(
    connection: sqlite3.Connection, told: Told, namespace: str, node: str, keys: NodeKeys, now_ms: int
) -> None:
    """Keep what the authority told this node: a key, a succession. Raises RefusedError and StoreError."""
    envelope = b""
    if told.envelope:
        try:
            envelope = bytes.fromhex(told.envelope)
        except ValueError:
            raise RefusedError(Refusal.MALFORMED, "an envelope is no hex") from None
        # Before it takes the place of one that opens.
        keys.open_envelope(envelope, envelope_place(namespace, node, told.key_generation))
    with transaction(connection):
        if envelope and told.key_generation not in envelopes(connection):
            write_envelope(connection, told.key_generation, envelope)
        if told.succession is not None:
            keep_succession(connection, told.succession)
            take_over(connection, namespace, node, keys, now_ms)
        connection.execute("UPDATE sync_membership SET told_ms = max(told_ms, ?)", (told.at,))


def believe(connection: sqlite3.Connection, authority: bytes) -> None:
    """Believe the key that the one believed so far gave the namespace to. Raises StoreError."""
    with transaction(connection):
        connection.execute("UPDATE sync_membership SET authority = ?", (authority,))


def put_out(connection: sqlite3.Connection, told_ms: int) -> None:
    """This node was put out: the keys and what is staged are forgotten, people stay. Raises StoreError."""
    with transaction(connection):
        forget_own_changes(connection)
        outdate_snapshots(connection)
        connection.execute("DELETE FROM sync_key")
        connection.execute("DELETE FROM sync_page")
        connection.execute(
            "UPDATE sync_membership SET role = ?, told_ms = ?", (SyncRole.REMOVED.value, told_ms)
        )


def forget_all(connection: sqlite3.Connection) -> None:
    """This node has left: nothing of the sync is kept; people stay. Raises StoreError."""
    with transaction(connection):
        forget_own_changes(connection)
        outdate_snapshots(connection)
        for table in _OF_A_MEMBER:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 (constants)


def confirm(connection: sqlite3.Connection, alive_ms: int) -> None:
    """The authority said that the epoch in force is so, at that time by its clock. Raises StoreError."""
    with transaction(connection):
        connection.execute("UPDATE sync_epoch SET alive_ms = max(alive_ms, ?)", (alive_ms,))


def confirm_sweep(connection: sqlite3.Connection, epoch: int) -> None:
    """Nothing is left of who was not in an epoch any more. Raises StoreError."""
    with transaction(connection):
        connection.execute("UPDATE sync_epoch SET swept_epoch = ? WHERE epoch = ?", (epoch, epoch))


def settle_keys(
    connection: sqlite3.Connection, node: str, namespace: str, keys: NodeKeys, now_ms: int
) -> None:
    """After an epoch: older keys are forgotten; and this node is the authority, where the epoch says so."""
    with transaction(connection):
        manifest = manifest_in_force(connection)
        if manifest is not None:
            forget_keys_before(connection, manifest.key_generation)
            take_over(connection, namespace, node, keys, now_ms)
