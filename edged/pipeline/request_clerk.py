"""The clerk of requests: takes them on, has their pictures fetched and looked at, and tells of their jobs."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edged.api.answers import DetectJob
from edged.api.detect_job import DetectRequestJob
from edged.api.request_job import AskedPicture, RequestJob, asked_pictures
from edged.api.requests import DetectRequest, ImageItem, RecognizeRequest
from edged.domain.errors import StoreError
from edged.domain.face import Chip, Embedding
from edged.domain.job import Job
from edged.domain.message import Reply
from edged.domain.moment import Clock
from edged.pipeline.admission import Admission
from edged.pipeline.committer import Outbox
from edged.pipeline.desk import PictureDesk
from edged.pipeline.fetchers import Fetcher, Fetchers
from edged.pipeline.open_request import Books, OpenDetection, OpenRecognition, OpenRequest, without_bytes
from edged.pipeline.picture import Manner, PictureLook, Tools
from edged.pipeline.picture_looker import PictureLooker, ending
from edged.pipeline.request_ledger import RequestLedger
from edged.pipeline.request_worker import Enrolled, RequestWorker
from edged.settings.requests import Requests

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of requests since the start, and what waits.

    Attributes:
        accepted, refused: requests.
        images: pictures of jobs that are done, by status.
        waiting: pictures that are not done.
        waiting_bytes: held of them, compressed.
        oldest_ms: age of the oldest open job; 0 where none is open.
    """

    accepted: int
    refused: int
    images: dict[str, int]
    waiting: int
    waiting_bytes: int
    oldest_ms: int


class RequestClerk:
    """Owns the jobs of requests, from the moment that they are on the disk until they are told to the end.

    A job that was taken on is not lost: while the outbox or the history cannot be written, its results wait
    in memory, within bounds, and it is said. Open jobs of a daemon that ends stay open in the outbox, which
    closes them at the next start.

    Args:
        settings: bounds.
        tools: of the recogniser's thread.
        manner: how pictures are looked at; `configure` changes it.
        desk: in front of that thread.
        fetcher: fetches pictures.
        outbox: takes what is told.
        books: take it too, to be asked for.
        enrolled: who is.
        on_commit: called after each commit; wakes the sinks.
        jitter: a number from 0 to below 1, by chance.
        new_id: a random UUID.
    """

    def __init__(
        self,
        *,
        settings: Requests,
        tools: Tools,
        manner: Manner,
        desk: PictureDesk,
        fetcher: Fetcher,
        outbox: Outbox,
        books: Books,
        enrolled: Enrolled,
        on_commit: Callable[[], None],
        clock: Clock,
        jitter: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._tools = tools
        self._desk = desk
        self._enrolled = enrolled
        self._clock = clock
        self._new_id = new_id
        self._admission = Admission(settings, clock)
        self._fetchers = Fetchers(fetcher, self._admission)
        self._looker = PictureLooker(tools, desk, self._fetchers, self._admission, new_id)
        self._ledger = RequestLedger(outbox, books, on_commit, jitter)
        self._worker = RequestWorker(
            max_bytes=settings.max_bytes,
            tools=tools,
            manner=manner,
            desk=desk,
            fetchers=self._fetchers,
            admission=self._admission,
            ledger=self._ledger,
            books=books,
            enrolled=enrolled,
            clock=clock,
        )
        self._lock = threading.Lock()
        self._accepted = 0

    def start(self) -> None:
        """Begin to work."""
        self._fetchers.start()
        self._worker.start()

    def stop(self, timeout_s: float) -> bool:
        """Take nothing on any more, tell what is known, and end; False where that took too long."""
        self._worker.finish()
        self._desk.close()
        self._admission.close()
        self._fetchers.close()
        self._looker.close()
        if self._worker.ident is not None:
            self._worker.join(timeout_s)
        return not self._worker.is_alive()

    # --- for whoever asks; any thread

    def recognize(
        self,
        namespace: str,
        request: RecognizeRequest,
        *,
        client_id: str = "",
        recipients: tuple[str, ...] = (),
        reply: Reply | None = None,
    ) -> Job:
        """Take a request on; returns the job as it begins, once it is on the disk.

        Raises Problem: 400 for a picture that has not one of url and blob, 413 where the pictures never fit,
        429 where they do not fit now, 503 where nothing can be written or the daemon ends.
        """
        job_id, begun = self._new_id(), self._clock.moment()
        pictures = asked_pictures(request.images, job_id, request.feed_id, self._tools.addresses)
        job = RequestJob(
            request,
            pictures,
            job_id=job_id,
            namespace=namespace,
            device=self._tools.addresses.device,
            at=begun,
        )
        first = job.telling(begun)
        opened = OpenRecognition(
            pictures=without_bytes(pictures),
            data=_bytes_of(pictures),
            to_fetch=_to_fetch(pictures),
            recipients=recipients,
            reply=reply,
            client_id=client_id,
            feed_id=request.feed_id,
            begun=begun,
            revision=self._revision_to_know(namespace),
            recognition=job,
        )
        self._take_on(opened)
        return first

    def detect(
        self, client_id: str, request: DetectRequest, *, recipients: tuple[str, ...] = ()
    ) -> DetectJob:
        """Take a request on, as `recognize` does; Problem 400 also for classes that are not installed."""
        job_id, begun = self._new_id(), self._clock.moment()
        pictures = asked_pictures(request.images, job_id, request.feed_id, self._tools.addresses)
        job = DetectRequestJob(
            request, pictures, job_id=job_id, device=self._tools.addresses.device, at=begun
        )
        first = job.telling(begun)
        opened = OpenDetection(
            pictures=without_bytes(pictures),
            data=_bytes_of(pictures),
            to_fetch=_to_fetch(pictures),
            recipients=recipients,
            reply=None,
            client_id=client_id,
            feed_id=request.feed_id,
            begun=begun,
            detection=job,
            least_score=self._worker.manner.least_score,
        )
        self._take_on(opened)
        return first

    def looks(self, namespace: str, images: Sequence[ImageItem], timeout_s: float) -> list[PictureLook]:
        """See what could be enrolled of pictures, in their order; waits for it.

        Raises Problem: 409 for a picture that cannot be had or is none, else as `recognize`; 503 also where
        it takes too long.
        """
        return self._looker.looks(namespace, images, timeout_s, self._worker.manner)

    def embed(self, chips: Sequence[Chip], timeout_s: float) -> list[Embedding]:
        """Embed aligned crops, in their order; waits for it. Raises Problem as `looks`."""
        return self._looker.embed(chips, timeout_s)

    def configure(self, manner: Manner) -> None:
        """Look at pictures in another manner from now on."""
        self._worker.manner = manner

    def counts(self) -> Counts:
        """What became of requests, and what waits."""
        held, oldest, now = self._admission.held, self._worker.oldest, self._clock.moment()
        return Counts(
            accepted=self._accepted,
            refused=held.refused,
            images=self._worker.images,
            waiting=held.images,
            waiting_bytes=held.bytes,
            oldest_ms=max(now.steady_ms - oldest.steady_ms, 0) if oldest else 0,
        )

    @property
    def is_idle(self) -> bool:
        """Whether no job is open."""
        return self._worker.is_idle

    @property
    def beats(self) -> int:
        """Counts up with every turn of its thread: one that stands still is wedged."""
        return self._worker.beats

    @property
    def is_stuck(self) -> bool:
        """Whether the outbox or the history cannot be written."""
        return self._ledger.is_stuck

    @property
    def failure(self) -> BaseException | None:
        """Why the thread ended by a fault of edged itself; None while it goes on."""
        return self._worker.failure

    def _revision_to_know(self, namespace: str) -> int:
        try:
            revision = self._enrolled.stored(namespace)
        except StoreError as error:
            _LOG.error("Who is enrolled in namespace %s cannot be looked up: %s", namespace, error)
            return 0
        if revision > self._enrolled.known(namespace):
            self._enrolled.wake()
        return revision

    def _take_on(self, opened: OpenRequest) -> None:
        """Have a job worked on, once it is on the disk; raises Problem."""
        size = sum(map(len, opened.data.values()))
        self._admission.admit(len(opened.pictures), size)
        if not self._worker.take_on(opened):
            opened.problem = ending()
        if opened.problem is not None:
            self._admission.withdraw(len(opened.pictures), size)
            raise opened.problem
        with self._lock:
            self._accepted += 1


def _bytes_of(pictures: Iterable[AskedPicture]) -> dict[int, bytes]:
    return {number: picture.blob for number, picture in enumerate(pictures) if picture.blob is not None}


def _to_fetch(pictures: Iterable[AskedPicture]) -> list[int]:
    return [number for number, picture in enumerate(pictures) if picture.url is not None]
