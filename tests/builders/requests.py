"""A clerk of requests with everything behind it: the real models in their thread, and a real outbox."""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import msgspec

from builders.scenes import a_picture, real_models
from edged.api.answers import DetectJob
from edged.api.fetching import FetchError
from edged.api.requests import ImageItem, RecognizeRequest
from edged.camera.picture import request_picture_of
from edged.domain.errors import StoreError
from edged.domain.frame import Pixels
from edged.domain.history import HistoryEntry
from edged.domain.message import Message
from edged.domain.moment import Moment
from edged.domain.picture_address import PictureAddresses
from edged.pipeline.committer import Committer
from edged.pipeline.desk import PictureDesk
from edged.pipeline.galleries import Galleries
from edged.pipeline.open_request import Books, RequestHistory
from edged.pipeline.picture import Manner, Tools
from edged.pipeline.ports import Models
from edged.pipeline.recogniser import Recogniser
from edged.pipeline.request_clerk import RequestClerk
from edged.pipeline.request_worker import Enrolled
from edged.pipeline.slot import SlotRing
from edged.pipeline.unknown_people import UnknownPeople
from edged.settings.feeds import Feed
from edged.settings.requests import Requests
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource
from edged.store.outbox import Outbox
from edged.system.clock import SystemClock

LONG_S = 60
"""Longer than anything takes that works."""

SETTINGS = Settings(feeds=(Feed(id="hall", source=FileSource(path="x")),), sinks=(ConsoleSink(),))


def a_jpeg(pixels: Pixels | None = None) -> bytes:
    """A compressed picture; by default of a face on a wall."""
    done, encoded = cv2.imencode(".jpg", a_picture() if pixels is None else pixels)
    assert done
    return encoded.tobytes()


def a_request(*images: bytes | str, **fields: Any) -> RecognizeRequest:
    """A request for these blobs and addresses."""
    items = tuple(
        ImageItem(url=image) if isinstance(image, str) else ImageItem(blob=image) for image in images
    )
    return RecognizeRequest(images=items or (ImageItem(blob=a_jpeg()),), **fields)


class Web:
    """Stands where the network does: knows pages, fails for all others, and answers when it is told to."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = pages
        self.fetched: list[str] = []
        self.answers = threading.Event()
        self.answers.set()

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        assert self.answers.wait(LONG_S)
        if url not in self.pages:
            raise FetchError("the server answered 404")
        return self.pages[url]

    def abort(self) -> None:
        self.answers.set()


class ListeningOutbox:
    """A real outbox that also keeps what it was told, and that can be out of order."""

    def __init__(self, folder: Path) -> None:
        self.real = Outbox(folder, ())
        self.told: list[Message] = []
        self.is_broken = False
        self.tries = 0

    def commit(self, messages: Sequence[Message], moment: Moment) -> None:
        self.tries += 1
        if self.is_broken:
            raise StoreError("the disk is full")
        self.real.commit(messages, moment)
        self.told += messages

    def bodies(self, job_id: str) -> list[dict[str, Any]]:
        """All tellings of a job, the oldest first."""
        return [msgspec.json.decode(one.body) for one in list(self.told) if one.subject_id == job_id]


class Shelf:
    """Stands where the history does."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, HistoryEntry]] = []
        self.detections: list[tuple[str, DetectJob]] = []
        self.is_broken = False
        self.is_closed = False

    def record(self, entries: Sequence[tuple[str, HistoryEntry]]) -> None:
        if self.is_broken:
            raise StoreError("the disk is full")
        self.entries += entries

    def close(self) -> None:
        self.is_closed = True


class DetectShelf:
    """Stands where detect jobs are kept."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, DetectJob]] = []

    def record_detect(self, client_id: str, job: DetectJob, now_ms: int) -> None:
        assert now_ms >= job.created_at
        self.jobs.append((client_id, job))


class NoFeeds(Committer):
    """Takes nothing: there are no feeds."""

    def __init__(self) -> None:
        return

    def put(self, messages: list[Message]) -> None:
        assert not messages


class Office:
    """A clerk at work, until it is closed."""

    def __init__(
        self,
        folder: Path,
        *,
        requests: Requests | None = None,
        settings: Settings = SETTINGS,
        models: Models | None = None,
        web: Web | None = None,
        keeps_pictures: bool = False,
        has_models: bool = True,
        history: RequestHistory | None = None,
        stored_revision: Callable[[str], int] = lambda _: 0,
        unknown_people: Callable[[str, str], UnknownPeople] = lambda _, feed_id: UnknownPeople(feed_id),
    ) -> None:
        requests = requests or Requests()
        models = models or real_models()
        self.clock = SystemClock()
        self.web = web or Web()
        self.outbox = ListeningOutbox(folder)
        self.shelf, self.detections = Shelf(), DetectShelf()
        self.galleries = Galleries(models.calibration)
        self.wakes = 0
        slots = SlotRing(())
        self.desk = PictureDesk(slots.nudge)
        self.recogniser = Recogniser(slots, {}, self.galleries, NoFeeds(), self.clock, self.desk)
        base = "https://cam.example" if keeps_pictures else None
        self.clerk = RequestClerk(
            settings=requests,
            tools=Tools(
                models,
                lambda data, name: request_picture_of(data, name, 10_000_000, requests.max_pixels),
                self.galleries.current,
                unknown_people,
                PictureAddresses("porch", base, keeps_pictures),
                self.clock,
            ),
            manner=Manner.of(settings, models.calibrated()),
            desk=self.desk,
            fetcher=self.web,
            outbox=self.outbox,
            books=Books(history or self.shelf, self.detections),
            enrolled=Enrolled(stored_revision, self.galleries.revision, self._wake),
            on_commit=lambda: None,
            clock=self.clock,
            jitter=lambda: 0.1,
            new_id=lambda: str(uuid.uuid4()),
        )
        self.clerk.start()
        if has_models:
            self.start_models()

    def start_models(self) -> None:
        """Let the models' thread begin."""
        self.recogniser.start()

    def final(self, job_id: str) -> dict[str, Any]:
        """The job's last telling, waited for."""
        until(lambda: bool(self.outbox.bodies(job_id)) and self._last(job_id)["status"] != "IN_PROGRESS")
        return self._last(job_id)

    def close(self) -> None:
        """End it all."""
        if self.recogniser.ident is not None:
            self.recogniser.stop()
            self.recogniser.join(LONG_S)
        assert self.clerk.stop(LONG_S)
        self.outbox.real.close()

    def _last(self, job_id: str) -> dict[str, Any]:
        return self.outbox.bodies(job_id)[-1]

    def _wake(self) -> None:
        self.wakes += 1


def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def with_models(**parts: Any) -> Models:
    """The real models with some in the place of others."""
    return replace(real_models(), **parts)
