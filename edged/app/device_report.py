"""Tells how the machine and the daemon on it are: at once what changed, the figures now and then."""

import logging
from collections.abc import Callable, Iterable
from typing import Final

from edged import __version__
from edged.app.governing import Governing
from edged.app.sync_watch import remark
from edged.domain.device_state import DeviceState, SyncNote
from edged.domain.errors import StoreError
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync

TELL_EVERY_MS: Final = 10_000

_LOG = logging.getLogger(__name__)


class DeviceReport:
    """Called once a second by the main thread.

    Args:
        device: its id.
        governing: knows heat and load.
        waiting: messages that a sink has not got yet; raises `StoreError`.
        trouble: what a person should look at, in words.
        tell: is given each state that is to be told.
        sync: how each synced namespace stands.
    """

    def __init__(
        self,
        device: str,
        governing: Governing,
        waiting: Callable[[], int],
        trouble: Callable[[], str],
        tell: Callable[[DeviceState], None],
        sync: Callable[[], Iterable[NamespaceSync]] = tuple,
    ) -> None:
        self._device = device
        self._governing = governing
        self._waiting = waiting
        self._trouble = trouble
        self._tell = tell
        self._sync = sync
        self._told: DeviceState | None = None
        self._told_ms = 0
        self._waited = 0

    def __call__(self, now: Moment) -> None:
        """Tell what is news, or what has not been told for long."""
        is_due = self._told is None or now.steady_ms - self._told_ms >= TELL_EVERY_MS
        if is_due:
            self._count_waiting()
        state = self._state(now)
        if is_due or self._told is None or _news_of(state) != _news_of(self._told):
            self._told, self._told_ms = state, now.steady_ms
            self._tell(state)

    def _state(self, now: Moment) -> DeviceState:
        heat = self._governing.heat
        return DeviceState(
            device=self._device,
            version=__version__,
            temperature_c=None if heat.celsius is None else round(heat.celsius, 1),
            throttled=bool(heat.throttled),
            slowed=self._governing.slowed,
            load=round(self._governing.load, 3),
            waiting=self._waited,
            trouble=self._trouble(),
            sync={one.namespace: _note_of(one) for one in self._sync()} or None,
            at=now.utc_ms,
        )

    def _count_waiting(self) -> None:
        """What cannot be counted stays as it was: that the outbox cannot be read is told as trouble."""
        try:
            self._waited = self._waiting()
        except StoreError as error:
            _LOG.error("The messages that wait cannot be counted: %s", error)


def _news_of(state: DeviceState) -> tuple[object, ...]:
    """What a reader would want to know at once."""
    sync = {
        namespace: (note.role, note.state, note.epoch, note.trouble)
        for namespace, note in (state.sync or {}).items()
    }
    return state.throttled, state.slowed, state.trouble, sync


def _note_of(standing: NamespaceSync) -> SyncNote:
    return SyncNote(
        role=standing.role,
        state=standing.state,
        epoch=standing.epoch,
        seen_epoch=standing.seen_epoch,
        age_s=None if standing.age_ms is None else max(0, standing.age_ms) // 1000,
        pages_missing=standing.pages_missing,
        proposals=standing.proposals,
        members=standing.members,
        members_behind=standing.members_behind,
        trouble=remark(standing),
    )
