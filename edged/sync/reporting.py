"""When a member says how far it is: at every change, and now and then besides."""

from collections.abc import Callable
from typing import Final

import msgspec

from edged.replication.statements import Report

_LEAST_MS: Final = 500
"""Between two reports: many changes at once are one."""


class Reporting:
    """Decides whether a report is due. Times are steady.

    Args:
        every_ms: a report that changed nothing is sent so often.
        jitter: gives numbers from 0 to below 1, by chance: many nodes do not speak at once.
    """

    def __init__(self, every_ms: int, jitter: Callable[[], float]) -> None:
        self._every_ms = every_ms
        self._jitter = jitter
        self._said: Report | None = None
        self._said_at_ms = 0
        self._next_ms = 0
        self._least_ms = 0

    def begin(self, steady_ms: int) -> None:
        """A connection is there: soon, not at once: first what waits there is read."""
        self._said = None
        self._least_ms = steady_ms + int(self._jitter() * _LEAST_MS)

    def at_ms(self, utc_ms: int) -> int:
        """The time of the next report: now, or later than of the last one where the clock was set back."""
        return max(utc_ms, self._said_at_ms + 1)

    def is_due(self, report: Report, steady_ms: int) -> bool:
        """Whether this is to be said now; its time is no news."""
        if steady_ms < self._least_ms:
            return False
        is_news = self._said is None or msgspec.structs.replace(report, at=self._said.at) != self._said
        return is_news or steady_ms >= self._next_ms

    def said(self, report: Report, steady_ms: int) -> None:
        """It was sent."""
        self._said, self._said_at_ms = report, report.at
        self._least_ms = steady_ms + _LEAST_MS
        self._next_ms = steady_ms + int(self._every_ms * (0.9 + 0.1 * self._jitter()))
