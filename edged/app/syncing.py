"""Puts together what keeps namespaces in step with other nodes: its thread, and what commands need of it."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edged import __version__
from edged.app.sync_keys import node_keys
from edged.app.sync_reembedding import Reembedding
from edged.delivery.route import sink_id
from edged.domain.embedder import EmbedderInUse
from edged.domain.errors import ConfigurationError, EdgedError, StoreError
from edged.domain.moment import Clock
from edged.replication.keys import NodeKeys
from edged.replication.topics import SyncTopics
from edged.settings.groups import Groups
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.settings.sync import Sync
from edged.store.erasures import Erasures
from edged.store.faults import is_there
from edged.store.namespace_files import namespace_path, namespaces_in
from edged.store.namespace_store import NamespaceStore
from edged.store.outbox import Outbox
from edged.store.sealing import Key
from edged.sync.board import SyncBoard
from edged.sync.exchange import Exchange
from edged.sync.node import Node, engine_of
from edged.sync.parts import NodeParts, PageShelf, PageSource
from edged.sync.shelf import Shelf
from edged.sync.thread import SyncThread, run_until
from edged.system.chance import jitter, new_id, random_bytes

if TYPE_CHECKING:
    from edged.sync.mirror import Mirror


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class SyncGround:
    """What the sync of a data folder stands on.

    Attributes:
        settings: the whole configuration, its paths absolute; `sync` may be missing, which is its defaults.
        data_dir: where the namespaces are.
        device: this device's id.
        embedder: the one in use.
        clock: who knows the time.
        key: the one that pictures and embeddings are encrypted with.
        outbox: what is cleared of people who were taken out; None where there is none.
        changed: called after people were changed.
        reembedding: embeds faces anew that have a crop and no vector of this node's model; None where that
            cannot be: epochs of another model are not applied then.
        keeps_groups: this process groups unknown people, where the configuration has it so.
    """

    settings: Settings
    data_dir: Path
    device: str
    embedder: EmbedderInUse
    clock: Clock
    key: Key | None = None
    outbox: Outbox | None = None
    changed: Callable[[], None] = _nothing
    reembedding: Reembedding | None = None
    keeps_groups: bool = True

    @property
    def groups(self) -> Groups | None:
        """How groups of unknown people are kept; None where none are."""
        groups = self.settings.groups
        return groups if self.keeps_groups and groups.enabled else None

    @property
    def sync(self) -> Sync:
        """The section `sync`."""
        return self.settings.sync or Sync()


def broker_of(settings: Settings) -> MqttSink:
    """The sink whose broker carries the sync; raises ConfigurationError where it is not clear which."""
    wanted = settings.sync.broker if settings.sync else None
    sinks = [sink for sink in settings.sinks if isinstance(sink, MqttSink)]
    if wanted is not None:
        sinks = [sink for sink in sinks if sink_id(sink) == wanted]
        if not sinks:
            raise ConfigurationError(
                f"`sync.broker` names `{wanted}`, and no sink `mqtt` has that `id`",
                remedy="Name the `id` of a sink of the type `mqtt`.",
            )
    if not sinks:
        raise ConfigurationError(
            "the sync needs a broker, and there is no sink `mqtt`", remedy="Add a sink of the type `mqtt`."
        )
    if len(sinks) > 1:
        names = ", ".join(f"`{sink_id(sink)}`" for sink in sinks)
        raise ConfigurationError(
            f"it is not clear which broker carries the sync: there are {names}",
            remedy="Name one: `sync: {broker: ID}`.",
        )
    return sinks[0]


class Seats:
    """The namespaces of a data folder: also those that appear while it is looked at.

    A namespace that is not synced is there too, because a command may have it synced at any time.
    """

    def __init__(self, ground: SyncGround) -> None:
        self._ground = ground
        self._run = new_id()
        self._prefix = broker_of(ground.settings).prefix
        self._nodes: dict[str, Node] = {}
        self._mirrors: dict[str, Mirror] = {}

    def now(self) -> list[Node]:
        """Those there are now."""
        present = namespaces_in(self._ground.data_dir)
        self._nodes = {name: self._nodes.get(name) or self._made(name) for name in present}
        return list(self._nodes.values())

    def close(self) -> None:
        """Let go of the mirrors."""
        for mirror in self._mirrors.values():
            mirror.close()

    def _made(self, namespace: str) -> Node:
        return Node(namespace, partial(self._parts, namespace), engine_of)

    def _parts(self, namespace: str) -> NodeParts:
        ground = self._ground
        keys, keys_trouble = _keys_of(ground, namespace)
        return NodeParts(
            namespace=namespace,
            node=ground.device,
            keys=keys,
            keys_trouble=keys_trouble,
            topics=SyncTopics(self._prefix, namespace),
            settings=ground.sync,
            embedder=ground.embedder,
            run=self._run,
            version=__version__,
            open_store=partial(_opened, ground, namespace),
            chance=random_bytes,
            jitter=jitter,
            new_id=new_id,
            changed=ground.changed,
            swept=partial(_swept, ground, namespace),
            reembed=ground.reembedding,
            mirror=self._mirror(namespace),
            shelf=self._shelf(namespace),
            groups=ground.groups,
        )

    def _mirror(self, namespace: str) -> PageSource | None:
        """Where its pages are fetched from first; one for all engines that follow each other."""
        sync = self._ground.sync
        if sync.mirror is None:
            return None
        if namespace not in self._mirrors:
            # Threads, and TLS.
            from edged.sync.mirror import Mirror  # noqa: PLC0415

            self._mirrors[namespace] = Mirror(sync.mirror, namespace, sync.mirror_ca_file, self._ground.clock)
        return self._mirrors[namespace]

    def _shelf(self, namespace: str) -> PageShelf | None:
        sync = self._ground.sync
        if sync.export is None:
            return None
        return Shelf(Path(sync.export), namespace, round(sync.grace * 1000))


class Syncing:
    """The thread that keeps the namespaces of a data folder in step. `start` and `stop` are mirrored."""

    def __init__(self, ground: SyncGround, board: SyncBoard) -> None:
        self._seats = Seats(ground)
        self._reembedding = ground.reembedding
        self.thread = SyncThread(make_exchange(ground, board, self._seats), failed=board.fail)

    @property
    def wake(self) -> Callable[[], None]:
        """To be called by whoever has just changed a namespace; any thread may."""
        return self.thread.wake

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Leave the broker and end; False when that took too long."""
        has_ended = self.thread.stop(timeout_s)
        if self._reembedding is not None:
            has_ended = self._reembedding.stop(timeout_s) and has_ended
        self._seats.close()
        return has_ended


def make_exchange(ground: SyncGround, board: SyncBoard, seats: Seats) -> Exchange:
    """The exchange of a data folder, not connected yet; raises ConfigurationError for an unclear broker."""
    return Exchange(broker_of(ground.settings), ground.device, seats.now, board, ground.clock, jitter)


def exchange_until(
    ground: SyncGround, board: SyncBoard, is_done: Callable[[], bool], timeout_s: float
) -> bool:
    """Do what the daemon would do, in this thread, until something holds; False when the time was over.

    For commands where no daemon runs on the data folder: the caller holds its `FolderLock`, because two with
    the same name put each other out at the broker.
    """
    with closing(Seats(ground)) as seats, closing(make_exchange(ground, board, seats)) as exchange:
        return run_until(exchange, is_done, timeout_s, ground.clock)


def _keys_of(ground: SyncGround, namespace: str) -> tuple[NodeKeys | None, str]:
    """The node's keys; else None, and why a secret that is here is of no use, with what to do."""
    try:
        return node_keys(ground.settings.sync, ground.data_dir, namespace), ""
    except EdgedError as error:
        return None, f"{error.what}. {error.remedy}".rstrip()


def _opened(ground: SyncGround, namespace: str) -> NamespaceStore:
    path = namespace_path(ground.data_dir, namespace)
    if not is_there(path):
        raise StoreError(f"{path} is gone")
    return NamespaceStore.open(path, ground.clock, new_id, key=ground.key)


def _swept(ground: SyncGround, namespace: str, store: NamespaceStore) -> list[str]:
    """Clear log, snapshots and unsent messages of people who were taken out; what could not be, in words."""
    left = []
    try:
        if ground.outbox is not None:
            Erasures(ground.outbox).finish(namespace, store.connection)
    except StoreError as error:
        left.append(f"messages that wait may still name them: {error.what}")
    try:
        store.empty_log()
        store.snapshots.tidy(store.connection)
    except StoreError as error:
        left.append(f"copies of the database may still have them: {error.what}")
    return left
