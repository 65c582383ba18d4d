"""A request that is being worked on: its job, its pictures, and what of it is not written down yet."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import msgspec

from edged.api.answers import ClassObject, DetectJob
from edged.api.detect_job import DetectRequestJob, Found, objects_of
from edged.api.problem import Problem
from edged.api.request_job import AskedPicture, RequestJob, named_feed
from edged.domain.history import HistoryEntry, JobPicture, SeenFace
from edged.domain.job import ImageStatus, Job, JobStatus
from edged.domain.message import Message, MessageKind, Reply
from edged.domain.moment import Moment
from edged.pipeline.desk import Steps
from edged.pipeline.picture import PictureWork, Recognised

TELL_EVERY_MS: Final = 1000
"""Updates of a job that is in progress are at least so far apart."""


class RequestHistory(Protocol):
    """Keeps jobs of requests, their faces and pictures. Used by the clerk's thread alone."""

    def record(self, entries: Sequence[tuple[str, HistoryEntry]]) -> None:
        """Write down (namespace, telling); raises `StoreError`."""
        ...

    def close(self) -> None:
        """Let go of the files; never raises."""
        ...


class DetectHistory(Protocol):
    """Keeps detect jobs. Used by the clerk's thread, among others."""

    def record_detect(self, client_id: str, job: DetectJob, now_ms: int) -> None:
        """Write down a telling; raises `StoreError`."""
        ...


@dataclass(frozen=True, slots=True)
class Books:
    """Where jobs of requests are written down, beside the outbox; None where nobody could ask for them."""

    history: RequestHistory | None
    detections: DetectHistory | None


@dataclass(slots=True, eq=False)
class OpenRequest(ABC):
    """What all requests have in common. Owned by the clerk's thread, but for `is_taken_on` and `problem`.

    Attributes:
        pictures: without their bytes.
        data: bytes of pictures that are there, by number from 0, and wait for the desk.
        to_fetch: numbers of pictures that nobody was asked to fetch yet.
        recipients, reply, client_id: who is told and who asked, see `Message`.
        feed_id: as the request has it.
        begun: when it was taken on.
        revision: of the store, whose identities it has to know; 0 where it compares with nobody.
        is_taken_on: set when the job is on the disk, or `problem` says why it is not.
        told_at: when it was told last; None before it is on the disk.
        has_news: whether there is something to tell.
    """

    pictures: tuple[AskedPicture, ...]
    data: dict[int, bytes]
    to_fetch: list[int]
    recipients: tuple[str, ...]
    reply: Reply | None
    client_id: str
    feed_id: str | None
    begun: Moment
    revision: int = 0
    is_taken_on: threading.Event = field(default_factory=threading.Event)
    problem: Problem | None = None
    told_at: Moment | None = None
    has_news: bool = True

    @property
    @abstractmethod
    def job(self) -> RequestJob | DetectRequestJob:
        """The job."""

    @property
    @abstractmethod
    def namespace(self) -> str:
        """Where it looks; empty where it compares with nobody."""

    @property
    @abstractmethod
    def is_unsaved(self) -> bool:
        """Whether a telling is not written down beside the outbox yet."""

    @property
    def unsaved_bytes(self) -> int:
        """What is held of its results."""
        return 0

    @property
    def is_over(self) -> bool:
        """Whether everything is told and written down."""
        return self.job.is_done and not self.has_news and not self.is_unsaved

    def is_due(self, now: Moment) -> bool:
        """Whether it is to be told now: at first, at last, and not too often meanwhile."""
        return self.has_news and now.steady_ms >= self.due_ms

    @property
    def due_ms(self) -> int:
        """When its news may be told, steady milliseconds."""
        if self.told_at is None or self.job.is_done:
            return 0
        return self.told_at.steady_ms + TELL_EVERY_MS

    @abstractmethod
    def steps(self, number: int, work: PictureWork) -> Steps[Any]:
        """The work on a picture."""

    @abstractmethod
    def settle(self, number: int, result: Any) -> None:
        """Take the result of that work."""

    def fail(self, number: int, status: ImageStatus) -> None:
        """A picture has no result."""
        self.job.fail(number, status)
        self.has_news = True

    @abstractmethod
    def save(self, books: Books, now: Moment) -> None:
        """Write down what is not; raises `StoreError`."""

    @abstractmethod
    def message(self, at: Moment) -> Message:
        """What is known by now, for the outbox."""

    def told(self, at: Moment) -> None:
        """The last message is on the disk."""
        self.told_at, self.has_news = at, False
        self.job.told()

    def _message(self, telling: Job | DetectJob) -> Message:
        return Message(
            kind=MessageKind.JOB,
            namespace=self.namespace,
            feed_id=named_feed(self.feed_id),
            subject_id=telling.id,
            sequence=telling.edge.sequence,
            is_final=telling.status is not JobStatus.IN_PROGRESS,
            body=msgspec.json.encode(telling),
            at_ms=telling.edge.updated_at,
            is_request=True,
            recipients=self.recipients,
            reply=self.reply,
            client_id=self.client_id,
        )


@dataclass(slots=True, eq=False)
class OpenRecognition(OpenRequest):
    """A request to recognise pictures."""

    recognition: RequestJob = field(kw_only=True)
    telling: Job | None = None
    faces: list[SeenFace] = field(default_factory=list)
    kept: list[JobPicture] = field(default_factory=list)
    unsaved: Job | None = None

    @property
    def job(self) -> RequestJob:
        """The job."""
        return self.recognition

    @property
    def namespace(self) -> str:
        """Where it looks."""
        return self.recognition.namespace

    @property
    def is_unsaved(self) -> bool:
        """Whether a telling is not in the history yet."""
        return self.unsaved is not None

    @property
    def unsaved_bytes(self) -> int:
        """Of faces and pictures that are not in the history yet."""
        chips = sum(face.chip.nbytes for face in self.faces if face.chip is not None)
        return chips + sum(len(picture.jpeg) for picture in self.kept)

    def steps(self, number: int, work: PictureWork) -> Steps[Any]:
        """Say who is in the picture."""
        return work.recognise(self.pictures[number], self.namespace, self.feed_id)

    def settle(self, number: int, result: Recognised) -> None:
        """Take the picture's image, and what is kept of it."""
        self.recognition.settle(number, result.image)
        self.faces += result.faces
        if result.picture is not None:
            self.kept.append(result.picture)
        self.has_news = True

    def message(self, at: Moment) -> Message:
        """The job as it is now."""
        self.telling = self.recognition.telling(at)
        return self._message(self.telling)

    def told(self, at: Moment) -> None:
        """The last message is on the disk; it goes into the history next."""
        OpenRequest.told(self, at)
        self.unsaved = self.telling

    def save(self, books: Books, now: Moment) -> None:  # noqa: ARG002 - as of every request
        """Write the last telling into the history, with the faces and pictures that came since."""
        if self.unsaved is None:
            return
        if books.history is not None:
            # Results come between a telling and this; they go with the next one, which says of them.
            told = {obj.edge.face_id for image in self.unsaved.images for obj in image.objects}
            faces = tuple(face for face in self.faces if face.id in told)
            entry = HistoryEntry(self.unsaved, faces, tuple(self.kept))
            books.history.record([(self.namespace, entry)])
            self.faces = [face for face in self.faces if face.id not in told]
        else:
            self.faces = []
        self.kept = []
        self.unsaved = None


@dataclass(slots=True, eq=False)
class OpenDetection(OpenRequest):
    """A request to detect classes in pictures."""

    detection: DetectRequestJob = field(kw_only=True)
    least_score: float = field(kw_only=True)
    telling: DetectJob | None = None
    unsaved: DetectJob | None = None

    @property
    def job(self) -> DetectRequestJob:
        """The job."""
        return self.detection

    @property
    def namespace(self) -> str:
        """Nowhere: it compares with nobody."""
        return ""

    @property
    def is_unsaved(self) -> bool:
        """Whether a telling is not written down yet."""
        return self.unsaved is not None

    def steps(self, number: int, work: PictureWork) -> Steps[Any]:  # noqa: ARG002 - as of every request
        """Say where faces are."""
        return work.detect()

    def settle(self, number: int, result: Sequence[Found]) -> None:
        """Take what is in the picture."""
        objects: tuple[ClassObject, ...] = objects_of(result, self.detection.grids, self.least_score)
        self.detection.settle(number, objects)
        self.has_news = True

    def message(self, at: Moment) -> Message:
        """The job as it is now."""
        self.telling = self.detection.telling(at)
        return self._message(self.telling)

    def told(self, at: Moment) -> None:
        """The last message is on the disk; it is written down next."""
        OpenRequest.told(self, at)
        self.unsaved = self.telling

    def save(self, books: Books, now: Moment) -> None:
        """Write the last telling down."""
        if self.unsaved is not None and books.detections is not None:
            books.detections.record_detect(self.client_id, self.unsaved, now.utc_ms)
        self.unsaved = None


def without_bytes(pictures: Sequence[AskedPicture]) -> tuple[AskedPicture, ...]:
    """The pictures, whose bytes are held elsewhere and not for longer than they are needed."""
    return tuple(replace(picture, blob=None) for picture in pictures)
