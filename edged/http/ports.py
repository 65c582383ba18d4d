"""What the server needs of the daemon: one method a call of the API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec import Raw

from edged.api.access import Caller
from edged.api.answers import DetectJob, FaceAnswer, GroupAnswer, IdentityAnswer, TokenAnswer, WebhookAnswer
from edged.api.requests import (
    AddPictures,
    ClientCredentials,
    DetectRequest,
    IdentityCreate,
    IdentityUpdate,
    MergeIdentities,
    RecognizeRequest,
    Search,
    WebhookRegister,
)
from edged.domain.job import Job


class Vitals(Protocol):
    """How the daemon is. Called by a thread of the server's, and answered at once; raises nothing."""

    def is_alive(self) -> bool:
        """Whether the daemon makes progress."""
        ...

    def not_ready(self) -> tuple[str, ...]:
        """What is missing before requests can be served; empty when nothing is."""
        ...


class Backend(Protocol):
    """The calls of the API.

    The server calls from a few threads of its own, never from its event loop; a call may take seconds.
    What a caller may do is checked before. Every method raises `Problem`; jobs that are stored come as the
    JSON they are stored as.
    """

    def token(self, credentials: ClientCredentials, address: str) -> TokenAnswer:
        """A new access token; Problem 401 for wrong credentials, 429 for an address that guesses."""
        ...

    def caller(self, token: str) -> Caller:
        """Who has this access token; Problem 401 where nobody has, any more."""
        ...

    def revoke(self, token: str) -> None:
        """Make an access token worthless."""
        ...

    def recognize(self, caller: Caller, namespace: str, request: RecognizeRequest) -> Job:
        """Take a request on; the job as it begins. Problem 429 where the queue is full."""
        ...

    def recognize_job(self, namespace: str, job_id: str) -> Raw:
        """A job, of a request or of a camera, as it was told last."""
        ...

    def recognize_jobs(self, namespace: str, search: Search) -> list[Raw]:
        """Jobs."""
        ...

    def detect(self, caller: Caller, request: DetectRequest) -> DetectJob:
        """Take a request on."""
        ...

    def detect_job(self, caller: Caller, job_id: str) -> Raw:
        """A detect job of this caller's."""
        ...

    def detect_jobs(
        self,
        caller: Caller,
        custom_id: str | None,
        feed_id: str | None,
        before_ms: float | None,
        after_ms: float | None,
    ) -> list[Raw]:
        """Detect jobs of this caller's, the newest first, at most 100."""
        ...

    def create_identity(self, namespace: str, request: IdentityCreate) -> IdentityAnswer:
        """Make an identity out of faces seen before."""
        ...

    def identity(self, namespace: str, identity_id: str) -> IdentityAnswer:
        """One identity."""
        ...

    def identities(self, namespace: str, search: Search) -> list[IdentityAnswer]:
        """Identities."""
        ...

    def update_identity(self, namespace: str, identity_id: str, request: IdentityUpdate) -> IdentityAnswer:
        """Change an identity: all of it, or nothing."""
        ...

    def delete_identity(self, namespace: str, identity_id: str) -> None:
        """Forget a person for good."""
        ...

    def add_pictures(self, namespace: str, identity_id: str, request: AddPictures) -> IdentityAnswer:
        """Enrol pictures into an identity; waits until they are looked at."""
        ...

    def merge_identities(self, namespace: str, identity_id: str, request: MergeIdentities) -> IdentityAnswer:
        """Give one identity the faces of others, which are gone then."""
        ...

    def face(self, namespace: str, face_id: str) -> FaceAnswer:
        """One face."""
        ...

    def faces(self, namespace: str, search: Search) -> list[FaceAnswer]:
        """Faces, of jobs and of identities."""
        ...

    def face_picture(self, namespace: str, face_id: str) -> bytes:
        """The picture of a face, JPEG."""
        ...

    def picture(self, namespace: str, image_id: str) -> bytes:
        """The whole picture of one image of a job, JPEG."""
        ...

    def group(self, namespace: str, group_id: str) -> GroupAnswer:
        """One group."""
        ...

    def groups(self, namespace: str, search: Search) -> list[GroupAnswer]:
        """Groups."""
        ...

    def register_webhook(self, caller: Caller, request: WebhookRegister) -> WebhookAnswer:
        """Have every job told at an address too."""
        ...

    def webhooks(self, caller: Caller) -> list[WebhookAnswer]:
        """The caller's webhooks, without their secrets."""
        ...

    def delete_webhook(self, caller: Caller, webhook_id: str) -> None:
        """Tell that address nothing more."""
        ...


@dataclass(frozen=True, slots=True)
class Exposition:
    """Figures for Prometheus.

    Attributes:
        text: makes them, in the text format.
        token: that whoever asks must have; None where only programs on this machine are answered.
    """

    text: Callable[[], bytes]
    token: str | None


@dataclass(frozen=True, slots=True)
class Served:
    """What a server serves.

    Attributes:
        vitals: how the daemon is.
        api: the calls of the API; None where there is none.
        metrics: None where there are none.
    """

    vitals: Vitals
    api: Backend | None
    metrics: Exposition | None = None
