"""What `edged sync` writes into a namespace's database. A running daemon sees it, and acts.

Every function is one transaction, or refuses what makes no sense for what this node is, and says what to do.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edged.domain.errors import EdgedError
from edged.domain.sync_state import REPORT_EVERY_MS, SyncRole
from edged.replication.invitation import Invitation
from edged.replication.keys import NodeKeys
from edged.store.database import transaction
from edged.store.sync_founding import found
from edged.store.sync_members import add_invitation, forget_late_invitations, member, members, remove_member
from edged.store.sync_publishing import manifest_in
from edged.store.sync_records import Membership, epoch_record, membership, outdate_snapshots

SECRET_BYTES: Final = 16
PROMOTED_HEARD_MS: Final = 60_000
"""Besides the time between two reports of a member that is to be the authority."""

_WHAT_A_MEMBER_HAS: Final = (
    "sync_epoch",
    "sync_bucket",
    "sync_page",
    "sync_retired",
    "sync_key",
    "sync_change",
    "sync_proposal",
    "sync_proposed",
    "sync_withheld",
    "sync_invitation",
    "sync_member",
    "sync_group_sharing",
    "sync_group_elsewhere",
    "sync_group_node",
    "sync_group_fate",
)


class NotForThisRoleError(EdgedError):
    """What a command does makes no sense for what this node is to the namespace."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose database it is.

    Attributes:
        connection: of the namespace's database.
        namespace: which.
        now_ms: UTC milliseconds.
    """

    connection: sqlite3.Connection
    namespace: str
    now_ms: int

    def membership(self) -> Membership:
        """What this node is to the namespace; raises NotForThisRoleError where it is not synced."""
        present = membership(self.connection)
        if present is None:
            raise NotForThisRoleError(
                f"namespace {self.namespace} is not synced on this node",
                remedy="`edged sync init` makes this node its authority, `edged sync join CODE` a member.",
            )
        return present

    def require_authority(self, what: str) -> Membership:
        """The same, of the authority; raises NotForThisRoleError, saying who it is, of all others."""
        present = self.membership()
        if present.role is SyncRole.AUTHORITY:
            return present
        if present.role is SyncRole.SPLIT:
            raise NotForThisRoleError(
                f"another node publishes {self.namespace} as the authority too: until that is settled, {what}"
                " on neither",
                remedy='docs/sync.md, "Two writers", says how it is settled.',
            )
        raise NotForThisRoleError(
            f"{what} on the authority of {self.namespace} only, and this node is {_role_words(present.role)}",
            remedy=f"The authority is {authority_words(self.connection, present)}: do it there.",
        )


def authority_words(connection: sqlite3.Connection, present: Membership) -> str:
    """Who the authority is, as far as this node knows: its name, and the beginning of its key."""
    manifest = manifest_in(epoch_record(connection))
    name = f"`{manifest.writer}`" if manifest is not None else "the node that made the invitation"
    return f"{name} (key {present.authority.hex()[:12]})"


def init(
    place: Place, node: str, keys: NodeKeys, chance: Callable[[int], bytes], *, is_anew: bool = False
) -> None:
    """Have this node be the namespace's authority; `is_anew`: though it is synced, of what is here.

    Raises InputError where that cannot be.
    """
    with transaction(place.connection):
        present = membership(place.connection)
        if is_anew and present is not None and present.authority == keys.authority.public:
            raise NotForThisRoleError(
                "this node has the authority's own secret: founded anew here, it would be two writers again",
                remedy='docs/sync.md, "Two writers", says how it is settled; or found it anew at a member.',
            )
        found(place.connection, place.namespace, node, keys, place.now_ms, chance, from_here=is_anew)


def invite(place: Place, chance: Callable[[int], bytes], *, lifetime_ms: int, uses: int) -> Invitation:
    """Let so many nodes join, for so long; raises NotForThisRoleError."""
    with transaction(place.connection):
        present = place.require_authority("invitations are made")
        forget_late_invitations(place.connection, place.now_ms)
        made = Invitation(
            place.namespace, present.authority, chance(SECRET_BYTES), place.now_ms + lifetime_ms
        )
        add_invitation(place.connection, made.secret, made.expires_ms, uses)
    return made


def believed_otherwise(place: Place, invitation: Invitation) -> bool:
    """Whether this node believes an authority with another key than the invitation's."""
    present = membership(place.connection)
    return present is not None and present.authority != invitation.authority


def begin_to_join(place: Place, invitation: Invitation, node: str) -> None:
    """Have this node ask to be a member.

    What it knows of another authority is forgotten: it takes whatever epoch comes. People stay until then.
    Raises NotForThisRoleError where it is the authority, or a member already; EdgedError for an invitation
    that has run out.
    """
    connection = place.connection
    if invitation.expires_ms <= place.now_ms:
        raise EdgedError(
            "the invitation has run out, or this machine's clock is ahead",
            remedy="Make another one at the authority: `edged sync invite`.",
        )
    with transaction(connection):
        present = membership(connection)
        if present is not None:
            _require_joinable(place, present, invitation)
        if present is not None and present.authority != invitation.authority:
            _forget(connection)
        connection.execute(
            "INSERT OR REPLACE INTO sync_membership (only_row, role, node, authority, invitation,"
            " invitation_expires_ms, since_ms) VALUES (1, 'joining', ?, ?, ?, ?, ?)",
            (node, invitation.authority, invitation.secret, invitation.expires_ms, place.now_ms),
        )


def _require_joinable(place: Place, present: Membership, invitation: Invitation) -> None:
    if present.role is SyncRole.AUTHORITY:
        raise NotForThisRoleError(
            f"this node is the authority of {place.namespace}",
            remedy="Should another one be it: `edged sync promote NODE` hands over, `edged sync leave` gives"
            " up.",
        )
    if present.role is SyncRole.MEMBER and present.authority == invitation.authority:
        raise NotForThisRoleError(
            f"this node is a member of {place.namespace} already",
            remedy="`edged sync status` says how it is doing.",
        )


def rotate(place: Place) -> None:
    """Have the namespace's key changed; raises NotForThisRoleError."""
    with transaction(place.connection):
        place.require_authority("the key is changed")
        place.connection.execute("UPDATE sync_membership SET rotation_wanted = 1")


def expel(place: Place, node: str) -> None:
    """Put a member out, and have the key changed; raises NotForThisRoleError, EdgedError for a stranger."""
    with transaction(place.connection):
        present = place.require_authority("members are put out")
        if node == present.node:
            raise EdgedError(
                f"{node} is this node, the authority",
                remedy="`edged sync promote NODE` hands over first, `edged sync leave` gives up.",
            )
        if not remove_member(place.connection, node, place.now_ms):
            raise EdgedError(f"{node} is no member of {place.namespace}", remedy=_who_is(place))


def promote(place: Place, node: str) -> None:
    """Have a member be the authority instead of this node; raises EdgedError where it cannot be now."""
    connection = place.connection
    with transaction(connection):
        present = place.require_authority("the authority is handed over")
        known = member(connection, node)
        if known is None or known.removed_ms is not None:
            raise EdgedError(f"{node} is no member of {place.namespace}", remedy=_who_is(place))
        record = epoch_record(connection)
        if record is None or known.epoch < record.epoch:
            raise EdgedError(
                f"{node} is at epoch {known.epoch}, this node at {record.epoch if record else 0}",
                remedy="Who is to be the authority must be in step: try again when it is"
                " (`edged sync status`).",
            )
        if place.now_ms - known.heard_ms > PROMOTED_HEARD_MS + (known.report_every_ms or REPORT_EVERY_MS):
            raise EdgedError(
                f"{node} was not heard lately, and who is to be the authority must be there",
                remedy="See whether edged runs there and reaches the broker (`edged sync status`), then try"
                " again.",
            )
        if present.successor not in (None, node):
            raise EdgedError(
                f"{present.successor} is on its way to be the authority", remedy="See `edged sync status`."
            )
        connection.execute("UPDATE sync_membership SET successor = ?", (node,))


def leave(place: Place) -> bool:
    """Have this node not take part any more; people stay as they are.

    Returns whether it is done: a member says it first, which its daemon does.
    Raises NotForThisRoleError of an authority with members.
    """
    connection = place.connection
    with transaction(connection):
        present = require_leaving(place)
        if present.role is SyncRole.MEMBER:
            connection.execute("UPDATE sync_membership SET is_leaving = 1")
            return False
        _forget(connection)
        connection.execute("DELETE FROM sync_membership")
    return True


def require_leaving(place: Place) -> Membership:
    """What this node is to the namespace; raises NotForThisRoleError of an authority with members."""
    present = place.membership()
    others = members(place.connection) if present.role is SyncRole.AUTHORITY else ()
    if others:
        follow = "one node follows" if len(others) == 1 else f"{len(others)} nodes follow"
        raise NotForThisRoleError(
            f"this node is the authority of {place.namespace}, and {follow} it",
            remedy="`edged sync promote NODE` has another one be it; leave then. `edged sync leave --unsaid`"
            " ends it for all: they keep whom they know, and hear nothing any more.",
        )
    return present


def leave_unsaid(place: Place) -> None:
    """The same with nobody told: of a member whose authority cannot be, of an authority that gives up.

    Raises NotForThisRoleError where the namespace is not synced.
    """
    with transaction(place.connection):
        place.membership()
        _forget(place.connection)
        place.connection.execute("DELETE FROM sync_membership")


def _forget(connection: sqlite3.Connection) -> None:
    """Everything of the namespace that is synced but its people."""
    outdate_snapshots(connection)
    for table in _WHAT_A_MEMBER_HAS:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 (constants of this module)


def _role_words(role: SyncRole) -> str:
    return {
        SyncRole.MEMBER: "a member",
        SyncRole.JOINING: "still joining",
        SyncRole.REMOVED: "one that was put out",
    }.get(role, f"its {role}")


def _who_is(place: Place) -> str:
    names = [each.node for each in members(place.connection)]
    return (
        f"Members are: {', '.join(names)}."
        if names
        else "It has no members; `edged sync invite` asks them in."
    )
