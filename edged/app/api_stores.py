"""The namespaces' databases, as the threads that serve the API use them."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edged.api.problem import Code, Problem
from edged.domain.errors import StoreError
from edged.domain.moment import Clock
from edged.store.faults import translated
from edged.store.history_store import HistoryStore
from edged.store.namespace_files import file_of, namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key

_LOG: Final = logging.getLogger(__name__)


@contextmanager
def stored() -> Iterator[None]:
    """A fault of a database in the body becomes a Problem (503) for whoever asked."""
    try:
        yield
    except StoreError as error:
        _LOG.error("A request was not served: %s", error)
        raise Problem(
            Code.UNAVAILABLE, "nothing can be read or written now; ask again later", retry_after_s=5
        ) from error


class ApiStores:
    """Opens each namespace once a thread, because a connection belongs to the thread that opened it.

    A database may be exchanged or vanish while the daemon runs: then it is opened anew.
    """

    def __init__(
        self, data_dir: Path, clock: Clock, new_id: Callable[[], str], key: Key | None = None
    ) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._new_id = new_id
        self._key = key
        self._of_thread = threading.local()

    @contextmanager
    def of(self, namespace: str) -> Iterator[HistoryStore]:
        """The namespace's database; a fault of it becomes a Problem (503) for whoever asked."""
        path = namespace_path(self._data_dir, namespace)
        with stored():
            try:
                yield HistoryStore(self._opened(path))
            except StoreError:
                self._let_go(path)
                raise

    def _opened(self, path: Path) -> NamespaceStore:
        stores = self._stores()
        store, file = stores.get(path, (None, None))
        with translated(path):
            is_present = store is not None and file_of(path) == file
        if store is None or not is_present:
            self._let_go(path)
            store = NamespaceStore.open(path, self._clock, self._new_id, key=self._key)
            with translated(path):
                stores[path] = store, file_of(path)
        return store

    def _let_go(self, path: Path) -> None:
        store, _ = self._stores().pop(path, (None, None))
        if store is not None:
            store.close()

    def _stores(self) -> "dict[Path, tuple[NamespaceStore, tuple[int, int] | None]]":
        stores = getattr(self._of_thread, "stores", None)
        if stores is None:
            stores = self._of_thread.stores = {}
        return stores
