"""The health of the machine, as its state topic tells it."""

from collections.abc import Mapping

import msgspec

from edged.domain.wire import EDGE_SCHEMA, Wire


class SyncNote(Wire, frozen=True, kw_only=True):
    """How a namespace's sync stands; see `NamespaceSync` for each.

    Attributes:
        role, state: in words, docs/sync.md lists them.
        epoch: in force here; 0: none.
        seen_epoch: the newest that was told of.
        age_s: seconds since the authority last said that it is in force; absent where it never did.
        pages_missing: of the epoch that is being fetched.
        proposals: of a member: not answered; of the authority: that wait for the owner.
        members, members_behind: of the authority.
        trouble: what a person should look at, in words; empty while all is well.
    """

    role: str
    state: str
    epoch: int
    seen_epoch: int
    age_s: int | None = None
    pages_missing: int = 0
    proposals: int = 0
    members: int = 0
    members_behind: int = 0
    trouble: str = ""


class DeviceState(Wire, frozen=True, kw_only=True):
    """How the machine and the daemon on it are doing. Retained; absent when unknown, never null.

    Attributes:
        version: edged's.
        temperature_c: of the hottest sensor that tells the processor's, degrees Celsius.
        throttled: whether the machine slows itself down, for heat or for a weak power supply.
        slowed: why the feeds take fewer frames than configured, in words; empty while they do not.
        load: share of the models' time that is used, 0 to 1.
        waiting: messages in the outbox that a sink has not got yet, dead letters among them.
        trouble: what a person should look at, in words; empty while all is well.
        sync: of each namespace that is synced, by its name; absent where none is.
    """

    device: str
    version: str
    temperature_c: float | None = None
    throttled: bool = False
    slowed: str = ""
    load: float = 0.0
    waiting: int = 0
    trouble: str = ""
    sync: Mapping[str, SyncNote] | None = None
    at: int
    schema: int = msgspec.field(default_factory=lambda: EDGE_SCHEMA)
