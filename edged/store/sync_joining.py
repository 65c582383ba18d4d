"""A node's step from being invited to being a member, in the caller's transaction."""

import sqlite3

from edged.replication.statements import Member
from edged.store.sync_proposals import propose_everybody
from edged.store.sync_records import Membership, membership, outdate_snapshots, write_envelope


def become_member(
    connection: sqlite3.Connection, asked: Membership, said: Member, envelope: bytes, now_ms: int
) -> bool:
    """Be a member, as the authority said; False where a command changed what this node is meanwhile.

    Who is here already is proposed to the authority: nobody is lost by joining.
    """
    if membership(connection) != asked:
        return False
    for table in ("sync_key", "sync_epoch", "sync_bucket", "sync_page"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 (constants)
    connection.execute(
        "UPDATE sync_membership SET role = 'member', invitation = NULL, invitation_expires_ms = NULL,"
        " since_ms = ?, told_ms = ?",
        (now_ms, said.at),
    )
    write_envelope(connection, said.key_generation, envelope)
    propose_everybody(connection)
    outdate_snapshots(connection)
    return True
