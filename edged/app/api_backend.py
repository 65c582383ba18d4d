"""What the HTTP server calls: each call of the API, handed to the part that does it."""

import logging
from typing import Final

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
from edged.app.api_jobs import ApiHooks, ApiJobs
from edged.app.api_people import ApiPeople
from edged.app.api_tokens import ApiTokens
from edged.domain.job import Job

_LOG: Final = logging.getLogger(__name__)


class ApiBackend:
    """Implements `http.ports.Backend`; see there for each call.

    Args:
        tokens: access.
        jobs: requests and their jobs.
        people: identities, faces, groups.
        hooks: webhooks.
    """

    def __init__(
        self,
        tokens: ApiTokens,
        jobs: ApiJobs,
        people: ApiPeople,
        hooks: ApiHooks,
    ) -> None:
        self._tokens = tokens
        self._jobs = jobs
        self._people = people
        self._hooks = hooks

    # --- access

    def token(self, credentials: ClientCredentials, address: str) -> TokenAnswer:
        """A new access token."""
        return self._tokens.token(credentials, address)

    def caller(self, token: str) -> Caller:
        """Who has this access token."""
        return self._tokens.caller(token)

    def revoke(self, token: str) -> None:
        """Make an access token worthless."""
        self._tokens.revoke(token)

    # --- jobs

    def recognize(self, caller: Caller, namespace: str, request: RecognizeRequest) -> Job:
        """Take a request on."""
        return self._jobs.recognize(caller, namespace, request)

    def recognize_job(self, namespace: str, job_id: str) -> Raw:
        """A job."""
        return self._jobs.recognize_job(namespace, job_id)

    def recognize_jobs(self, namespace: str, search: Search) -> list[Raw]:
        """Jobs."""
        return self._jobs.recognize_jobs(namespace, search)

    def detect(self, caller: Caller, request: DetectRequest) -> DetectJob:
        """Take a request on."""
        return self._jobs.detect(caller, request)

    def detect_job(self, caller: Caller, job_id: str) -> Raw:
        """A detect job."""
        return self._jobs.detect_job(caller, job_id)

    def detect_jobs(
        self,
        caller: Caller,
        custom_id: str | None,
        feed_id: str | None,
        before_ms: float | None,
        after_ms: float | None,
    ) -> list[Raw]:
        """Detect jobs."""
        return self._jobs.detect_jobs(caller, custom_id, feed_id, before_ms, after_ms)

    # --- people

    def create_identity(self, namespace: str, request: IdentityCreate) -> IdentityAnswer:
        """Make an identity."""
        return self._people.create(namespace, request)

    def identity(self, namespace: str, identity_id: str) -> IdentityAnswer:
        """One identity."""
        return self._people.identity(namespace, identity_id)

    def identities(self, namespace: str, search: Search) -> list[IdentityAnswer]:
        """Identities."""
        return self._people.identities(namespace, search)

    def update_identity(self, namespace: str, identity_id: str, request: IdentityUpdate) -> IdentityAnswer:
        """Change an identity."""
        return self._people.update(namespace, identity_id, request)

    def delete_identity(self, namespace: str, identity_id: str) -> None:
        """Forget a person for good."""
        for warning in self._people.delete(namespace, identity_id):
            _LOG.warning("namespace %s: %s", namespace, warning)

    def add_pictures(self, namespace: str, identity_id: str, request: AddPictures) -> IdentityAnswer:
        """Enrol pictures into an identity."""
        return self._people.add_pictures(namespace, identity_id, request)

    def merge_identities(self, namespace: str, identity_id: str, request: MergeIdentities) -> IdentityAnswer:
        """Give one identity the faces of others."""
        return self._people.merge(namespace, identity_id, request)

    def face(self, namespace: str, face_id: str) -> FaceAnswer:
        """One face."""
        return self._people.face(namespace, face_id)

    def faces(self, namespace: str, search: Search) -> list[FaceAnswer]:
        """Faces."""
        return self._people.faces(namespace, search)

    def face_picture(self, namespace: str, face_id: str) -> bytes:
        """The picture of a face."""
        return self._people.face_picture(namespace, face_id)

    def picture(self, namespace: str, image_id: str) -> bytes:
        """A whole picture."""
        return self._people.picture(namespace, image_id)

    def group(self, namespace: str, group_id: str) -> GroupAnswer:
        """One group."""
        return self._people.group(namespace, group_id)

    def groups(self, namespace: str, search: Search) -> list[GroupAnswer]:
        """Groups."""
        return self._people.groups(namespace, search)

    # --- webhooks

    def register_webhook(self, caller: Caller, request: WebhookRegister) -> WebhookAnswer:
        """Have every job told at an address too."""
        return self._hooks.register(caller, request)

    def webhooks(self, caller: Caller) -> list[WebhookAnswer]:
        """The caller's webhooks."""
        return self._hooks.all_of(caller)

    def delete_webhook(self, caller: Caller, webhook_id: str) -> None:
        """Tell that address nothing more."""
        self._hooks.remove(caller, webhook_id)
