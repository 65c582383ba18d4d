"""When Home Assistant is told of the feeds: after a connection, and after its own start."""

from collections.abc import Callable, Sequence
from typing import Final

from edged.delivery.announcement import Announcement

SUBSCRIBED_AFTER_MS: Final = 2000
"""It makes the entities and subscribes to their topics 0.7 to 1.3 s after it was told (measured with 2024.3.3
and 2026.2.3): a state that is not retained and comes in between is lost to it."""


class Announcer:
    """The times of the announcements. All calls are the sink's thread's.

    Args:
        announcements: what is told.
        jitter_ms: it waits for a random time up to this, so that not all devices speak at once.
        jitter: gives numbers from 0 to below 1, by chance.
    """

    def __init__(
        self, announcements: Sequence[Announcement], jitter_ms: int, jitter: Callable[[], float]
    ) -> None:
        self.has_announced = False
        """Whether it was told once since the start."""
        self._announcements = tuple(announcements)
        self._jitter_ms = jitter_ms
        self._jitter = jitter
        self._is_wanted = False
        self._due_ms: int | None = None
        self._states_due_ms: int | None = None

    def want(self) -> None:
        """Announce soon: there is a new connection, or Home Assistant has started."""
        self._is_wanted = True

    def is_due(self, now_ms: int) -> bool:
        """Whether to announce now."""
        if self._is_wanted and self._due_ms is None:
            self._due_ms = now_ms + int(self._jitter() * self._jitter_ms)
        self._is_wanted = False
        return self._due_ms is not None and now_ms >= self._due_ms

    def announce(self, now_ms: int) -> tuple[Announcement, ...]:
        """What is told, now that it is due."""
        self._due_ms = None
        self._states_due_ms = now_ms + SUBSCRIBED_AFTER_MS
        self.has_announced = True
        return self._announcements

    def are_states_due(self, now_ms: int) -> bool:
        """Whether all states are to be told again, once, for whoever subscribed after the announcement."""
        if self._states_due_ms is None or now_ms < self._states_due_ms:
            return False
        self._states_due_ms = None
        return True

    def disconnected(self) -> None:
        """What was due begins anew with the next connection."""
        self._is_wanted = False
        self._due_ms = self._states_due_ms = None
