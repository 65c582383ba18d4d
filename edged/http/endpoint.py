"""One path of the API: who may, what was asked, what is answered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Scope, Send

from edged.api.access import Caller
from edged.api.decoding import decode
from edged.api.negotiation import is_json, preferred
from edged.api.operation import JPEG, NOTHING, Operation
from edged.api.problem import Code, Problem, not_found
from edged.api.query import parse_query
from edged.api.schema import ID_PATTERN
from edged.http.answer import Answer, of_json, of_problem
from edged.http.body import BodyBudget, Hold, read_body
from edged.http.calls import CALLS, Call
from edged.http.conversation import Conversation
from edged.http.lane import Lane
from edged.http.limits import Limits
from edged.http.ports import Backend

_ID: Final = re.compile(ID_PATTERN)
_LONGEST_TOKEN: Final = 512
_MOST_CREDENTIALS_BYTES: Final = 10_000
"""Of a body that comes without a token."""


@dataclass(frozen=True, slots=True)
class Service:
    """What all endpoints have in common.

    Attributes:
        backend: who does it.
        calls: threads in which it is done.
        checks: a thread for what must not wait behind calls: tokens, health.
        budget: bytes of the bodies of all requests.
        most_bytes: length of one body.
        limits: how long one may take.
    """

    backend: Backend
    calls: Lane
    checks: Lane
    budget: BodyBudget
    most_bytes: int
    limits: Limits


class Endpoint:
    """The operations at one path, as an ASGI application."""

    def __init__(self, operations: Sequence[Operation], service: Service) -> None:
        self._operations: Mapping[str, Operation] = {one.method: one for one in operations}
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises Problem. What is asked and answered goes through the conversation."""
        del receive, send
        conversation = Conversation.of(scope)
        method = "GET" if conversation.method == "HEAD" else conversation.method
        operation = self._operations.get(method)
        if operation is None:
            await conversation.answer(wrong_method(self._operations))
            return
        conversation.operation = operation.id
        # The bytes of a body are held until what was made of them is done with.
        with self._service.budget.hold() as hold:
            answer = await self._served(operation, conversation, hold)
        await conversation.answer(answer)

    async def _served(self, operation: Operation, conversation: Conversation, hold: Hold) -> Answer:
        service = self._service
        token, caller = "", None
        if operation.needs_token:
            token = bearer(conversation.headers.get("authorization"))
            caller = await service.checks.run(lambda: service.backend.caller(token))
            conversation.client_id = caller.client_id
        query = parse_query(conversation.query, operation.query)
        named = conversation.path_parameters
        namespace = named.get("namespace", str(query.get("namespace", "")))
        _allow(operation, caller, namespace)
        resource = named.get("id", "")
        if "id" in named and not _ID.fullmatch(resource):
            raise not_found("resource", resource[:64])
        media = preferred(conversation.headers.get("accept"), operation.media)
        body = await self._body(operation, conversation, hold)

        def perform() -> Answer:
            asked = None if operation.asked is None else decode(body, operation.asked)
            call = Call(asked, namespace, resource, query, media, conversation.address, token, caller)
            return _answer(operation, media, CALLS[operation.id](service.backend, call))

        return await service.calls.run(perform)

    async def _body(self, operation: Operation, conversation: Conversation, hold: Hold) -> bytearray:
        if operation.asked is None:
            return bytearray()
        if not is_json(conversation.headers.get("content-type")):
            raise Problem(Code.UNSUPPORTED, "the body must be JSON, with `Content-Type: application/json`")
        most = self._service.most_bytes
        if not operation.needs_token:
            most = min(most, _MOST_CREDENTIALS_BYTES)
        return await read_body(conversation, hold, most, self._service.limits)


def bearer(authorization: str | None) -> str:
    """The access token in an `Authorization` header; Problem 401 where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
        raise Problem(Code.UNAUTHORIZED, "this needs an access token: `Authorization: Bearer …`")
    return token


def wrong_method(known: Mapping[str, object]) -> Answer:
    """The answer to a method that a path does not have."""
    methods = sorted({*known, *(["HEAD"] if "GET" in known else [])})
    problem = Problem(Code.METHOD_NOT_ALLOWED, f"this path has {', '.join(methods)} only")
    return of_problem(problem, ((b"allow", ", ".join(methods).encode()),))


def _allow(operation: Operation, caller: Caller | None, namespace: str) -> None:
    if caller is not None and operation.scope is not None:
        caller.require(operation.scope, namespace if operation.has_namespace else None)


def _answer(operation: Operation, media: str, result: object) -> Answer:
    vary = ((b"vary", b"accept"),) if operation.has_picture else ()
    if isinstance(result, bytes) and media == JPEG:
        return Answer(200, result, JPEG, vary)
    return of_json({} if operation.answered == NOTHING else result, more=vary)
