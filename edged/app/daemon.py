"""The life of the daemon: start, watch, reload, stop."""

import logging
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from edged.app.absolute_paths import with_absolute_paths
from edged.app.composition import assemble
from edged.app.configuration import Loaded, load
from edged.app.data_dir import data_dir_of
from edged.app.machinery import Machinery
from edged.app.reembedding import Progress
from edged.domain.errors import EdgedError, StoreError
from edged.domain.message import Message
from edged.domain.moment import Clock, Moment
from edged.settings.reload import changes
from edged.settings.root import Settings
from edged.system.clock import SystemClock
from edged.system.lock import FolderLock
from edged.system.log import configure_logging
from edged.system.service_manager import ServiceManager
from edged.system.signals import SignalInbox
from edged.system.thermal import Heat

TURN_S: Final = 0.25
REPORT_MS: Final = 1000
"""How often the feeds' states are compared with what was told."""
PROGRESS_MS: Final = 2000
PATIENCE_S: Final = 60.0
"""How much longer systemd is asked to wait for the start, each time that there is progress."""
UPKEEP_MS: Final = 60_000
"""How often the outbox is searched for what is too old or too much."""

_LOG = logging.getLogger(__name__)


class Daemon:
    """Runs a configuration until a signal ends it.

    `on_commit` is called by the committing thread with every batch of messages that is safely on the disk;
    `sensors` reads the machine's heat, in place of the kernel's.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        clock: Clock | None = None,
        on_commit: Callable[[Sequence[Message]], None] | None = None,
        sensors: Callable[[], Heat] | None = None,
    ) -> None:
        self._loaded = loaded
        self._settings = with_absolute_paths(loaded.settings, loaded.base_dir)
        self._clock = clock or SystemClock()
        self._on_commit = on_commit
        self._sensors = sensors
        self._manager = ServiceManager(os.environ)
        self._next_report_ms = 0
        self._next_upkeep_ms = 0
        self._next_beat_ms = 0
        self._next_progress_ms = 0
        self._status = ""

    def run(self, *, exit_when_done: bool = False) -> int:
        """Start, run and stop; returns 0 after a clean stop, 1 when something was lost or had failed.

        Raises `EdgedError` when it cannot start. With `exit_when_done` it also ends when every feed has
        ended and every sink has what it can take.
        """
        for doubt in self._loaded.doubts:
            _LOG.warning("%s", doubt)
        data_dir = prepared_data_dir(self._loaded)
        with SignalInbox() as signals, FolderLock(data_dir):
            machinery = assemble(
                self._settings, data_dir, self._clock, self._on_commit, self._tell_progress, self._sensors
            )
            try:
                machinery.start()
                feeds = f"{len(self._settings.feeds)} feed{'s' if len(self._settings.feeds) > 1 else ''}"
                self._manager.ready(feeds)
                _LOG.info(
                    "Ready: %s, device %s, data in %s",
                    feeds,
                    machinery.device,
                    data_dir,
                )
                self._watch(machinery, signals, exit_when_done=exit_when_done)
            finally:
                self._manager.stopping()
                is_clean = machinery.stop()
        _LOG.info("Stopped")
        return 0 if is_clean and machinery.failure is None else 1

    def _watch(self, machinery: Machinery, signals: SignalInbox, *, exit_when_done: bool) -> None:
        """The main thread: until a signal, a failure, or the end of everything."""
        while True:
            received = signals.wait(TURN_S)
            if received in (signal.SIGTERM, signal.SIGINT):
                return
            if received == signal.SIGHUP:
                self._reload(machinery)
            if machinery.failure is not None:
                _LOG.critical("The daemon ends, because a part of it failed: %s", machinery.failure)
                return
            if machinery.is_unheard:
                return
            if exit_when_done and machinery.is_done():
                return
            self._turn(machinery, self._clock.moment())

    def _turn(self, machinery: Machinery, now: Moment) -> None:
        if now.steady_ms >= self._next_report_ms:
            self._next_report_ms = now.steady_ms + REPORT_MS
            machinery.go_round(now)
            machinery.report(now)
            self._tell_status(machinery.status_line(now))
        if now.steady_ms >= self._next_upkeep_ms:
            self._next_upkeep_ms = now.steady_ms + UPKEEP_MS
            machinery.upkeep(now)
        interval_s = self._manager.watchdog_interval_s
        progresses = machinery.makes_progress(now)
        if interval_s is not None and now.steady_ms >= self._next_beat_ms and progresses:
            self._next_beat_ms = now.steady_ms + round(interval_s * 1000)
            machinery.watchdog_beats += self._manager.watchdog()

    def _tell_progress(self, progress: Progress) -> None:
        """Say that the start takes longer, and how far it is: now and then, and when it is through."""
        now_ms = self._clock.moment().steady_ms
        if now_ms < self._next_progress_ms and progress.done < progress.total:
            return
        self._next_progress_ms = now_ms + PROGRESS_MS
        _LOG.info("%s: %s", progress.work, progress)
        self._manager.starting(f"{progress.work.lower()}: {progress}", PATIENCE_S)

    def _tell_status(self, status: str) -> None:
        if status != self._status:
            self._status = status
            self._manager.status(status)

    def _reload(self, machinery: Machinery) -> None:
        """Take over what can change, say what cannot; a wrong file changes nothing."""
        self._manager.reloading(self._clock.moment())
        try:
            found = changes(
                self._settings, with_absolute_paths(load(self._loaded.path).settings, self._loaded.base_dir)
            )
        except EdgedError as error:
            _LOG.error("The configuration was not reloaded, the old one stays: %s", error)
        else:
            self._take_over(machinery, found.settings)
            _LOG.info("Configuration reloaded; changed: %s", ", ".join(found.can) or "nothing")
            if found.needs_restart:
                _LOG.warning("These changes need a restart of the daemon: %s", ", ".join(found.needs_restart))
        self._manager.ready(self._status)

    def _take_over(self, machinery: Machinery, settings: Settings) -> None:
        self._settings = settings
        configure_logging(settings.log)
        machinery.configure(settings)


def prepared_data_dir(loaded: Loaded) -> Path:
    """The data folder of a configuration, made where it was not; raises `StoreError` where it cannot be."""
    folder = data_dir_of(loaded.settings.data_dir, loaded.base_dir)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the data folder {folder} cannot be made: {error.strerror}",
            remedy="set `data_dir` to a folder that the user edged runs as may write to",
        ) from None
    return folder
