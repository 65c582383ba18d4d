"""Who is told what the thread that watches the namespaces sees."""

import sqlite3
from typing import Protocol

from edged.domain.group import GroupChange
from edged.domain.identity import GalleryChange


class Galleries(Protocol):
    """Whoever holds what is recognised against."""

    def apply(self, namespace: str, change: GalleryChange) -> None:
        """Take over what became of a namespace since the change before."""
        ...

    def replace(self, namespace: str, change: GalleryChange) -> None:
        """Forget what was known of a namespace; `change` is all of it."""
        ...


class Groups(Protocol):
    """Whoever holds the groups of unknown people."""

    def apply(self, namespace: str, change: GroupChange) -> None:
        """Take over what commands and retention did to a namespace's groups."""
        ...


class Erasures(Protocol):
    """Whoever takes removed people out of what is not sent yet."""

    def finish(self, namespace: str, connection: sqlite3.Connection) -> object:
        """Do it for all who were removed and are not taken out yet; raises `StoreError`."""
        ...
