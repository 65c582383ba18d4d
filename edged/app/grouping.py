"""Puts together what groups unknown people, or sees to it that nothing of them is kept."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError
from edged.domain.moment import Clock
from edged.pipeline.group_books import GroupBooks
from edged.pipeline.group_keeper import GroupKeeper
from edged.pipeline.ports import Models
from edged.pipeline.unknown_people import Grouping, UnknownPeople
from edged.recognition.calibration import Calibration
from edged.recognition.grouping import GroupBook
from edged.settings.feeds import Feed
from edged.settings.root import Settings
from edged.store.faults import is_there
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.retention import Tally
from edged.store.sealing import Key
from edged.system.chance import jitter, new_id
from edged.system.clock import SystemStopwatch

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GroupParts:
    """What groups the unknown people of all feeds.

    Attributes:
        books: owned by the recogniser's thread.
        keeper: writes down what comes of it.
        model_hash: SHA-256 (hex) of the embedder.
        calibration: of the embedder.
        keep_chips: whether aligned crops may be kept.
        records: what the keeper writes with.
    """

    books: GroupBooks
    keeper: GroupKeeper
    calibration: Calibration
    model_hash: str
    keep_chips: bool
    records: GroupRecords

    def configure(self, settings: Settings) -> None:
        """Take over what a reload may change."""
        self.books.similarity_offset = settings.recognition.similarity_offset
        self.records.settings = settings.groups

    def people_of(self, feed: Feed) -> UnknownPeople:
        """The unknown people of one feed."""
        return self.people(feed.namespace, feed.id)

    def people(self, namespace: str, feed_id: str) -> UnknownPeople:
        """The unknown people of a namespace, as they are seen at one feed, or in requests that name it."""
        grouping = Grouping(
            partial(self.books.of, namespace),
            partial(self.keeper.put, namespace),
            self.calibration,
            self.model_hash,
            self.keep_chips,
        )
        return UnknownPeople(feed_id, grouping)


def make_groups(
    settings: Settings,
    namespaces: Sequence[str],
    models: Models,
    data_dir: Path,
    clock: Clock,
    key: Key | None = None,
    tally: Tally | None = None,
) -> GroupParts | None:
    """The parts, of which none runs yet.

    None where groups are off, and then what was kept is deleted. Raises ModelError where the embedder is not
    calibrated.
    """
    wanted = settings.groups
    if not wanted.enabled:
        for namespace in namespaces:
            _delete_all(namespace, namespace_path(data_dir, namespace), clock)
        return None
    calibration = models.calibrated()
    books = GroupBooks(
        lambda: GroupBook(
            calibration,
            wanted.false_merge,
            most_groups=wanted.max_groups,
            new_visit_after_ms=round(wanted.new_visit_after * 1000),
        ),
        settings.recognition.similarity_offset,
    )
    records = GroupRecords(data_dir, namespaces, wanted, clock, new_id, key=key, tally=tally)
    return GroupParts(
        books,
        GroupKeeper(records, jitter, SystemStopwatch().wall_ns),
        calibration,
        models.embedder.model_hash,
        wanted.keep_chips,
        records,
    )


def _delete_all(namespace: str, path: Path, clock: Clock) -> None:
    try:
        if not is_there(path):
            return
        with NamespaceStore.open(path, clock, new_id) as store:
            groups = GroupStore(store)
            if everything := groups.groups():
                # What other nodes keep is theirs.
                warnings = groups.forget(everything, is_told=False)
                _LOG.warning(
                    "namespace %s: %d groups of unknown people were deleted, because `groups` is off%s",
                    namespace,
                    len(everything),
                    "".join(f"; {warning}" for warning in warnings),
                )
    except StoreError as error:
        _LOG.error("namespace %s: groups of unknown people are left: %s", namespace, error)
