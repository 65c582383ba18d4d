"""How a namespace's sync is doing on this node."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

REPORT_EVERY_MS: Final = 600_000
"""Of a node that has not said how often it reports: what `sync.report_every` is without a configuration."""


class SyncRole(StrEnum):
    """What this node is to the namespace."""

    AUTHORITY = "authority"
    MEMBER = "member"
    JOINING = "joining"
    REMOVED = "removed"
    SPLIT = "split"


class SyncState(StrEnum):
    """How it stands. The set is closed; what to do in each is in docs/sync.md."""

    IN_STEP = "in step"
    """The epoch in force is applied, or published."""
    BEHIND = "behind"
    """A newer epoch is known and not all of it is here yet."""
    WAITING = "waiting"
    """Nothing was heard yet: of a node that joins, or that has just started."""
    OLD = "old"
    """Nothing was heard of the authority for longer than `sync.max_age`."""
    OTHER_MODEL = "other model"
    """The namespace is of another embedder than this node's: nothing is applied."""
    SPLIT = "split"
    """Two nodes publish as the authority: nothing is published, or applied, until somebody decides."""
    NO_KEY = "no key"
    """The namespace's key, or this node's own, is not here."""
    UNTRUSTED = "untrusted"
    """What the broker has is not of the authority that this node believes."""
    REMOVED = "removed"
    """This node was put out of the namespace."""
    OFFLINE = "offline"
    """The broker is not to be reached."""
    FAULTY = "faulty"
    """The database, the disk or the broker does not let it work."""


@dataclass(frozen=True, slots=True)
class NodeLag:
    """How far another node is, as the authority knows it.

    Attributes:
        node: its name.
        epoch, swept_epoch: as it reported.
        heard_ms: UTC milliseconds of its last report by this node's clock; 0: never.
        state: in its own words.
        report_every_ms: it reports so often where nothing changes; 0: it has not said.
        joined_ms: since when it is a member, UTC milliseconds.
    """

    node: str
    epoch: int
    swept_epoch: int
    heard_ms: int
    state: str
    report_every_ms: int = 0
    joined_ms: int = 0

    @property
    def patience_ms(self) -> int:
        """Who was not heard for longer has missed two reports in a row, and is taken for away."""
        return 3 * (self.report_every_ms or REPORT_EVERY_MS)


@dataclass(frozen=True, slots=True)
class NamespaceSync:
    """How one namespace's sync stands; a value that any thread may keep.

    Attributes:
        namespace: which.
        role, state: see there.
        epoch: applied, or published, last; 0: none.
        seen_epoch: the newest that was told of.
        age_ms: since the authority last said that what is here is in force; None where it never did. 0 at the
            authority.
        pages_missing: of the epoch that is being fetched.
        proposals: of this node that are not answered; of the authority: that wait for the owner.
        members: of the authority: how many there are, and how many have not applied its epoch.
        trouble: what is wrong and what to do, in words for people; empty where nothing is.
        refused: how much was not taken since the start, by reason (`Refusal`).
        applied, published, bytes_in, bytes_out, page_requests: since the start.
        groups_shared, groups_left_out, groups_elsewhere: of unknown people: how many this node shares, how
            many there is no room for, and how many other nodes share.
    """

    namespace: str
    role: SyncRole
    state: SyncState
    epoch: int = 0
    seen_epoch: int = 0
    age_ms: int | None = None
    pages_missing: int = 0
    proposals: int = 0
    members: int = 0
    members_behind: int = 0
    trouble: str = ""
    refused: Mapping[str, int] = field(default_factory=dict)
    applied: int = 0
    published: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    page_requests: int = 0
    groups_shared: int = 0
    groups_left_out: int = 0
    groups_elsewhere: int = 0
