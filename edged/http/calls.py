"""Which method of the backend serves which operation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from edged.api.access import Caller
from edged.api.operation import JPEG
from edged.api.problem import Code, Problem
from edged.api.requests import Search
from edged.http.ports import Backend

_LARGEST_MS: Final = 2.0**53
"""Beyond it a number of milliseconds is not exact, and no database takes it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, checked.

    Attributes:
        asked: the body, as a value; None where there is none.
        namespace, id: what the path, or the query, names; empty where it names none.
        query: what else stood behind the `?`.
        media: the form of the answer that was chosen.
        address: where it comes from.
        token: the access token it came with; empty where none is needed.
        caller: whose that is.
    """

    asked: Any
    namespace: str
    id: str
    query: Mapping[str, str | float]
    media: str
    address: str
    token: str
    caller: Caller | None

    @property
    def known_caller(self) -> Caller:
        """The caller of an operation that needs a token."""
        if self.caller is None:
            raise Problem(Code.UNAUTHORIZED, "this needs an access token")
        return self.caller

    @property
    def search(self) -> Search:
        """The body of a search, its times within what a database takes."""
        search: Search = self.asked
        return replace(search, start=_bounded(search.start), end=_bounded(search.end))

    def text(self, name: str) -> str | None:
        """A text behind the `?`."""
        value = self.query.get(name)
        return None if value is None else str(value)

    def number(self, name: str) -> float | None:
        """A number behind the `?`, within what a database takes."""
        value = self.query.get(name)
        return _bounded(value) if isinstance(value, float) else None


def _bounded(number: float | None) -> float | None:
    return None if number is None else min(max(number, -_LARGEST_MS), _LARGEST_MS)


def _face(backend: Backend, call: Call) -> object:
    if call.media == JPEG:
        return backend.face_picture(call.namespace, call.id)
    return backend.face(call.namespace, call.id)


def _detect_jobs(backend: Backend, call: Call) -> object:
    return backend.detect_jobs(
        call.known_caller,
        call.text("customId"),
        call.text("feedId"),
        call.number("before"),
        call.number("after"),
    )


CALLS: Final[Mapping[str, Callable[[Backend, Call], object]]] = {
    "token": lambda backend, call: backend.token(call.asked, call.address),
    "revokeToken": lambda backend, call: backend.revoke(call.token),
    "recognize": lambda backend, call: backend.recognize(call.known_caller, call.namespace, call.asked),
    "recognizeShort": lambda backend, call: backend.recognize(call.known_caller, call.namespace, call.asked),
    "recognizeSearch": lambda backend, call: backend.recognize_jobs(call.namespace, call.search),
    "recognizeJob": lambda backend, call: backend.recognize_job(call.namespace, call.id),
    "recognizeJobShort": lambda backend, call: backend.recognize_job(call.namespace, call.id),
    "createIdentity": lambda backend, call: backend.create_identity(call.namespace, call.asked),
    "identitySearch": lambda backend, call: backend.identities(call.namespace, call.search),
    "identity": lambda backend, call: backend.identity(call.namespace, call.id),
    "updateIdentity": lambda backend, call: backend.update_identity(call.namespace, call.id, call.asked),
    "deleteIdentity": lambda backend, call: backend.delete_identity(call.namespace, call.id),
    "addPictures": lambda backend, call: backend.add_pictures(call.namespace, call.id, call.asked),
    "mergeIdentities": lambda backend, call: backend.merge_identities(call.namespace, call.id, call.asked),
    "faceSearch": lambda backend, call: backend.faces(call.namespace, call.search),
    "face": _face,
    "facePicture": lambda backend, call: backend.face_picture(call.namespace, call.id),
    "picture": lambda backend, call: backend.picture(call.namespace, call.id),
    "groupSearch": lambda backend, call: backend.groups(call.namespace, call.search),
    "group": lambda backend, call: backend.group(call.namespace, call.id),
    "detect": lambda backend, call: backend.detect(call.known_caller, call.asked),
    "detectSearch": _detect_jobs,
    "detectJob": lambda backend, call: backend.detect_job(call.known_caller, call.id),
    "registerWebhook": lambda backend, call: backend.register_webhook(call.known_caller, call.asked),
    "webhooks": lambda backend, call: backend.webhooks(call.known_caller),
    "deleteWebhook": lambda backend, call: backend.delete_webhook(call.known_caller, call.id),
}
"""By the operations' ids."""
