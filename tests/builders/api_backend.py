"""A backend of the API without a daemon behind it: it remembers what it is given."""

# ruff: noqa: ARG002 - it has the arguments of the port, needed or not

import threading
from typing import Any

import msgspec

from edged.api.access import Caller
from edged.api.answers import (
    ClassResult,
    DetectEdge,
    DetectJob,
    FaceAnswer,
    FaceAnswerEdge,
    GroupAnswer,
    GroupAnswerEdge,
    IdentityAnswer,
    IdentityAnswerEdge,
    TokenAnswer,
    WebhookAnswer,
)
from edged.api.problem import Code, Problem, not_found
from edged.domain.job import ImageStatus, Job, JobEdge, JobImage, JobStatus
from edged.settings.http import EVERY_SCOPE

CLIENT = "integrator"
SECRET = "a secret for tests only"
TOKEN = "token-of-the-integrator"
READER = "reader"
READER_TOKEN = "token-of-the-reader"
PICTURE = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
NOW_MS = 1_487_648_348_000


def an_id(number: int) -> str:
    """Ids that are easily told apart."""
    return f"00000000-0000-4000-8000-{number:012d}"


FACE_ID = an_id(1)
IMAGE_ID = an_id(2)
GROUP_ID = an_id(3)


class FakeBackend:
    """Implements `edged.http.ports.Backend` in memory.

    One client (`CLIENT`) may do everything in the namespace `home`; another one (`READER`) may only read
    there. There is one face, one picture and one group; jobs, identities and webhooks are those that were
    made. It recognises nobody: a job stays as it begins.

    Attributes:
        asked: every call, as its name and what it was asked.
        missing: what `not_ready` says.
        alive: what `is_alive` says.
        raises: raised by the next call, once.
        gate: calls wait for it; open at first.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, as if made anew."""
        self.asked: list[tuple[str, Any]] = []
        self.missing: tuple[str, ...] = ()
        self.alive = True
        self.raises: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.address = ""
        self._lock = threading.Lock()
        self._numbers = 100
        self._tokens = {
            TOKEN: Caller(CLIENT, "acme", frozenset(EVERY_SCOPE), frozenset({"home"})),
            READER_TOKEN: Caller(READER, "acme", frozenset({"recognition:read"}), frozenset({"home"})),
        }
        self._jobs: dict[str, Job] = {}
        self._detect_jobs: dict[str, DetectJob] = {}
        self._identities: dict[str, IdentityAnswer] = {}
        self._webhooks: dict[str, WebhookAnswer] = {}

    def token(self, credentials, address):
        self.address = address
        self._note("token", None)
        if (credentials.client_id, credentials.client_secret) != (CLIENT, SECRET):
            raise Problem(Code.UNAUTHORIZED, "the client's id or secret is wrong")
        token = f"token-{self._number()}"
        self._tokens[token] = self._tokens[TOKEN]
        return TokenAnswer(
            access_token=token,
            issued_at=NOW_MS,
            expires_at=NOW_MS + 86_400_000,
            org_name="acme",
            app_name=CLIENT,
            scope=" ".join(EVERY_SCOPE),
        )

    def caller(self, token):
        if token not in self._tokens:
            raise Problem(Code.UNAUTHORIZED, "the access token is none, any more")
        return self._tokens[token]

    def revoke(self, token):
        self._note("revoke", None)
        del self._tokens[token]

    def recognize(self, caller, namespace, request):
        self._note("recognize", request)
        job = Job(
            id=an_id(self._number()),
            created_at=NOW_MS,
            status=JobStatus.IN_PROGRESS,
            feed_id=request.feed_id,
            custom_id=request.custom_id,
            webhook_url=request.webhook_url,
            images=tuple(
                JobImage(
                    id=an_id(self._number()),
                    url=item.url or "edged://fake/request/image",
                    custom_id=item.custom_id,
                    status=ImageStatus.IN_PROGRESS,
                    objects=(),
                )
                for item in request.images
            ),
            edge=JobEdge(
                namespace=namespace,
                device=caller.client_id,
                sequence=1,
                origin="api",
                updated_at=NOW_MS,
                delayed_ms=0,
            ),
        )
        self._jobs[job.id] = job
        return job

    def recognize_job(self, namespace, job_id):
        self._note("recognize_job", job_id)
        return _raw(self._found(self._jobs, "job", job_id))

    def recognize_jobs(self, namespace, search):
        self._note("recognize_jobs", search)
        return [_raw(job) for job in self._some(self._jobs, search)]

    def detect(self, caller, request):
        self._note("detect", request)
        job = DetectJob(
            id=an_id(self._number()),
            created_at=NOW_MS,
            status=JobStatus.IN_PROGRESS,
            custom_id=request.custom_id,
            feed_id=request.feed_id,
            job_results=tuple(ClassResult(class_=one.class_, hitl=False) for one in request.classes),
            image_results=(),
            edge=DetectEdge(schema=1, device="fake", sequence=1, updated_at=NOW_MS),
        )
        self._detect_jobs[job.id] = job
        return job

    def detect_job(self, caller, job_id):
        self._note("detect_job", job_id)
        return _raw(self._found(self._detect_jobs, "job", job_id))

    def detect_jobs(self, caller, custom_id, feed_id, before_ms, after_ms):
        self._note("detect_jobs", (custom_id, feed_id, before_ms, after_ms))
        return [_raw(job) for job in list(self._detect_jobs.values())[:100]]

    def create_identity(self, namespace, request):
        self._note("create_identity", request)
        if request.image_ids and set(request.image_ids) != {FACE_ID}:
            raise not_found("face", request.image_ids[0])
        name = request.edge.name
        made = IdentityAnswer(
            id=an_id(self._number()),
            custom_id=request.custom_id,
            images=(a_face(),) if request.image_ids else (),
            namespace=namespace,
            created_at=NOW_MS,
            edge=IdentityAnswerEdge(name=None if name is msgspec.UNSET else name, updated_at=NOW_MS),
        )
        self._identities[made.id] = made
        return made

    def identity(self, namespace, identity_id):
        self._note("identity", identity_id)
        return self._found(self._identities, "identity", identity_id)

    def identities(self, namespace, search):
        self._note("identities", search)
        return self._some(self._identities, search)

    def update_identity(self, namespace, identity_id, request):
        self._note("update_identity", request)
        made = self._found(self._identities, "identity", identity_id)
        if request.custom_id is not msgspec.UNSET:
            made = msgspec.structs.replace(made, custom_id=request.custom_id)
        self._identities[identity_id] = made
        return made

    def delete_identity(self, namespace, identity_id):
        self._note("delete_identity", identity_id)
        self._found(self._identities, "identity", identity_id)
        del self._identities[identity_id]

    def add_pictures(self, namespace, identity_id, request):
        self._note("add_pictures", request)
        return self._found(self._identities, "identity", identity_id)

    def merge_identities(self, namespace, identity_id, request):
        self._note("merge_identities", request)
        kept = self._found(self._identities, "identity", identity_id)
        for one in request.ids:
            self._found(self._identities, "identity", one)
        return kept

    def face(self, namespace, face_id):
        self._note("face", face_id)
        return self._found({FACE_ID: a_face()}, "face", face_id)

    def faces(self, namespace, search):
        self._note("faces", search)
        return self._some({FACE_ID: a_face()}, search)

    def face_picture(self, namespace, face_id):
        self._note("face_picture", face_id)
        return self._found({FACE_ID: PICTURE}, "face", face_id)

    def picture(self, namespace, image_id):
        self._note("picture", image_id)
        return self._found({IMAGE_ID: PICTURE}, "picture", image_id)

    def group(self, namespace, group_id):
        self._note("group", group_id)
        return self._found({GROUP_ID: _a_group(namespace)}, "group", group_id)

    def groups(self, namespace, search):
        self._note("groups", search)
        return self._some({GROUP_ID: _a_group(namespace)}, search)

    def register_webhook(self, caller, request):
        self._note("register_webhook", request)
        made = WebhookAnswer(
            id=an_id(self._number()),
            url=request.url,
            secret_key=request.secret_key or "whsec_made",
            application=caller.client_id,
            organization_id=caller.organization,
            created_at=NOW_MS,
        )
        self._webhooks[made.id] = made
        return made

    def webhooks(self, caller):
        self._note("webhooks", None)
        return [msgspec.structs.replace(hook, secret_key=None) for hook in self._webhooks.values()]

    def delete_webhook(self, caller, webhook_id):
        self._note("delete_webhook", webhook_id)
        self._found(self._webhooks, "webhook", webhook_id)
        del self._webhooks[webhook_id]

    def is_alive(self):
        return self.alive

    def not_ready(self):
        return self.missing

    def _note(self, name, asked):
        with self._lock:
            self.asked.append((name, asked))
            raises, self.raises = self.raises, None
        self.gate.wait(60)
        if raises is not None:
            raise raises

    def _number(self):
        with self._lock:
            self._numbers += 1
            return self._numbers

    @staticmethod
    def _found(kept, what, reference):
        if reference not in kept:
            raise not_found(what, reference)
        return kept[reference]

    @staticmethod
    def _some(kept, search):
        chosen = [one for key, one in kept.items() if search.ids is None or key in search.ids]
        return chosen[int(search.offset) : int(search.offset + search.limit)]


def a_face() -> FaceAnswer:
    """The one face there is."""
    return FaceAnswer(
        id=FACE_ID, url="edged://fake/face", created_at=NOW_MS, edge=FaceAnswerEdge(enrolled=False)
    )


def _a_group(namespace: str) -> GroupAnswer:
    return GroupAnswer(
        id=GROUP_ID,
        namespace=namespace,
        link_modified_by="ML",
        link_last_modified_at=NOW_MS,
        created_at=NOW_MS,
        images=(a_face(),),
        edge=GroupAnswerEdge(visits=1, last_seen_at=NOW_MS),
    )


def _raw(value: msgspec.Struct) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
