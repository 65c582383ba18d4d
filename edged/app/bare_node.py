"""A node without cameras: keeps namespaces, and has them the same elsewhere. `edged authority` runs it."""

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edged.app.absolute_paths import with_absolute_paths
from edged.app.chosen_models import with_chosen_embedder
from edged.app.configuration import Loaded
from edged.app.daemon import prepared_data_dir
from edged.app.encryption import bring_into_force, configured_key
from edged.app.erasing import follow_up
from edged.app.heartbeats import Heart, Heartbeats
from edged.app.sync_reembedding import BackgroundReembedding, background_reembedding
from edged.app.sync_told import SyncTeller
from edged.app.sync_watch import SyncWatch
from edged.app.syncing import SyncGround, Syncing, broker_of
from edged.delivery.route import routes_of
from edged.domain.embedder import EmbedderInUse
from edged.domain.identity import GalleryChange
from edged.domain.moment import Clock
from edged.settings.root import Settings
from edged.store.erasures import Erasures
from edged.store.gallery_watch import GalleryWatch
from edged.store.namespace_files import namespace_path, namespaces_in
from edged.store.outbox import Outbox
from edged.store.sealing import EncryptionKey
from edged.sync.board import SyncBoard
from edged.system.boot import boot_id
from edged.system.chance import new_id
from edged.system.clock import SystemClock
from edged.system.lock import FolderLock
from edged.system.service_manager import ServiceManager
from edged.system.signals import SignalInbox

if TYPE_CHECKING:
    from edged.app.doors import Doors

TURN_S: Final = 0.25
LOOK_MS: Final = 1_000
STOP_SYNC_S: Final = 3.0
STOP_WATCH_S: Final = 1.0
STOP_DOORS_S: Final = 0.2
SILENT_AFTER_S: Final = 300.0

_LOG: Final = logging.getLogger(__name__)


def embedder_in_use(settings: Settings, data_dir: Path) -> EmbedderInUse:
    """The configuration's embedder, as its card has it; the model is not loaded.

    Raises ModelError, and StoreError where the data folder's choice cannot be read.
    """
    from edged.inference.card import EmbedderHead, embedding_hash  # noqa: PLC0415
    from edged.inference.catalogue import Catalogue, head_of  # noqa: PLC0415
    from edged.inference.runtime import find_runtime  # noqa: PLC0415

    chosen = with_chosen_embedder(settings.models, data_dir)
    card = Catalogue(chosen.directory).embedder_for(chosen.embedder, find_runtime().name)
    return EmbedderInUse(embedding_hash(card), head_of(card, EmbedderHead).size)


class _Nobody:
    """Holds no galleries: nobody is recognised here."""

    def apply(self, namespace: str, change: GalleryChange) -> None:
        """Nothing to take over."""

    def replace(self, namespace: str, change: GalleryChange) -> None:
        """Nothing to forget."""


class BareNode:
    """Runs the sync of a data folder until a signal ends it: no feeds, no models, no sink but the broker."""

    def __init__(self, loaded: Loaded, *, clock: Clock | None = None) -> None:
        self._loaded = loaded
        self._settings = with_absolute_paths(loaded.settings, loaded.base_dir)
        self._clock = clock or SystemClock()
        self._manager = ServiceManager(os.environ)
        self._board = SyncBoard()
        self._next_look_ms = 0
        self._next_beat_ms = 0

    def run(self) -> int:
        """Start, run and stop; returns 0 after a clean stop. Raises `EdgedError` when it cannot start."""
        broker_of(self._settings)
        data_dir = prepared_data_dir(self._loaded)
        with SignalInbox() as signals, FolderLock(data_dir):
            key = configured_key(self._settings.privacy)
            namespaces = namespaces_in(data_dir)
            bring_into_force(data_dir, namespaces, key, self._clock, new_id, lambda _: None)
            outbox = Outbox(data_dir, routes_of(self._settings.sinks))
            try:
                outbox.begin(self._clock.moment(), boot_id())
                follow_up(data_dir, outbox)
                device = self._settings.device or outbox.device_id(new_id)
                embedder = embedder_in_use(self._settings, data_dir)
                # It looks after the files: snapshots, recovery, what a removal leaves to be cleared.
                watch = GalleryWatch(
                    data_dir,
                    namespaces,
                    embedder.model_hash,
                    _Nobody(),
                    self._clock,
                    new_id,
                    key=key,
                    erasures=Erasures(outbox),
                )
                ground = SyncGround(
                    self._settings,
                    data_dir,
                    device,
                    embedder,
                    self._clock,
                    key,
                    outbox,
                    watch.wake,
                    self._reembedding(data_dir, embedder.model_hash, watch, key, namespaces),
                    keeps_groups=False,
                )
                syncing = Syncing(ground, self._board)
                is_clean = self._live(device, data_dir, watch, syncing, signals)
            finally:
                outbox.close()
        _LOG.info("Stopped")
        return 0 if is_clean else 1

    def _reembedding(
        self,
        data_dir: Path,
        model_hash: str,
        watch: GalleryWatch,
        key: EncryptionKey | None,
        namespaces: Sequence[str],
    ) -> BackgroundReembedding:
        """What a daemon does before it is ready is done meanwhile: nobody waits to be recognised here."""
        made = background_reembedding(
            self._settings.models, data_dir, model_hash, self._clock, new_id, watch.wake, key
        )
        for namespace in namespaces:
            made.look_at(namespace_path(data_dir, namespace))
        return made

    def _live(
        self, device: str, data_dir: Path, watch: GalleryWatch, syncing: Syncing, signals: SignalInbox
    ) -> bool:
        """Start, watch and stop the threads; whether they ended in time."""

        def hearts() -> Iterator[Heart]:
            yield Heart("sync", syncing.thread.beats, False, SILENT_AFTER_S, is_vital=True)
            yield Heart("gallery-watch", watch.beats, False, SILENT_AFTER_S)

        heartbeats = Heartbeats(hearts)
        doors = self._doors(data_dir, watch, heartbeats)
        watch.start()
        syncing.start()
        has_ended = True
        try:
            if doors is not None:
                doors.open()
            self._manager.ready("syncing")
            _LOG.info("Ready: no feeds, device %s, data in %s", device, data_dir)
            self._watch(heartbeats, SyncWatch(self._board, SyncTeller(data_dir)), signals, doors)
        finally:
            self._manager.stopping()
            if doors is not None:
                has_ended = doors.failure is None
                has_ended = doors.close(STOP_DOORS_S) and has_ended
            has_ended = syncing.stop(STOP_SYNC_S) and has_ended
            has_ended = watch.stop(STOP_WATCH_S) and has_ended
        return has_ended

    def _doors(self, data_dir: Path, watch: GalleryWatch, heartbeats: Heartbeats) -> "Doors | None":
        """Health and metrics, where the configuration has `http`; the API would need models."""
        settings = self._settings.http
        if settings is None:
            return None
        from edged.app.doors import Doors  # noqa: PLC0415 (only who serves has it in memory)

        def is_alive() -> bool:
            return not heartbeats.is_lost

        def metrics() -> bytes:
            from edged.app.metrics_bare import bare_exposition  # noqa: PLC0415

            return bare_exposition(data_dir, self._board.standings(), watch.withheld(), is_alive)

        if settings.clients:
            _LOG.warning("`http.clients`: the API is of `edged run` only; here are health and metrics")
        return Doors(
            settings,
            self._clock,
            alive=is_alive,
            troubles=lambda: heartbeats.wedged,
            metrics=metrics,
            api=None,
        )

    def _watch(
        self, heartbeats: Heartbeats, sync_watch: SyncWatch, signals: SignalInbox, doors: "Doors | None"
    ) -> None:
        while signals.wait(TURN_S) not in (signal.SIGTERM, signal.SIGINT):
            if doors is not None and doors.failure is not None:
                _LOG.error("The HTTP server ended by itself: edged ends too, to be started anew")
                return
            now = self._clock.moment()
            if now.steady_ms >= self._next_look_ms:
                self._next_look_ms = now.steady_ms + LOOK_MS
                sync_watch(now)
                self._manager.status("; ".join(sync_watch.remarks()) or self._all_well())
            heartbeats.look(now)
            interval_s = self._manager.watchdog_interval_s
            if interval_s is not None and now.steady_ms >= self._next_beat_ms and not heartbeats.is_lost:
                self._next_beat_ms = now.steady_ms + round(interval_s * 1000)
                self._manager.watchdog()

    def _all_well(self) -> str:
        standings = self._board.standings()
        words = [f"{one.namespace}: {one.role}, epoch {one.epoch}, {one.state}" for one in standings]
        return "; ".join(words) or "no namespace is synced"
