"""An authority that finds another one in its place: it stands back where its own members follow that one."""

from typing import Final

from edged.domain.moment import Moment
from edged.replication.refounding import Refounding, advice, elsewhere_of
from edged.replication.refusal import RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Handover, Manifest, Report
from edged.store.sync_members import members, report_of
from edged.sync.authority_desk import AuthorityDesk, passed

_OVER_MS: Final = 60_000
"""Another authority's manifest is told for so long after it was written over: it may come again."""
_LOOK_MS: Final = 5_000
_BROKER: Final = "broker"
_FOUNDED: Final = "founded"


class FoundedElsewhere:
    """One authority's. Both troubles of it are told at the desk: `broker` and `founded`."""

    def __init__(self, desk: AuthorityDesk) -> None:
        self._desk = desk
        self._refounding = Refounding()
        self._came: Moment | None = None
        self._looked: Moment | None = None
        self._stands_back = False

    def came(self, payload: bytes, error: RefusedError, now: Moment) -> None:
        """What the broker keeps as the manifest is not of this authority."""
        desk = self._desk
        found = elsewhere_of(payload, desk.parts.namespace, desk.keys.authority.public)
        # Members follow who handed over to this node until it has published for the first time.
        is_before = found is not None and found.authority in _before(desk.manifest)
        self._refounding.came(None if is_before else found)
        latest = self._refounding.latest
        self._looked = None
        self._came = self._came if latest is None else now
        desk.tell(_BROKER, advice(latest, ()) if latest is not None else error.words)

    def is_own(self, now: Moment) -> None:
        """It is this authority's again."""
        self._refounding.came(None)
        self._looked = None
        self._end_of_junk(now)

    def stands_back(self, now: Moment) -> bool:
        """Whether nothing is to be published, because members follow another authority. Raises StoreError."""
        if self._refounding.latest is None and not self._stands_back:
            if self._came is not None:
                self._end_of_junk(now)
            return False
        if passed(self._looked, now, _LOOK_MS):
            self._looked = now
            self._weigh()
        return self._stands_back

    def _end_of_junk(self, now: Moment) -> None:
        if passed(self._came, now, _OVER_MS):
            self._came = None
            self._desk.tell(_BROKER, "")

    def _weigh(self) -> None:
        latest = self._refounding.latest
        followers = self._refounding.followers(self._reports()) if latest is not None else []
        self._stands_back = bool(followers)
        if latest is not None and followers:
            self._desk.tell(_BROKER, "")
            self._desk.tell(_FOUNDED, advice(latest, followers))
        else:
            self._desk.tell(_FOUNDED, "")

    def _reports(self) -> list[Report]:
        connection = self._desk.store.connection
        payloads = [report_of(connection, each.node) for each in members(connection)]
        return [taken_apart(StatementKind.REPORT, one).body(Report) for one in payloads if one is not None]


def _before(manifest: Manifest | None) -> set[str]:
    """Whose keys the namespace had, as the epoch in force says; this authority's own among them."""
    if manifest is None:
        return set()
    handed = [
        taken_apart(StatementKind.HANDOVER, each.encode()).body(Handover) for each in manifest.handovers
    ]
    return {manifest.authority} | {each.from_key for each in handed}
