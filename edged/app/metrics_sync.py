"""Figures of the sync of namespaces. No node's name is a label: ten thousand would be ten thousand series."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric

from edged.app.metric_family import counter, gauge
from edged.app.sync_watch import remark
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState

if TYPE_CHECKING:
    from edged.app.measured import Measured

_LABELS: Final = ("namespace",)

_GAUGES: Final[tuple[tuple[str, str, Callable[[NamespaceSync], int]], ...]] = (
    ("sync_epoch", "Epoch that is in force here; 0: none", lambda one: one.epoch),
    ("sync_epoch_seen", "Newest epoch that was told of", lambda one: one.seen_epoch),
    ("sync_pages_missing", "Pages of the epoch that is being fetched", lambda one: one.pages_missing),
    ("sync_proposals", "Proposals that are not answered, or wait for the owner", lambda one: one.proposals),
    ("sync_groups_shared", "Groups of unknown people that this node shares", lambda one: one.groups_shared),
    ("sync_groups_left_out", "Groups for which there is no room in that", lambda one: one.groups_left_out),
    ("sync_groups_elsewhere", "Groups that other nodes share", lambda one: one.groups_elsewhere),
)
_OF_AUTHORITY: Final[tuple[tuple[str, str, Callable[[NamespaceSync], int]], ...]] = (
    ("sync_members", "Members, the authority left out; told by it", lambda one: one.members),
    ("sync_members_behind", "Members that have not applied its epoch", lambda one: one.members_behind),
)
_COUNTERS: Final[tuple[tuple[str, str, Callable[[NamespaceSync], int]], ...]] = (
    ("sync_epochs_applied", "Epochs that were applied", lambda one: one.applied),
    ("sync_epochs_published", "Epochs that were published", lambda one: one.published),
    ("sync_received_bytes", "Bytes of what came", lambda one: one.bytes_in),
    ("sync_sent_bytes", "Bytes of what was sent", lambda one: one.bytes_out),
    ("sync_page_requests", "How often a page was asked for", lambda one: one.page_requests),
)


def sync(measured: "Measured") -> Iterator[Metric]:
    """All of them; nothing where no namespace is synced."""
    yield from of_sync(measured.around.sync_board.standings(), measured.around.watch.withheld())


def of_sync(standings: Sequence[NamespaceSync], withheld: Collection[str]) -> Iterator[Metric]:
    """The same of how each namespace stands; `withheld`: those of which nobody is recognised."""
    if not standings:
        return
    yield gauge(
        "sync_state",
        "1 for how the namespace's sync stands, 0 for the other states",
        (*_LABELS, "state"),
        (((one.namespace, state), float(one.state == state)) for one in standings for state in SyncState),
    )
    yield gauge(
        "sync_role",
        "1; what this node is to the namespace",
        (*_LABELS, "role"),
        (((one.namespace, one.role), 1) for one in standings),
    )
    yield gauge(
        "sync_trouble",
        "1 while a person should look at the namespace's sync",
        _LABELS,
        (((one.namespace,), float(bool(remark(one)))) for one in standings),
    )
    for name, words, read in _GAUGES:
        yield gauge(name, words, _LABELS, (((one.namespace,), read(one)) for one in standings))
    yield from _age(standings)
    authorities = [one for one in standings if one.role is SyncRole.AUTHORITY]
    for name, words, read in _OF_AUTHORITY if authorities else ():
        yield gauge(name, words, _LABELS, (((one.namespace,), read(one)) for one in authorities))
    yield gauge(
        "sync_withheld",
        "1 while nobody of the namespace is recognised, because what is known is too old",
        _LABELS,
        (((one.namespace,), float(one.namespace in withheld)) for one in standings),
    )
    for name, words, read in _COUNTERS:
        yield counter(name, words, _LABELS, (((one.namespace,), read(one)) for one in standings))
    yield counter(
        "sync_refused",
        "What came and was not taken, by the reason",
        (*_LABELS, "reason"),
        (((one.namespace, str(why)), count) for one in standings for why, count in one.refused.items()),
    )


def _age(standings: Sequence[NamespaceSync]) -> Iterator[Metric]:
    yield gauge(
        "sync_age_seconds",
        "Since the authority last said that what is here is in force; absent where it never did",
        _LABELS,
        (((one.namespace,), one.age_ms / 1000) for one in standings if one.age_ms is not None),
    )
