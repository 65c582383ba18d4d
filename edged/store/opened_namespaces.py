"""The databases of several namespaces, as one thread of the daemon writes them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from edged.domain.moment import Clock
from edged.store.faults import is_there, translated
from edged.store.namespace_files import file_of, namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Key


class OpenedNamespaces:
    """Opens each when it is first needed, and anew where another file took its place."""

    def __init__(
        self,
        data_dir: Path,
        namespaces: Iterable[str],
        clock: Clock,
        new_id: Callable[[], str],
        key: Key | None = None,
    ) -> None:
        self._paths = {name: namespace_path(data_dir, name) for name in namespaces}
        self._clock = clock
        self._new_id = new_id
        self._key = key
        self._opened: dict[str, tuple[NamespaceStore, tuple[int, int] | None]] = {}

    def present(self) -> list[str]:
        """The namespaces that have a database; raises StoreError."""
        return [namespace for namespace, path in self._paths.items() if is_there(path)]

    def store(self, namespace: str) -> NamespaceStore:
        """The namespace's database, made where there is none; raises StoreError."""
        path = self._paths[namespace]
        if namespace in self._opened:
            store, file = self._opened[namespace]
            with translated(path):
                if file == file_of(path):
                    return store
            del self._opened[namespace]
            store.close()
        store = NamespaceStore.open(path, self._clock, self._new_id, key=self._key)
        with translated(path):
            self._opened[namespace] = store, file_of(path)
        return store

    def close(self) -> None:
        """Let go of the files."""
        for store, _ in self._opened.values():
            store.close()
        self._opened.clear()
