"""Has a person told how the sync of the namespaces stands: in the log, the state and the status line."""

import logging
from collections.abc import Callable
from typing import Final

from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, SyncState
from edged.sync.board import SyncBoard
from edged.system.repeats import RepeatLimit

_LOG: Final = logging.getLogger(__name__)

QUIET: Final = frozenset({SyncState.IN_STEP, SyncState.BEHIND, SyncState.WAITING, SyncState.OLD})
"""States that end by themselves, or in which there is nothing to be done, unless there are words besides.

What is `old` has them where `sync.when_old` wants it told.
"""
AGAIN_EVERY_S: Final = 60.0
"""What goes to and fro is logged so often, with how many lines there would have been."""


def remark(standing: NamespaceSync) -> str:
    """What a person should look at, in words; empty where nothing is. One answer for all who tell of it."""
    return standing.trouble or ("" if standing.state in QUIET else str(standing.state))


class SyncWatch:
    """Called once a second by the main thread.

    Args:
        board: what is known of each namespace.
        tell: hears how each stands, every time; None: nobody does.
    """

    def __init__(self, board: SyncBoard, tell: Callable[[NamespaceSync, Moment], None] | None = None) -> None:
        self._board = board
        self._tell = tell
        self._logged: dict[str, tuple[SyncState, str]] = {}
        self._limit: RepeatLimit[tuple[str, SyncState]] = RepeatLimit(AGAIN_EVERY_S)

    def __call__(self, now: Moment) -> None:
        """Log what is news."""
        standings = self._board.standings()
        for standing in standings:
            if self._tell is not None:
                self._tell(standing, now)
            news = standing.state, standing.trouble
            if self._logged.get(standing.namespace) != news:
                self._logged[standing.namespace] = news
                self._log(standing, now)
        present = {standing.namespace for standing in standings}
        self._logged = {name: told for name, told in self._logged.items() if name in present}

    def remarks(self) -> list[str]:
        """What a person should look at, in words; any thread may ask."""
        return [
            f"sync of {standing.namespace}: {words}"
            for standing in self._board.standings()
            if (words := remark(standing))
        ]

    def _log(self, standing: NamespaceSync, now: Moment) -> None:
        held_back = self._limit.admit((standing.namespace, standing.state), now.steady_ms / 1000)
        if held_back is None:
            return
        level = logging.WARNING if remark(standing) else logging.INFO
        _LOG.log(
            level,
            "sync of %s: %s as %s, epoch %d%s%s",
            standing.namespace,
            standing.state,
            standing.role,
            standing.epoch,
            f": {standing.trouble}" if standing.trouble else "",
            f" ({held_back} such lines were held back)" if held_back else "",
        )
