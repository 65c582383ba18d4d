"""How a namespace's sync stands, as its database says: for a command beside a daemon, or without one."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from edged.app.sync_told import DaemonWord
from edged.app.sync_watch import QUIET
from edged.domain.errors import StoreError
from edged.domain.sync_state import NodeLag, SyncRole, SyncState
from edged.store.database import reading
from edged.store.namespace_queries import ledger
from edged.store.sync_members import count_waiting, lags
from edged.store.sync_publishing import manifest_in
from edged.store.sync_records import Membership, epoch_record, membership

ASKING_MS: Final = 30_000
"""A node that joins is let in within that where all is well."""
_SPLIT: Final = (
    "another node publishes as the authority too, with the same key; nothing is published from here:"
    " settle it"
    ' as docs/sync.md says ("Two writers")'
)
_REMOVED: Final = (
    "this node was put out: nothing comes any more. `edged sync join CODE` with a new invitation lets it in"
    " again; `edged sync leave` ends it"
)
_OF_ROLE: Final = {SyncRole.SPLIT: _SPLIT, SyncRole.REMOVED: _REMOVED}
_NOT_LET_IN: Final = (
    "the authority has not let this node in yet: see whether it runs, both reach the same broker with the"
    " same prefix, and the invitation was not used up"
)
_LEAVING: Final = (
    "this node leaves as soon as it can tell the authority; `edged sync leave --unsaid` does not wait for it"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What `edged sync status` tells.

    Attributes:
        namespace, role, node: this node.
        authority: the name of the node that made the epoch in force; empty: there is none yet.
        authority_key: in hex.
        epoch: in force here; 0: none.
        age_ms: since the authority last said that it is in force; None at the authority, and without an
            epoch.
        unpublished: of the authority: changes wait for the daemon to publish them.
        own_proposals: of how many people this node's are not answered.
        waiting_proposals: of how many people others' are, for the owner to decide on.
        invitations: that are out.
        successor: who is to be the authority.
        members: how far each is; of the authority.
        trouble: what is wrong and what to do, a sentence or two each.
        daemon: what the daemon that runs here last told; None where none runs, or it told nothing yet.
    """

    namespace: str
    role: SyncRole
    node: str
    authority: str
    authority_key: str
    epoch: int
    age_ms: int | None
    unpublished: bool
    own_proposals: int
    waiting_proposals: int
    invitations: int
    successor: str | None
    members: tuple[NodeLag, ...]
    trouble: tuple[str, ...]
    daemon: DaemonWord | None = None


def standing(
    connection: sqlite3.Connection,
    namespace: str,
    now_ms: int,
    *,
    max_age_ms: int | None = None,
    is_running: bool = True,
    daemon: DaemonWord | None = None,
) -> Standing | None:
    """How it stands; None where the namespace is not synced.

    Args:
        connection: of the namespace's database.
        namespace: which.
        now_ms: UTC milliseconds.
        max_age_ms: what is older is old (`sync.max_age`).
        is_running: whether a daemon takes care of it now.
        daemon: what it last told.
    """
    with reading(connection):
        present = membership(connection)
        if present is None:
            return None
        record = epoch_record(connection)
        manifest = manifest_in(record)
        is_authority = present.role is SyncRole.AUTHORITY
        age_ms = None if record is None or is_authority else max(0, now_ms - record.alive_ms)
        told = Standing(
            namespace=namespace,
            role=present.role,
            node=present.node,
            authority=present.node if is_authority else manifest.writer if manifest else "",
            authority_key=present.authority.hex(),
            epoch=record.epoch if record else 0,
            age_ms=age_ms,
            unpublished=is_authority and (record is None or record.revision < ledger(connection).revision),
            own_proposals=_count(
                connection, "(SELECT DISTINCT identity_id FROM sync_proposal WHERE verdict <> 'refused')"
            ),
            waiting_proposals=count_waiting(connection),
            invitations=_count(connection, f"sync_invitation WHERE expires_ms > {now_ms:d}"),
            successor=present.successor,
            members=tuple(lags(connection)) if is_authority else (),
            trouble=(),
            daemon=daemon,
        )
        return _with_trouble(told, present, now_ms, max_age_ms, is_running=is_running)


def _count(connection: sqlite3.Connection, what: str) -> int:
    ((count,),) = connection.execute(f"SELECT count(*) FROM {what}")  # noqa: S608 (constants of this module)
    return int(count)


def _with_trouble(
    told: Standing, present: Membership, now_ms: int, max_age_ms: int | None, *, is_running: bool
) -> Standing:
    trouble = [*_of_role(told, present, now_ms)]
    if told.age_ms is not None and max_age_ms is not None and told.age_ms > max_age_ms:
        trouble.append(
            f"the authority {told.authority} has not been heard for too long: see whether it runs and reaches"
            " the broker"
        )
    if told.daemon is not None and not trouble:
        trouble += _of_daemon(told.daemon)
    late = [each.node for each in told.members if is_late(each, told.epoch, now_ms)]
    if late:
        trouble.append(
            f"late: {', '.join(late)}: see whether they run and reach the broker; `edged sync remove NODE`"
            " puts one out that is gone for good"
        )
    strangers = [each.node for each in told.members if each.state == SyncState.UNTRUSTED]
    if strangers:
        trouble.append(
            f"not believing this node: {', '.join(strangers)}: another one publishes. If the namespace was"
            " founded anew there, end it here (`edged sync leave --unsaid`); else see the access lists in"
            " docs/sync.md"
        )
    others = [each.node for each in told.members if each.state == SyncState.OTHER_MODEL]
    if others:
        trouble.append(
            f"another embedder: {', '.join(others)}: `edged models use` the same one there, or"
            " `sync.chips: true` here, so that they embed everybody themselves"
        )
    if told.waiting_proposals:
        number = told.waiting_proposals
        waits = "1 proposal waits" if number == 1 else f"{number} proposals wait"
        trouble.append(f"{waits} for you: `edged sync proposals list`")
    if not is_running:
        trouble.append("no daemon runs here: nothing is sent or fetched until it does (`edged run`)")
    return Standing(
        **{name: getattr(told, name) for name in Standing.__slots__ if name != "trouble"},
        trouble=tuple(trouble),
    )


def _of_daemon(word: DaemonWord) -> list[str]:
    """What only the daemon knows."""
    if word.trouble:
        return [word.trouble]
    if word.state in QUIET:
        return []
    return [f'it is `{word.state}`: docs/sync.md says what to do ("States, and what to do")']


def _of_role(told: Standing, present: Membership, now_ms: int) -> list[str]:
    if told.role in _OF_ROLE:
        return [_OF_ROLE[told.role]]
    match told.role:
        case SyncRole.JOINING if (present.invitation_expires_ms or 0) <= now_ms:
            return ["the invitation has run out: make another one at the authority (`edged sync invite`)"]
        case SyncRole.JOINING if now_ms - present.since_ms > ASKING_MS:
            return [_NOT_LET_IN]
        case SyncRole.MEMBER if present.is_leaving:
            return [_LEAVING]
        case SyncRole.MEMBER if told.epoch == 0:
            return ["nothing came yet: see whether the authority runs and reaches the same broker"]
    return []


def is_late(lag: NodeLag, epoch: int, now_ms: int) -> bool:
    """Whether a member has not applied an epoch, and was not heard lately either."""
    return lag.epoch < epoch and now_ms - max(lag.heard_ms, lag.joined_ms) > lag.patience_ms


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Who has confirmed that somebody is forgotten.

    Attributes:
        epoch: the first without them; 0: it is not made yet.
        since_ms: when the epoch in force was made.
        confirmed, missing: members, by name.
        is_settled: nothing is to be waited for any more.
        is_refused: the authority did not want it: they are back.
        elsewhere: the authority, where only that one knows who else has confirmed; empty at the authority.
    """

    epoch: int
    since_ms: int
    confirmed: tuple[NodeLag, ...] = ()
    missing: tuple[NodeLag, ...] = ()
    is_settled: bool = False
    is_refused: bool = False
    elsewhere: str = ""


class ErasureWatch:
    """Looks who has confirmed an erasure that this namespace's database has; changes nothing.

    Args:
        connection: of the namespace's database.
        identity_ids: who was erased.
        revision: the ledger's when they were gone.
    """

    def __init__(self, connection: sqlite3.Connection, identity_ids: frozenset[str], revision: int) -> None:
        self._connection = connection
        self._identity_ids = identity_ids
        self._revision = revision
        self._epoch = 0
        ((self._last_proposal,),) = connection.execute("SELECT coalesce(max(number), 0) FROM sync_proposal")

    def look(self) -> Confirmations | None:
        """How far it is; None where the namespace is not synced. Raises StoreError."""
        connection = self._connection
        with reading(connection):
            present = membership(connection)
            if present is None:
                return None
            if present.role is SyncRole.AUTHORITY:
                return self._of_authority()
            if present.role in (SyncRole.REMOVED, SyncRole.SPLIT):
                raise StoreError(
                    f"this node is {present.role}: nobody else hears of the erasure",
                    remedy="`edged sync status` says what to do.",
                )
            return self._of_member()

    def _of_authority(self) -> Confirmations:
        record = epoch_record(self._connection)
        if record is None or record.revision < self._revision:
            return Confirmations(0, 0, missing=tuple(lags(self._connection)))
        # The first epoch without them; later ones do not concern whoever waits.
        self._epoch = self._epoch or record.epoch
        everybody = lags(self._connection)
        confirmed = tuple(each for each in everybody if each.swept_epoch >= self._epoch)
        missing = tuple(each for each in everybody if each.swept_epoch < self._epoch)
        return Confirmations(self._epoch, record.at_ms, confirmed, missing, is_settled=not missing)

    def _of_member(self) -> Confirmations:
        record = epoch_record(self._connection)
        manifest = manifest_in(record)
        elsewhere = manifest.writer if manifest else "the authority"
        epoch, since_ms = (record.epoch, record.at_ms) if record else (0, 0)
        is_open = any(self._is_open(one) for one in self._identity_ids)
        is_back = any(self._is_refused(one) for one in self._identity_ids)
        is_swept = record is not None and record.swept_epoch >= record.erased_epoch
        return Confirmations(
            epoch,
            since_ms,
            is_settled=not is_open and (is_back or is_swept),
            is_refused=not is_open and is_back,
            elsewhere=elsewhere,
        )

    def _is_open(self, identity_id: str) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM sync_change WHERE identity_id = ?1 UNION ALL"
            " SELECT 1 FROM sync_proposal WHERE identity_id = ?1 AND verdict <> 'refused'",
            (identity_id,),
        ).fetchone()
        return row is not None

    def _is_refused(self, identity_id: str) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM sync_proposal WHERE identity_id = ?1 AND verdict = 'refused' AND number > ?2"
            " UNION ALL SELECT 1 FROM identity WHERE id = ?1",
            (identity_id, self._last_proposal),
        ).fetchone()
        return row is not None
