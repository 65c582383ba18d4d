"""Retention in all namespaces of a data folder, also those without a feed, and of features that are off."""

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edged.domain.errors import StoreError, StoreFault
from edged.domain.kept_time import Correction, KeptTime
from edged.domain.moment import Clock
from edged.settings.groups import Groups
from edged.settings.history import History
from edged.settings.privacy import Chips
from edged.store.api_store import FILE_NAME as API_FILE_NAME
from edged.store.api_store import ApiStore
from edged.store.chip_retention import sweep_chips
from edged.store.database import open_database
from edged.store.faults import is_there
from edged.store.group_retention import sweep_groups
from edged.store.history_retention import sweep_history
from edged.store.namespace_files import NAMESPACE_SCHEMA, namespace_path, namespaces_in
from edged.store.retention import Tally, give_back


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept, and for how long."""

    history: History
    groups: Groups
    chips: Chips


@dataclass(frozen=True, slots=True)
class Others:
    """What other threads look after, because they write there all the time.

    Attributes:
        history: namespaces whose jobs, faces and pictures are the historian's.
        groups: namespaces whose groups are the group keeper's.
        detections: whether detect jobs are the API's.
    """

    history: Collection[str] = ()
    groups: Collection[str] = ()
    detections: bool = False


class Sweeper:
    """One step of retention at a time; used by one thread. Files are open during a step only.

    A file that cannot be read or written does not keep the others from being looked after.
    """

    def __init__(self, data_dir: Path, limits: Limits, others: Others, clock: Clock, tally: Tally) -> None:
        self.limits = limits
        """May be exchanged at any time."""
        self._data_dir = data_dir
        self._others = others
        self._clock = clock
        self._time = KeptTime(clock.moment())
        self._tally = tally

    def step(self) -> bool:
        """Delete some of what is too old or too much; whether there may be more. Raises StoreError."""
        correction = self._time.look(self._clock.moment())
        is_more = False
        trouble: StoreError | None = None
        for namespace in namespaces_in(self._data_dir):
            try:
                is_more |= self._sweep(namespace, correction)
            except StoreError as error:
                # Whoever watches it may be exchanging it just now.
                if error.fault is not StoreFault.MISSING:
                    trouble = trouble or error
        if not self._others.detections:
            is_more |= self._sweep_detections(correction)
        if trouble is not None:
            raise trouble
        return is_more

    def _sweep(self, namespace: str, correction: Correction) -> bool:
        limits, is_more = self.limits, False
        path = namespace_path(self._data_dir, namespace)
        with closing(open_database(path, NAMESPACE_SCHEMA, may_create=False)) as file:
            if namespace not in self._others.history:
                is_more |= sweep_history(file, limits.history, correction, self._tally)
            if namespace not in self._others.groups:
                is_more |= sweep_groups(file, limits.groups, correction, self._tally)
            is_more |= sweep_chips(file, limits.chips, correction, self._tally)
            return give_back(file) or is_more

    def _sweep_detections(self, correction: Correction) -> bool:
        """What an API that is configured no more has left behind."""
        if not correction.is_known or not is_there(self._data_dir / API_FILE_NAME):
            return False
        with closing(ApiStore(self._data_dir)) as store:
            return store.sweep(self.limits.history.jobs, correction.now_ms)
