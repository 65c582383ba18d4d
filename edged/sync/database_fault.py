"""A fault of the database: told once with what to do, left alone for a while, tried again, and over."""

import logging
import sqlite3
from pathlib import Path
from typing import Final

from edged.domain.errors import EdgedError, StoreError, StoreFault
from edged.domain.moment import Moment
from edged.store.faults import told_of

RESTS_MS: Final = (5_000, 5_000, 10_000, 20_000, 30_000)
"""Before the first attempt after a fault, the second, and so on; the last holds for all others.

An attempt at a database that is locked waits for it, and holds up all namespaces of this node meanwhile.
"""
PROOF_MS: Final = 5_000
"""A fault is over once it was tried again and nothing failed for so long: by then what was due was done."""
_SAY_AGAIN_MS: Final = 600_000
"""The same words are logged so often, where a fault comes and goes."""
_ALONE: Final = frozenset({StoreFault.LOCKED, StoreFault.FULL, StoreFault.BROKEN})
"""What may be over without anything being done in edged."""
_GOES_ON: Final = " It goes on by itself then."

_LOG: Final = logging.getLogger(__name__)


class DatabaseFault:
    """What one engine has to do with faults of a namespace's database.

    Args:
        subject: what does not go on, for the log.
    """

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._words = ""
        self._failures = 0
        self._is_of_database = False
        self._rest_until_ms = 0
        self._logged = ""
        self._logged_ms = 0
        self.is_resting = False
        """As of the last time that it was asked."""

    @property
    def words(self) -> str:
        """What is wrong and what to do, from the fault on until it is over; empty where nothing is."""
        return self._words

    def failed(self, error: Exception, now: Moment, path: Path | None) -> None:
        """The database at `path` did not do what it was to do, or something else stands in the way."""
        if isinstance(error, sqlite3.DatabaseError) and path is not None:
            error = told_of(path, error)
        self._words = _words_of(error)
        self._is_of_database = isinstance(error, StoreError | sqlite3.Error)
        # What is only looked up costs nothing.
        rest_ms = RESTS_MS[min(self._failures, len(RESTS_MS) - 1) if self._is_of_database else 0]
        self._failures += 1
        self._rest_until_ms, self.is_resting = now.steady_ms + rest_ms, True
        if self._words != self._logged or now.steady_ms - self._logged_ms >= _SAY_AGAIN_MS:
            self._logged, self._logged_ms = self._words, now.steady_ms
            _LOG.error("%s for now: %s", self._subject, self._words)

    def has_begun(self) -> None:
        """An engine was made: what else stood in its way, a key that was missing, is over at once."""
        if not self._is_of_database:
            self._words, self._failures = "", 0

    def rests(self, now: Moment) -> bool:
        """Whether the database is still left alone. A fault that did not come again is forgotten."""
        self.is_resting = bool(self._failures) and now.steady_ms < self._rest_until_ms
        if self._failures and now.steady_ms >= self._rest_until_ms + PROOF_MS:
            self._words, self._failures = "", 0
        return self.is_resting


def _words_of(error: Exception) -> str:
    if not isinstance(error, EdgedError):
        return str(error)
    words = f"{error.what}. {error.remedy}" if error.remedy else error.what
    goes_on = isinstance(error, StoreError) and error.fault in _ALONE and error.remedy
    return words + _GOES_ON if goes_on else words
