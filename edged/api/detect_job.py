"""The life of a job that asks whether classes are in pictures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from edged.api.answers import ClassImage, ClassObject, ClassResult, DetectEdge, DetectImage, DetectJob
from edged.api.problem import Code, Problem
from edged.api.request_job import AskedPicture, status_of
from edged.api.requests import ClassItem, DetectRequest
from edged.api.zones import Grid, grid_of
from edged.domain.job import ImageStatus, JobStatus
from edged.domain.moment import Moment
from edged.domain.wire import EDGE_SCHEMA

FACE: Final = "face"
INSTALLED: Final = (FACE,)
"""Classes that a model is there for."""

_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Found:
    """One face in a picture.

    Attributes:
        x, y: the middle of its box, in fractions of the picture.
        score: the detector's, 0 to 1.
    """

    x: float
    y: float
    score: float


def looked_for(classes: Sequence[ClassItem]) -> dict[str, Grid]:
    """The classes of a request, each with where it is not looked for.

    Raises Problem (400) for a class that no model is there for, and for one that is named twice.
    """
    grids: dict[str, Grid] = {}
    for number, item in enumerate(classes):
        field = f"classes[{number}]"
        if item.class_ not in INSTALLED:
            raise Problem(
                Code.MALFORMED,
                f"there is no model for {item.class_!r}; installed: {', '.join(INSTALLED)}",
                field=f"{field}.class",
            )
        if item.class_ in grids:
            raise Problem(Code.MALFORMED, f"{item.class_!r} is named twice", field=f"{field}.class")
        grids[item.class_] = grid_of(item.exclusion_zones, f"{field}.exclusionZones")
    return grids


def objects_of(found: Iterable[Found], grids: dict[str, Grid], least_score: float) -> tuple[ClassObject, ...]:
    """What a picture has of each class: its best score outside the zones; nothing where it has none."""
    faces = list(found)
    objects = []
    for name, grid in grids.items():
        scores = [face.score for face in faces if not grid.leaves_out(face.x, face.y)]
        if scores:
            best = max(scores)
            objects.append(
                ClassObject(class_=name, confidence=round(best, _DIGITS), verdict=best >= least_score)
            )
    return tuple(objects)


class DetectRequestJob:
    """A request to detect classes in pictures; see `RequestJob`."""

    def __init__(
        self,
        request: DetectRequest,
        pictures: Sequence[AskedPicture],
        *,
        job_id: str,
        device: str,
        at: Moment,
    ) -> None:
        self.id = job_id
        self.grids = looked_for(request.classes)
        self._feed_id = request.feed_id
        self._custom_id = request.custom_id
        self._webhook_url = request.webhook_url
        self._device = device
        self._begun = at
        self._sequence = 0
        self._images = [
            DetectImage(
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
        return self._status is not JobStatus.IN_PROGRESS

    def settle(self, number: int, objects: tuple[ClassObject, ...]) -> None:
        """A picture, counted from 0, has its result."""
        self._images[number] = msgspec.structs.replace(
            self._images[number], status=ImageStatus.COMPLETED_SUCCESSFULLY, objects=objects
        )

    def fail(self, number: int, status: ImageStatus) -> None:
        """A picture, counted from 0, has none and will have none."""
        self._images[number] = msgspec.structs.replace(self._images[number], status=status)

    def telling(self, at: Moment) -> DetectJob:
        """The job as it is now."""
        return DetectJob(
            id=self.id,
            created_at=self._begun.utc_ms,
            status=self._status,
            custom_id=self._custom_id,
            feed_id=self._feed_id,
            webhook_url=self._webhook_url,
            job_results=tuple(self._result(name) for name in self.grids),
            image_results=tuple(self._images),
            edge=DetectEdge(
                schema=EDGE_SCHEMA,
                device=self._device,
                sequence=self._sequence + 1,
                updated_at=max(at.utc_ms, self._begun.utc_ms),
            ),
        )

    def told(self) -> None:
        """The telling is on the disk: the next one has the next number."""
        self._sequence += 1

    @property
    def _status(self) -> JobStatus:
        return status_of(image.status for image in self._images)

    def _result(self, name: str) -> ClassResult:
        scored = [
            (found.confidence, image)
            for image in self._images
            for found in image.objects
            if found.class_ == name
        ]
        if not scored:
            return ClassResult(class_=name, hitl=False)
        confidence, image = max(scored, key=lambda pair: pair[0])
        best = ClassImage(
            id=image.id,
            url=image.url,
            proxy_url=image.proxy_url,
            custom_id=image.custom_id,
            confidence=confidence,
        )
        return ClassResult(class_=name, image=best, hitl=False)
