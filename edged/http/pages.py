"""What is served to everybody: health, the OpenAPI document, and the page that shows it."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.types import Receive, Scope, Send

from edged.api.docs_page import DocsPage
from edged.api.negotiation import preferred
from edged.api.problem import Problem
from edged.http.answer import Answer, of_json, of_problem
from edged.http.conversation import Conversation
from edged.http.endpoint import wrong_method
from edged.http.lane import Lane
from edged.http.ports import Vitals

Make = Callable[[], Awaitable[Answer]]


class Page:
    """One answer for everybody who asks with GET or HEAD, as an ASGI application."""

    def __init__(self, make: Make) -> None:
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        del receive, send
        conversation = Conversation.of(scope)
        conversation.operation = "page"
        if conversation.method not in {"GET", "HEAD"}:
            await conversation.answer(wrong_method({"GET": self}))
            return
        answer = await self._make()
        if answer.status < 300:  # noqa: PLR2004 - what tells of trouble is told in any case
            preferred(conversation.headers.get("accept"), [answer.media.partition(";")[0]])
        await conversation.answer(answer)


def docs_pages(document: Mapping[str, object], page: DocsPage) -> dict[str, Page]:
    """What describes the API, by their paths."""
    described = of_json(document)
    shown = Answer(
        200,
        page.html.encode(),
        "text/html; charset=utf-8",
        policy=f"default-src 'none'; style-src '{page.style_hash}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'",
    )
    to_docs = Answer(307, b"", "text/plain; charset=utf-8", ((b"location", b"/docs"),))
    return {
        "/openapi.json": Page(_always(described)),
        "/docs": Page(_always(shown)),
        "/": Page(_always(to_docs)),
    }


def health_pages(vitals: Vitals, checks: Lane) -> dict[str, Page]:
    """How the daemon is, by their paths."""

    async def health() -> Answer:
        try:
            alive = await checks.run(vitals.is_alive)
        except Problem as problem:
            return of_problem(problem)
        return of_json({"status": "ok"}) if alive else of_json({"status": "stuck"}, 503)

    async def readiness() -> Answer:
        try:
            missing = await checks.run(vitals.not_ready)
        except Problem as problem:
            return of_problem(problem)
        if missing:
            return of_json({"status": "not ready", "missing": missing}, 503)
        return of_json({"status": "ready"})

    return {"/healthz": Page(health), "/readyz": Page(readiness)}


def _always(answer: Answer) -> Make:
    async def make() -> Answer:
        return answer

    return make
