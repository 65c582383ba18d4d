"""The job on the wire: the recognition API's shape, version 2, with ours under `edge`.

Fields are spelled as the API spells them, absent when empty, never null. Times are UTC milliseconds.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from edged.domain.wire import EDGE_SCHEMA, Wire


class JobStatus(StrEnum):
    """How far a job is."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED_SUCCESSFULLY = "COMPLETED_SUCCESSFULLY"
    COMPLETED_PARTIAL_ERROR = "COMPLETED_PARTIAL_ERROR"
    COMPLETED_ALL_ERROR = "COMPLETED_ALL_ERROR"


class ImageStatus(StrEnum):
    """How far one image of a job is, or what was wrong with it."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED_SUCCESSFULLY = "COMPLETED_SUCCESSFULLY"
    UNKNOWN_ERROR = "UNKNOWN_ERROR"
    JOB_ERROR = "JOB_ERROR"
    IMAGE_DOWNLOAD_ERROR = "IMAGE_DOWNLOAD_ERROR"
    INVALID_IMAGE_FORMAT_ERROR = "INVALID_IMAGE_FORMAT_ERROR"
    DETECTION_ENGINE_ERROR = "DETECTION_ENGINE_ERROR"
    MODEL_SERVICE_ERROR = "MODEL_SERVICE_ERROR"
    MALFORMED_MESSAGE_ERROR = "MALFORMED_MESSAGE_ERROR"


class Verdict(StrEnum):
    """What a decision says of a track."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    UNDECIDED = "undecided"


class WireBox(Wire, frozen=True, kw_only=True):
    """A bounding box: fractions of the upright frame, 0 to 1, or whole pixels where so configured."""

    x_min: float | int
    y_min: float | int
    x_max: float | int
    y_max: float | int


class FaceEdge(Wire, frozen=True, kw_only=True):
    """What edged adds to an object; see docs/jobs.md for each field."""

    face_id: str
    track_id: str
    decision: Verdict
    reason: str | None = None
    corrected: bool | None = None
    name: str | None = None
    similarity: float | None = None
    required_similarity: float | None = None
    margin: float | None = None
    quality: float | None = None
    detection_score: float | None = None
    group_id: str | None = None
    seen_before: int | None = None
    first_seen_at: int | None = None


class JobObject(Wire, frozen=True, kw_only=True):
    """One face in one image. `identity_id` is there only when the person is known."""

    identity_id: str | None = None
    confidence: float
    created_at: int
    bounding_box: WireBox
    edge: FaceEdge


class JobImage(Wire, frozen=True, kw_only=True):
    """One image of a job, with every face in it."""

    id: str
    url: str
    proxy_url: str | None = None
    custom_id: str | None = None
    status: ImageStatus
    objects: tuple[JobObject, ...]


class JobEdge(Wire, frozen=True, kw_only=True):
    """What edged adds to a job. `id` and `sequence` together are the idempotency key."""

    schema: int = msgspec.field(default_factory=lambda: EDGE_SCHEMA)
    namespace: str
    device: str
    sequence: int
    origin: Literal["camera", "api"]
    updated_at: int
    delayed_ms: int


class Job(Wire, frozen=True, kw_only=True):
    """A sighting, or a request to recognise images."""

    id: str
    created_at: int
    status: JobStatus
    feed_id: str | None = None
    custom_id: str | None = None
    webhook_url: str | None = None
    images: tuple[JobImage, ...]
    edge: JobEdge

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be said of this job."""
        return self.status is not JobStatus.IN_PROGRESS
