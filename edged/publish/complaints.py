"""Saying once what goes wrong many times."""

import logging
from typing import Final

from edged.domain.moment import Clock

REMINDER_MS: Final = 15 * 60 * 1000


class Complaints:
    """Logs a trouble when it begins, when it changes, and every quarter of an hour; and its end, once."""

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._trouble = ""
        self._told_ms = 0
        self._times = 0

    def tell(self, trouble: str, *, level: int = logging.WARNING) -> None:
        """Note the trouble."""
        now_ms = self._clock.moment().steady_ms
        self._times += 1
        if trouble != self._trouble:
            self._log.log(level, "%s", trouble)
        elif now_ms - self._told_ms >= REMINDER_MS:
            self._log.log(level, "%s (still; %d times by now)", trouble, self._times)
        else:
            return
        self._trouble = trouble
        self._told_ms = now_ms

    def settle(self, relief: str) -> None:
        """Note that all is well; logged only where something was wrong."""
        if self._trouble:
            self._log.info("%s (tries that had failed: %d)", relief, self._times)
        self._trouble = ""
        self._times = 0
