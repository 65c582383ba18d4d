"""The life of a job that somebody asked for: every picture is in progress, until each has its result."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from edged.api.problem import Code, Problem
from edged.api.requests import ImageItem, RecognizeRequest
from edged.domain.identifiers import FEED_ID, derived_id
from edged.domain.job import ImageStatus, Job, JobEdge, JobImage, JobStatus
from edged.domain.moment import Moment
from edged.domain.picture_address import PictureAddresses

NO_FEED: Final = "api"
"""Stands where a feed's name does in addresses of pictures, and in groups, for requests that name none."""


@dataclass(frozen=True, slots=True)
class AskedPicture:
    """One picture of a request.

    Attributes:
        id: of the image in the job.
        url: where the request says it is; None where it came with the request.
        blob: its bytes; None where it is to be fetched.
        name: what the picture is called where it is not kept.
        custom_id: as the request has it.
    """

    id: str
    url: str | None
    blob: bytes | None
    name: str
    custom_id: str | None

    @property
    def address(self) -> str:
        """What the job says as its `url` as long as the picture is not kept."""
        return self.name if self.url is None else self.url


def asked_pictures(
    images: Sequence[ImageItem], job_id: str, feed_id: str | None, addresses: PictureAddresses
) -> tuple[AskedPicture, ...]:
    """The pictures of a request; raises Problem (400) for one that has not exactly one of url and blob."""
    pictures = []
    for number, image in enumerate(images):
        if (image.url is None) == (image.blob is None):
            raise Problem(Code.MALFORMED, "an image has one of `url` and `blob`", field=f"images[{number}]")
        image_id = derived_id("image", job_id, number + 1)
        name = addresses.image("", feed_of(feed_id), image_id, is_kept=False)
        pictures.append(AskedPicture(image_id, image.url, image.blob, name, image.custom_id))
    return tuple(pictures)


def named_feed(feed_id: str | None) -> str:
    """The feed that a request names, where that can be one; else nothing."""
    return feed_id if feed_id is not None and FEED_ID.fullmatch(feed_id) else ""


def feed_of(feed_id: str | None) -> str:
    """The same, else NO_FEED."""
    return named_feed(feed_id) or NO_FEED


def status_of(images: Iterable[ImageStatus]) -> JobStatus:
    """How far a job is, by its pictures."""
    statuses = list(images)
    if ImageStatus.IN_PROGRESS in statuses:
        return JobStatus.IN_PROGRESS
    good = statuses.count(ImageStatus.COMPLETED_SUCCESSFULLY)
    if good == len(statuses):
        return JobStatus.COMPLETED_SUCCESSFULLY
    return JobStatus.COMPLETED_PARTIAL_ERROR if good else JobStatus.COMPLETED_ALL_ERROR


class RequestJob:
    """A request to recognise pictures.

    `settle` and `fail` take note of a picture, `telling` says what is known by now, `told` that it was said.
    """

    def __init__(
        self,
        request: RecognizeRequest,
        pictures: Sequence[AskedPicture],
        *,
        job_id: str,
        namespace: str,
        device: str,
        at: Moment,
    ) -> None:
        self.id = job_id
        self.namespace = namespace
        # Not the request itself: it may hold the pictures' bytes.
        self._feed_id = request.feed_id
        self._custom_id = request.custom_id
        self._webhook_url = request.webhook_url
        self._device = device
        self._begun = at
        self._sequence = 0
        self._images = [
            JobImage(
                id=picture.id,
                url=picture.address,
                custom_id=picture.custom_id,
                status=ImageStatus.IN_PROGRESS,
                objects=(),
            )
            for picture in pictures
        ]

    @property
    def is_done(self) -> bool:
        """Whether every picture has its result."""
        return all(image.status is not ImageStatus.IN_PROGRESS for image in self._images)

    def settle(self, number: int, image: JobImage) -> None:
        """A picture, counted from 0, has its result."""
        self._images[number] = image

    def fail(self, number: int, status: ImageStatus) -> None:
        """A picture, counted from 0, has none and will have none."""
        self._images[number] = msgspec.structs.replace(self._images[number], status=status)

    def telling(self, at: Moment) -> Job:
        """The job as it is now."""
        return Job(
            id=self.id,
            created_at=self._begun.utc_ms,
            status=status_of(image.status for image in self._images),
            feed_id=self._feed_id,
            custom_id=self._custom_id,
            webhook_url=self._webhook_url,
            images=tuple(self._images),
            edge=JobEdge(
                namespace=self.namespace,
                device=self._device,
                sequence=self._sequence + 1,
                origin="api",
                updated_at=max(at.utc_ms, self._begun.utc_ms),
                delayed_ms=0,
            ),
        )

    def told(self) -> None:
        """The telling is on the disk: the next one has the next number."""
        self._sequence += 1
