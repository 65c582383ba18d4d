"""What tells an authority that was away that its namespace was founded anew without it.

Anybody who may write there can sign a manifest with a key of their own: by itself it means nothing. That
members follow it is told by their reports, which they sign with keys that the authority knows.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from edged.domain.sync_state import SyncState
from edged.replication.refusal import RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest, Report, name_of

_MOST_NAMES: Final = 64
_MOST_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A manifest of another authority, signed by the key that it names.

    Attributes:
        name: its hash, in hex.
        writer: the node that made it, as it says.
        authority: the key, in hex.
        issued_ms: when it was made, as it says, UTC milliseconds.
    """

    name: str
    writer: str
    authority: str
    issued_ms: int


def elsewhere_of(payload: bytes, namespace: str, own_key: bytes) -> Elsewhere | None:
    """The manifest that came, where another authority signed it; None for anything else."""
    try:
        statement = taken_apart(StatementKind.MANIFEST, payload)
        manifest = statement.body(Manifest)
        if manifest.namespace != namespace or manifest.authority == own_key.hex():
            return None
        statement.require(bytes.fromhex(manifest.authority))
    except RefusedError:
        return None
    return Elsewhere(name_of(payload), manifest.writer, manifest.authority, manifest.issued_at)


class Refounding:
    """Weighs manifests of another authority against the reports of this one's members."""

    def __init__(self) -> None:
        self._latest: Elsewhere | None = None
        self._names: deque[str] = deque(maxlen=_MOST_NAMES)

    @property
    def latest(self) -> Elsewhere | None:
        """The manifest that the broker kept last, where it was another authority's."""
        return self._latest

    def came(self, found: Elsewhere | None) -> None:
        """Note what the broker keeps as the manifest; None: nothing of another authority."""
        if found is not None and (self._latest is None or found.authority != self._latest.authority):
            self._names.clear()
        if found is not None and found.name not in self._names:
            self._names.append(found.name)
        self._latest = found

    def followers(self, reports: Iterable[Report]) -> list[str]:
        """The members that follow the other authority, by name; nobody where one that was heard does not.

        Args:
            reports: the last one of each member. One of before the other manifest says nothing about it.
        """
        latest = self._latest
        if latest is None:
            return []
        followers = []
        for report in reports:
            if report.manifest in self._names:
                followers.append(report.node)
            elif not self._is_silent(report, latest):
                return []
        return sorted(followers)

    def _is_silent(self, report: Report, latest: Elsewhere) -> bool:
        """Whether a report tells of neither authority that its node follows it."""
        is_before = report.at < latest.issued_ms
        return is_before or report.node == latest.writer or report.state == SyncState.UNTRUSTED


def advice(latest: Elsewhere, followers: Iterable[str]) -> str:
    """What the owner of the authority that was away is told."""
    other = f"`{latest.writer}` (key {latest.authority[:12]})"
    names = list(followers)
    if not names:
        return (
            f"another authority, {other}, publishes: if the namespace was founded anew there, end it here"
            " (`edged sync leave --unsaid`) and join with a new invitation; if it was founded anew here, end"
            " it there; else somebody writes where they must not: see the access lists in docs/sync.md"
        )
    listed = ", ".join(names[:_MOST_TOLD]) + (" and others" if len(names) > _MOST_TOLD else "")
    return (
        f"the namespace was founded anew at {other}, which members follow ({listed}): nothing is published"
        " from here."
        " End it here (`edged sync leave --unsaid`) and join with an invitation made there; if that is not"
        " so, put these out (`edged sync remove NODE`)"
    )
