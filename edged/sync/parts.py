"""What the participants of a node stand on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edged.domain.embedder import EmbedderInUse
from edged.replication.keys import NodeKeys
from edged.replication.topics import SyncTopics
from edged.settings.groups import Groups
from edged.settings.sync import Sync
from edged.store.namespace_store import NamespaceStore


class PageSource(Protocol):
    """Where pages come from besides the broker. Nothing here waits."""

    def want(self, sha256: str, size_bytes: int) -> None:
        """Begin to fetch a page; asking twice changes nothing."""
        ...

    def came(self) -> list[tuple[str, bytes | None]]:
        """What came since the last call: each with its bytes, unverified, or None where it failed."""
        ...


class PageShelf(Protocol):
    """Where the authority puts pages besides the broker: a folder that a web server shows."""

    def put(self, sha256: str, sealed: bytes) -> None:
        """Have a page lie there, whole and on the disk; raises StoreError."""
        ...

    def show_manifest(self, payload: bytes) -> None:
        """Have the manifest lie beside the pages, to look at; raises StoreError."""
        ...

    def keep_only(self, names: frozenset[str], now_ms: int) -> None:
        """Delete pages that are none of these, once their time is over."""
        ...


@dataclass(frozen=True, slots=True)
class NodeParts:
    """What all roles of one node in one namespace have in common.

    Attributes:
        namespace: which.
        node: this device's name in topics.
        keys: made of the node's seed; None where the seed is not here.
        topics: of the namespace.
        settings: the section `sync`.
        embedder: the one in use.
        run: a random id of this start.
        version: of edged.
        open_store: opens the namespace's database, for the calling thread.
        chance: gives so many bytes that nobody can guess.
        jitter: gives numbers from 0 to below 1, by chance.
        new_id: gives a fresh UUID.
        changed: to be called after people were changed: whoever holds the gallery looks at once.
        swept: after people were taken out and committed: clears log, snapshots and unsent messages of them;
            returns what could not be done, in words (nothing: all is done).
        reembed: embeds faces anew that have a crop and no vector of this node's model; None where that
            cannot be.
        mirror: where pages are fetched from first; None: the broker alone.
        shelf: where the authority puts pages besides; None: nowhere.
        groups: how groups of unknown people are kept on this node; None: it keeps none.
        keys_trouble: why `keys` cannot be made of what is here, and what to do; empty where nothing is here.
    """

    namespace: str
    node: str
    keys: NodeKeys | None
    topics: SyncTopics
    settings: Sync
    embedder: EmbedderInUse
    run: str
    version: str
    open_store: Callable[[], NamespaceStore]
    chance: Callable[[int], bytes]
    jitter: Callable[[], float]
    new_id: Callable[[], str]
    changed: Callable[[], None]
    swept: Callable[[NamespaceStore], list[str]]
    reembed: Callable[[NamespaceStore], None] | None = None
    mirror: PageSource | None = None
    shelf: PageShelf | None = None
    keys_trouble: str = ""
    groups: Groups | None = None

    @property
    def model_hash(self) -> str:
        """What tells this node's embeddings from those of other embedders."""
        return self.embedder.model_hash

    @property
    def wants_groups(self) -> bool:
        """Whether this node is set to share groups of unknown people, and keeps any."""
        return self.settings.groups and self.groups is not None
