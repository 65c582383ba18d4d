"""The thread that works on the jobs of requests, from the disk to the models and back to the disk."""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from edged.domain.job import ImageStatus
from edged.domain.moment import Clock, Moment
from edged.pipeline.admission import Admission
from edged.pipeline.desk import DeskTask, PictureDesk
from edged.pipeline.fetchers import Fetchers, Wanted
from edged.pipeline.open_request import Books, OpenRequest
from edged.pipeline.picture import Manner, PictureWork, Tools
from edged.pipeline.picture_looker import ending
from edged.pipeline.request_ledger import RequestLedger

FRESH_WITHIN_MS: Final = 5000
"""How long a job waits for the people who were enrolled before it; then it goes on with those it has."""
_LOOK_MS: Final = 20
"""How often it looks whether they are there."""
_IDLE_MS: Final = 60_000

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """How it is seen to that a job knows who was enrolled before it.

    Attributes:
        stored: revision of a namespace's store now; called by whoever asks for a job; raises `StoreError`.
        known: revision of the gallery that faces are compared with.
        wake: has the stores looked at now.
    """

    stored: Callable[[str], int]
    known: Callable[[str], int]
    wake: Callable[[], None]


class RequestWorker(threading.Thread):
    """Has the pictures of jobs fetched and looked at, and their results written down.

    Other threads only `post` to it.

    Args:
        max_bytes: of results that may wait to be written down before no further picture is looked at.
        manner: how pictures are looked at; may be set at any time.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        tools: Tools,
        manner: Manner,
        desk: PictureDesk,
        fetchers: Fetchers,
        admission: Admission,
        ledger: RequestLedger,
        books: Books,
        enrolled: Enrolled,
        clock: Clock,
    ) -> None:
        super().__init__(name="request-clerk", daemon=True)
        self.manner = manner
        self._max_bytes = max_bytes
        self._tools = tools
        self._desk = desk
        self._fetchers = fetchers
        self._admission = admission
        self._ledger = ledger
        self._books = books
        self._enrolled = enrolled
        self._clock = clock
        self._changed = threading.Condition()
        self._inbox: deque[Callable[[], None]] = deque()
        """What others have for the thread to do."""
        self._is_stopping = False
        self.beats = 0
        """Counts the turns of the thread: whoever watches sees that it goes on."""
        self._images: Counter[str] = Counter()
        self.failure: BaseException | None = None
        """Set when the thread ended by a fault of edged itself."""

    # --- for other threads

    def take_on(self, opened: OpenRequest) -> bool:
        """Hand a job over, and wait until it is on the disk or `problem` says why not; False at the end."""
        if not self._post(partial(self._begin, opened)):
            return False
        # The thread answers all that it was handed, whatever happens to it.
        opened.is_taken_on.wait()
        return True

    def finish(self) -> None:
        """Ask the thread to write down what is known, and to end; `join` waits for it."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    @property
    def images(self) -> dict[str, int]:
        """Pictures that are done since the start, by status."""
        with self._changed:
            return dict(self._images)

    @property
    def oldest(self) -> Moment | None:
        """When the oldest open job was begun; None where none is open."""
        with self._changed:
            return min((opened.begun for opened in self._ledger.open.values()), default=None)

    @property
    def is_idle(self) -> bool:
        """Whether no job is open."""
        with self._changed:
            return not self._ledger.open and not self._inbox

    def _post(self, news: Callable[[], None]) -> bool:
        with self._changed:
            if self._is_stopping or not self.is_alive():
                return False
            self._inbox.append(news)
            self._changed.notify_all()
            return True

    # --- the thread

    def run(self) -> None:
        """The thread: until `stop`."""
        try:
            while not self._is_stopping:
                self._wait()
                self.beats += 1
                self._turn()
            self._read_inbox()
            self._ledger.write(self._clock.moment(), is_last=True)
        except Exception as error:  # noqa: BLE001 - the thread's top: whatever it is, the main thread is told
            _LOG.exception("Requests are no longer worked on")
            self.failure = error
        finally:
            self._end()

    def _wait(self) -> None:
        """Until there is news, or something is due."""
        now_ms = self._clock.moment().steady_ms
        dues = [now_ms + _IDLE_MS, self._ledger.due_ms()]
        if any(opened.data for opened in self._ledger.open.values()):
            # They wait for people who were just enrolled.
            dues.append(now_ms + _LOOK_MS)
        wait_ms = min(due for due in dues if due is not None) - now_ms
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or len(self._inbox) > 0, max(wait_ms, 0) / 1000)

    def _turn(self) -> None:
        self._read_inbox()
        now = self._clock.moment()
        self._ledger.write(now)
        self._desk.hold(is_held=self._ledger.is_stuck and self._ledger.unsaved_bytes > self._max_bytes)
        for opened in list(self._ledger.open.values()):
            if opened.is_over or opened.problem is not None:
                with self._changed:
                    del self._ledger.open[opened.job.id]
            else:
                self._hand_out(opened, now)

    def _read_inbox(self) -> None:
        while True:
            with self._changed:
                if not self._inbox:
                    return
                news = self._inbox.popleft()
            news()

    def _end(self) -> None:
        """Whoever still waits is told that nothing comes of it; open jobs are closed at the next start."""
        with self._changed:
            self._is_stopping = True
        self._read_inbox()
        for opened in self._ledger.open.values():
            if opened.told_at is None and opened.problem is None:
                opened.problem = ending()
            opened.is_taken_on.set()
        if self._books.history is not None:
            self._books.history.close()

    # --- news, in the thread

    def _begin(self, opened: OpenRequest) -> None:
        with self._changed:
            self._ledger.open[opened.job.id] = opened

    def _fetched(self, opened: OpenRequest, number: int, data: bytes) -> None:
        opened.data[number] = data

    def _done(self, opened: OpenRequest, number: int, size: int, result: Any) -> None:
        opened.settle(number, result)
        self._finished(size, ImageStatus.COMPLETED_SUCCESSFULLY)

    def _failed(self, opened: OpenRequest, number: int, size: int, status: ImageStatus) -> None:
        opened.fail(number, status)
        self._finished(size, status)

    def _finished(self, size: int, status: ImageStatus) -> None:
        self._admission.release(size)
        self._admission.finished()
        with self._changed:
            self._images[status.value] += 1

    # --- work, handed out by the thread

    def _hand_out(self, opened: OpenRequest, now: Moment) -> None:
        if opened.told_at is None:
            return
        to_fetch, opened.to_fetch = opened.to_fetch, []
        for number in to_fetch:
            self._fetch(opened, number)
        if opened.data and self._is_fresh(opened, now.steady_ms):
            data, opened.data = opened.data, {}
            for number, picture in data.items():
                self._look(opened, number, picture)

    def _is_fresh(self, opened: OpenRequest, now_ms: int) -> bool:
        """Whether the people who were enrolled before the job are known, or were waited for long enough."""
        if self._enrolled.known(opened.namespace) >= opened.revision:
            return True
        if now_ms - opened.begun.steady_ms < FRESH_WITHIN_MS:
            return False
        _LOG.warning("Job %s is worked on without those who were enrolled last", opened.job.id)
        opened.revision = 0
        return True

    def _fetch(self, opened: OpenRequest, number: int) -> None:
        def done(data: bytes) -> None:
            self._post(partial(self._fetched, opened, number, data))

        def failed(reason: str) -> None:
            _LOG.debug("Picture %d of job %s was not fetched: %s", number + 1, opened.job.id, reason)
            self._post(partial(self._failed, opened, number, 0, ImageStatus.IMAGE_DOWNLOAD_ERROR))

        self._fetchers.put(Wanted(opened.job.id, opened.pictures[number].url or "", done, failed))

    def _look(self, opened: OpenRequest, number: int, data: bytes) -> None:
        name, size = f"picture {number + 1} of job {opened.job.id}", len(data)
        work = PictureWork(self._tools, self.manner, data, name)

        def failed(error: Exception) -> None:
            _LOG.debug("%s was not looked at: %s", name, error)
            self._post(partial(self._failed, opened, number, size, work.status_of(error)))

        def done(result: Any) -> None:
            self._post(partial(self._done, opened, number, size, result))

        # A closed desk does nothing any more: the job is closed at the next start.
        self._desk.put(DeskTask(opened.job.id, partial(opened.steps, number, work), done, failed))
