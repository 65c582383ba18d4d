"""The open jobs of requests, and how they come to the disk: first into the outbox, then into the history."""

import logging
from collections.abc import Callable
from typing import Final

from edged.api.problem import Code, Problem
from edged.domain.backoff import Backoff
from edged.domain.errors import StoreError
from edged.domain.moment import Moment
from edged.pipeline.committer import Outbox
from edged.pipeline.open_request import Books, OpenRequest

RETRY_AFTER_S: Final = 10

_LOG: Final = logging.getLogger(__name__)


class RequestLedger:
    """Writes the open jobs down. Belongs to the clerk's thread, which alone changes `open`.

    What cannot be written is tried again, with a back-off, and said once. A job that is new has a `problem`
    then, and is refused: nobody was told yet that it was taken on.
    """

    def __init__(
        self, outbox: Outbox, books: Books, on_commit: Callable[[], None], jitter: Callable[[], float]
    ) -> None:
        self.open: dict[str, OpenRequest] = {}
        self._outbox = outbox
        self._books = books
        self._on_commit = on_commit
        self._jitter = jitter
        self._commits = _Tries("the outbox")
        self._saves = _Tries("the history")

    @property
    def is_stuck(self) -> bool:
        """Whether something cannot be written."""
        return self._commits.are_failing or self._saves.are_failing

    @property
    def unsaved_bytes(self) -> int:
        """What is held of results that are not in the history yet."""
        return sum(opened.unsaved_bytes for opened in self.open.values())

    def write(self, now: Moment, *, is_last: bool = False) -> None:
        """Write down what is due; at last, all there is, in one try."""
        self._tell(now, is_last=is_last)
        self._save(now, is_last=is_last)

    def due_ms(self) -> int | None:
        """When there is something to write, steady milliseconds; None where there is nothing."""
        dues = [max(opened.due_ms, self._commits.next_ms) for opened in self.open.values() if opened.has_news]
        if any(opened.is_unsaved for opened in self.open.values()):
            dues.append(self._saves.next_ms)
        return min(dues, default=None)

    def _tell(self, now: Moment, *, is_last: bool) -> None:
        due = [opened for opened in self.open.values() if opened.is_due(now) or (is_last and opened.has_news)]
        # A new job does not wait for a back-off to end: it is taken on now, or refused.
        may_try = is_last or now.steady_ms >= self._commits.next_ms
        if not may_try:
            due = [opened for opened in due if opened.told_at is None]
        if not due:
            return
        try:
            self._outbox.commit([opened.message(now) for opened in due], now)
        except StoreError as error:
            self._commits.failed(now, error, self._jitter())
            for opened in due:
                if opened.told_at is None:
                    self._refuse(opened)
            return
        self._commits.succeeded()
        for opened in due:
            opened.told(now)
        self._on_commit()

    def _save(self, now: Moment, *, is_last: bool) -> None:
        unsaved = [opened for opened in self.open.values() if opened.is_unsaved]
        # Of a new job, somebody waits to ask for it.
        if not is_last and now.steady_ms < self._saves.next_ms:
            unsaved = [opened for opened in unsaved if not opened.is_taken_on.is_set()]
        failure: StoreError | None = None
        for opened in unsaved:
            try:
                opened.save(self._books, now)
            except StoreError as error:
                failure = error
        if failure is not None:
            self._saves.failed(now, failure, self._jitter())
        elif unsaved and not any(opened.is_unsaved for opened in self.open.values()):
            self._saves.succeeded()
        for opened in unsaved:
            # On the disk it is, and will be found as soon as the history can be written.
            opened.is_taken_on.set()

    def _refuse(self, opened: OpenRequest) -> None:
        opened.problem = Problem(
            Code.UNAVAILABLE,
            "the request cannot be written down; the daemon's log says why",
            retry_after_s=RETRY_AFTER_S,
        )
        opened.is_taken_on.set()


class _Tries:
    """Tries to write to one place, and how long it is left alone after one that failed."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._backoff = Backoff(first_s=0.05, most_s=5.0)
        self.next_ms = 0

    @property
    def are_failing(self) -> bool:
        """Whether the last one failed."""
        return self._backoff.failures > 0

    def failed(self, now: Moment, error: StoreError, jitter: float) -> None:
        """It could not be written."""
        if not self.are_failing:
            _LOG.error(
                "Jobs of requests wait in memory, because %s cannot be written: %s", self._place, error
            )
        self.next_ms = now.steady_ms + max(round(self._backoff.failed(jitter) * 1000), 1)

    def succeeded(self) -> None:
        """It was written."""
        if self.are_failing:
            _LOG.warning("Jobs of requests can be written to %s again; nothing was lost", self._place)
            self._backoff.succeeded()
        self.next_ms = 0
