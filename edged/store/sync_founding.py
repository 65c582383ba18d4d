"""Making a namespace's membership: as its first authority, or as its next one."""

import base64
import binascii
import sqlite3
from collections.abc import Callable
from typing import Final

import msgspec

from edged.domain.errors import InputError
from edged.domain.sync_state import SyncRole
from edged.replication.keys import (
    NAMESPACE_KEY_BYTES,
    PUBLIC_BYTES,
    NodeKeys,
    envelope_place,
    seal_envelope,
)
from edged.replication.refusal import RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Handover, Manifest, Succession
from edged.store.sync_members import add_member
from edged.store.sync_proposals import forget_own_changes
from edged.store.sync_records import (
    envelopes,
    epoch_record,
    membership,
    outdate_snapshots,
    write_envelope,
)

_OF_THE_OLD: Final = (
    "sync_member",
    "sync_invitation",
    "sync_change",
    "sync_proposal",
    "sync_withheld",
    "sync_page",
    "sync_retired",
    "sync_group_elsewhere",
    "sync_group_node",
)

_ThreeKeys = tuple[bytes, bytes, bytes]
"""A node's own: of the node, to seal for it, and as the authority."""


def found(
    connection: sqlite3.Connection,
    namespace: str,
    node: str,
    keys: NodeKeys,
    now_ms: int,
    chance: Callable[[int], bytes],
    *,
    from_here: bool = False,
) -> int:
    """Have this node be the authority of a namespace, in the caller's transaction.

    Args:
        connection: of the namespace's database.
        namespace: which.
        node: this device's name.
        keys: this node's own.
        now_ms: UTC milliseconds.
        chance: gives so many bytes that nobody can guess.
        from_here: found it anew of what is here, though it is synced: its authority is lost. Nobody is a
            member then, and every other node must join again. Epochs go on from the last one that is here.

    Returns:
        The generation of the namespace's new key.

    Raises:
        InputError: it is synced already, or (with `from_here`) this node is its authority.
    """
    present = membership(connection)
    if present is not None and not from_here:
        raise InputError(
            f"{namespace} is synced already: this node is its {present.role}",
            remedy="See `edged sync status`; leave it first (`edged sync leave`), or, if its authority is"
            " lost for good, found it anew from here: `edged sync init --from-here`.",
        )
    if (
        present is not None
        and present.authority == keys.authority.public
        and present.role is SyncRole.AUTHORITY
    ):
        raise InputError(
            f"this node is the authority of {namespace}", remedy="There is nothing to found anew."
        )
    if from_here:
        for table in _OF_THE_OLD:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 (constants of this module)
    _be_authority(connection, node, keys.authority.public, now_ms)
    generation = max(envelopes(connection), default=0) + 1
    place = envelope_place(namespace, node, generation)
    sealed = seal_envelope(chance(NAMESPACE_KEY_BYTES), keys.sealing_public, place, chance)
    write_envelope(connection, generation, sealed)
    outdate_snapshots(connection)
    return generation


def _be_authority(connection: sqlite3.Connection, node: str, authority: bytes, now_ms: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO sync_membership (only_row, role, node, authority, since_ms)"
        " VALUES (1, 'authority', ?, ?, ?)",
        (node, authority, now_ms),
    )


def end_restoring(connection: sqlite3.Connection) -> None:
    """An authority that was restored has what it published; what was changed here since goes on from there.

    In the caller's transaction.
    """
    connection.execute("UPDATE sync_membership SET is_restored = 0")
    forget_own_changes(connection)


def keep_succession(connection: sqlite3.Connection, succession: Succession) -> None:
    """Keep what the authority told this node, which is to follow it. To be called by a member."""
    connection.execute("UPDATE sync_membership SET succession = ?", (msgspec.msgpack.encode(succession),))


def succession(connection: sqlite3.Connection) -> Succession | None:
    """What this node was told that is to be, or became, the authority; None of all others."""
    row = connection.execute("SELECT succession FROM sync_membership").fetchone()
    return None if row is None or row[0] is None else msgspec.msgpack.decode(row[0], type=Succession)


def take_over(connection: sqlite3.Connection, namespace: str, node: str, keys: NodeKeys, now_ms: int) -> bool:
    """Have a member be the authority, where the epoch that it applied says so; in the caller's transaction.

    To be called after each epoch that was applied, and after `keep_succession`, whichever comes last.
    Returns False, and changes nothing, where it is not to be, or was not told all that it needs.
    """
    told, record, present = succession(connection), epoch_record(connection), membership(connection)
    if told is None or record is None or present is None or present.role is not SyncRole.MEMBER:
        return False
    try:
        manifest = taken_apart(StatementKind.MANIFEST, record.manifest).body(Manifest)
        others: list[tuple[str, _ThreeKeys, int | None]] = [
            (name, _three_keys(text), None) for name, text in told.members
        ]
        others += [(name, _three_keys(text), now_ms) for name, text in told.removed]
        is_right = manifest.successor == (node, keys.authority.public.hex()) and is_handed_over(
            told.handover, namespace, manifest
        )
    except (RefusedError, binascii.Error, ValueError):
        return False
    if not is_right:
        return False
    forget_own_changes(connection)
    # Every bucket is made anew, with what this node wanted and nobody had answered.
    for table in ("sync_member", "sync_invitation", "sync_bucket"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 (constants)
    connection.execute(
        "UPDATE sync_membership SET role = 'authority', authority = ?, since_ms = ?, rotation_wanted = 0,"
        # Who is to lead does not leave: it would be gone with nobody told.
        " is_leaving = 0",
        (keys.authority.public, now_ms),
    )
    outdate_snapshots(connection)
    for name, keys_of_it, removed_ms in others:
        if name != node:
            add_member(connection, name, *keys_of_it, now_ms)
            connection.execute("UPDATE sync_member SET removed_ms = ? WHERE node = ?", (removed_ms, name))
    connection.execute("UPDATE sync_member SET told_ms = ?", (told.told_at,))
    return True


def is_handed_over(statement: str, namespace: str, manifest: Manifest) -> bool:
    """Whether a statement gives the namespace to the manifest's successor; raises RefusedError for none."""
    taken = taken_apart(StatementKind.HANDOVER, statement.encode())
    said = taken.body(Handover)
    return (
        manifest.successor is not None
        and said.namespace == namespace
        and said.after_epoch == manifest.epoch
        and (said.from_key, said.to_key) == (manifest.authority, manifest.successor[1])
        and taken.is_by(bytes.fromhex(manifest.authority))
    )


def _three_keys(text: str) -> _ThreeKeys:
    content = base64.b64decode(text, validate=True)
    if len(content) != 3 * PUBLIC_BYTES:
        raise ValueError("three keys are needed")
    return content[:32], content[32:64], content[64:]
