"""How a member stands, in the words of its report and of its standing."""

from dataclasses import dataclass
from typing import Final

from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.replication.ageing import Age
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statements import FIRST, Report
from edged.store.sync_following import Known
from edged.sync.parts import NodeParts

_STATES: Final = {
    Refusal.SPLIT: SyncState.SPLIT,
    Refusal.OTHER_MODEL: SyncState.OTHER_MODEL,
    Refusal.NO_KEY: SyncState.NO_KEY,
}
"""What a manifest that was not taken makes of this node; of most other reasons: untrusted."""
_REMEDIES: Final = {
    Refusal.SPLIT: 'Settle it at the authority as docs/sync.md says ("Two writers")',
    Refusal.OTHER_MODEL: "Use the same model on all nodes, or share crops (`sync.chips` at the authority)",
    Refusal.UNSIGNED: "Nothing of it is applied. If the namespace was founded anew, join with a new code"
    " (`edged sync join CODE`); else somebody writes what they must not",
    Refusal.OLD: "It goes on by itself once the authority publishes again",
}
_ELSE: Final = "Nothing of it is applied. See docs/sync.md"
_OF_STATE: Final = {
    SyncState.REMOVED: "this node was put out: `edged sync join CODE` with a new invitation lets it in again;"
    " `edged sync leave` ends it",
    SyncState.NO_KEY: "the namespace's key for this epoch is not here: the authority tells it when it runs"
    " and hears of this node",
    SyncState.OLD: "the authority was not heard for longer than `sync.max_age`: see whether it runs and"
    " reaches the broker",
}
"""What is wrong where nothing else says it."""


@dataclass(frozen=True, slots=True)
class View:
    """What a member knows of itself.

    Attributes:
        parts: what it stands on.
        known: what its database says; None before it was read.
        is_connected: the broker is there.
        is_heard: since then the authority was heard.
        is_fetching: an epoch is on its way.
        key_generation: of that epoch.
        missing: how many pages of it are not here.
        late: names of pages that were asked for more than once.
        absent: the name of the manifest in force, where it does not come.
        seen_epoch: the newest that was told of.
        alarm: why the last manifest was not taken; None: it was.
        fault: what is wrong with the database.
        remark: what else a person should know.
    """

    parts: NodeParts
    known: Known | None
    is_connected: bool
    is_heard: bool
    is_fetching: bool
    key_generation: int
    missing: int
    late: tuple[str, ...]
    absent: tuple[str, ...]
    seen_epoch: int
    alarm: RefusedError | None
    fault: str
    remark: str

    @property
    def newest_epoch(self) -> int:
        """The newest that is known of."""
        return max(self.seen_epoch, self.known.in_force.epoch if self.known else 0)

    def state(self, age: Age | None) -> SyncState:
        """How it stands; `age` is that of the epoch in force."""
        if self.fault:
            return SyncState.FAULTY
        if self.known is not None and self.known.membership.role is SyncRole.REMOVED:
            return SyncState.REMOVED
        if not self.is_connected:
            return SyncState.OFFLINE
        if self.alarm is not None and self.alarm.refusal is not Refusal.OLD:
            return _STATES.get(self.alarm.refusal, SyncState.UNTRUSTED)
        return self._progress(age)

    def _progress(self, age: Age | None) -> SyncState:
        known = self.known
        if self.is_fetching:
            has_key = known is not None and self.key_generation in known.envelopes
            return SyncState.BEHIND if has_key or self.missing else SyncState.NO_KEY
        if known is None or known.record is None:
            return SyncState.WAITING
        if age is not None and age.is_old:
            return SyncState.OLD
        if self.newest_epoch > known.record.epoch:
            return SyncState.BEHIND
        return SyncState.IN_STEP if self.is_heard else SyncState.WAITING

    def trouble(self, state: SyncState) -> str:
        """What is wrong, and what to do; empty where nothing is. `state` is how it stands."""
        if self.fault:
            return self.fault
        if self.alarm is not None and state is not SyncState.REMOVED:
            return f"{self.alarm.words}. {_REMEDIES.get(self.alarm.refusal, _ELSE)}"
        if self.late:
            elsewhere = "" if self.parts.mirror else ". If they are at a mirror alone, `sync.mirror` names it"
            return (
                f"{len(self.late)} pages do not come, though they were asked for more than once: the broker"
                " has them not, or its limits keep them back; the authority is told, and sends them again"
                f"{elsewhere}"
            )
        if self.absent:
            return (
                f"epoch {self.seen_epoch} is in force, and its manifest does not come: the broker has it not"
                " where this node reads, or its limits keep it back; the authority is told, and sends it"
                " again"
            )
        if state is SyncState.OLD and self.parts.settings.when_old == "keep":
            return self.remark
        return _OF_STATE.get(state) or self.remark

    def standing(self, age: Age | None) -> NamespaceSync:
        """How it stands, without what is counted; `age` is that of the epoch in force."""
        known, state = self.known, self.state(age)
        return NamespaceSync(
            namespace=self.parts.namespace,
            role=known.membership.role if known else SyncRole.MEMBER,
            state=state,
            epoch=known.in_force.epoch if known else 0,
            seen_epoch=self.newest_epoch,
            age_ms=age.age_ms if age else None,
            pages_missing=self.missing,
            trouble=self.trouble(state),
        )

    def report(self, known: Known, age: Age | None, now_ms: int) -> Report:
        """What the authority is told; `now_ms` is UTC."""
        record = known.record
        return Report(
            namespace=self.parts.namespace,
            node=self.parts.node,
            epoch=record.epoch if record else 0,
            manifest=known.in_force.name or FIRST,
            swept_epoch=record.swept_epoch if record else 0,
            at=now_ms,
            state=self.state(age),
            seen_epoch=self.newest_epoch,
            missing=self.late or self.absent,
            model=self.parts.model_hash,
            version=self.parts.version,
            has_left=known.membership.is_leaving,
            report_every=round(self.parts.settings.report_every * 1000),
            succeeds=known.succeeds,
        )
