"""What is answered, beside jobs: fields absent when empty, never null; times are UTC milliseconds."""

from typing import Literal

import msgspec

from edged.domain.job import ImageStatus, JobStatus, WireBox
from edged.domain.wire import Wire


class TokenAnswer(Wire, frozen=True, kw_only=True):
    """An access token. `scope` has the scopes with spaces between them."""

    access_token: str
    issued_at: int
    expires_at: int
    org_name: str
    app_name: str
    scope: str


class FaceAnswerEdge(Wire, frozen=True, kw_only=True):
    """What edged adds to a face.

    Attributes:
        enrolled: whether it stands for the identity; else it was recognised as it.
        job_id, image_id, track_id: where it was seen.
        quality: 0 to 1.
        source: of an enrolled face, where it came from, for people.
    """

    enrolled: bool
    job_id: str | None = None
    image_id: str | None = None
    track_id: str | None = None
    quality: float | None = None
    source: str | None = None


class FaceAnswer(Wire, frozen=True, kw_only=True):
    """A face: `image` in the API's words.

    Attributes:
        sharpness: 0 to 1; one half is where the default settings refuse a face as blurred.
        width, height: of the face's box, pixels of the picture it was found in.
    """

    id: str
    custom_id: str | None = None
    feed_id: str | None = None
    identity_id: str | None = None
    url: str | None = None
    bounding_box: WireBox | None = None
    bounding_box_confidence: float | None = None
    type: Literal["FACE"] = msgspec.field(default_factory=lambda: "FACE")
    group_id: str | None = None
    is_frontal: bool | None = None
    sharpness: float | None = None
    width: int | None = None
    height: int | None = None
    created_at: int
    edge: FaceAnswerEdge


class IdentityAnswerEdge(Wire, frozen=True, kw_only=True):
    """What edged adds to an identity: its display name, and what is to be said of pictures just added."""

    name: str | None = None
    updated_at: int
    warnings: tuple[str, ...] = ()


class IdentityAnswer(Wire, frozen=True, kw_only=True):
    """An identity with the faces that stand for it."""

    id: str
    custom_id: str | None = None
    images: tuple[FaceAnswer, ...]
    namespace: str
    created_at: int
    edge: IdentityAnswerEdge


class GroupAnswerEdge(Wire, frozen=True, kw_only=True):
    """What edged adds to a group: how often the person came, and when last."""

    visits: int
    last_seen_at: int


class GroupAnswer(Wire, frozen=True, kw_only=True):
    """Faces of one unknown person, found by clustering."""

    id: str
    identity_id: str | None = None
    batch_id: str | None = None
    namespace: str
    link_modified_by: Literal["MANUAL", "ML", "HITL"]
    link_last_modified_at: int
    created_at: int
    images: tuple[FaceAnswer, ...]
    edge: GroupAnswerEdge


class ClassImage(Wire, frozen=True, kw_only=True):
    """The picture in which a class was seen best."""

    id: str
    url: str
    proxy_url: str | None = None
    custom_id: str | None = None
    confidence: float


class ClassResult(Wire, frozen=True, kw_only=True):
    """What was found of a class; `image` where it was found at all. Nobody but the model looked."""

    class_: str = msgspec.field(name="class")
    image: ClassImage | None = None
    hitl: bool


class ClassObject(Wire, frozen=True, kw_only=True):
    """A class in a picture: its best score, and whether that is enough."""

    class_: str = msgspec.field(name="class")
    confidence: float
    verdict: bool


class DetectImage(Wire, frozen=True, kw_only=True):
    """One picture of a detect job."""

    id: str
    url: str
    proxy_url: str | None = None
    custom_id: str | None = None
    status: ImageStatus
    objects: tuple[ClassObject, ...]


class DetectEdge(Wire, frozen=True, kw_only=True):
    """What edged adds to a detect job."""

    schema: int
    device: str
    sequence: int
    updated_at: int


class DetectJob(Wire, frozen=True, kw_only=True):
    """Whether classes are in pictures."""

    id: str
    created_at: int
    status: JobStatus
    custom_id: str | None = None
    feed_id: str | None = None
    webhook_url: str | None = None
    job_results: tuple[ClassResult, ...]
    image_results: tuple[DetectImage, ...]
    edge: DetectEdge


class WebhookAnswer(Wire, frozen=True, kw_only=True):
    """A registered webhook. `secretKey` is told once, when it is made."""

    id: str
    url: str
    secret_key: str | None = None
    application: str
    organization_id: str
    created_at: int
