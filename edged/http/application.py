"""The ASGI application: the table of operations as routes, and the pages beside them."""

from collections.abc import Sequence
from typing import Final

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from edged.api.client_address import networks
from edged.api.docs_page import docs_page
from edged.api.operation import Operation
from edged.api.operations import OPERATIONS
from edged.api.problem import Code, Problem
from edged.api.schema import document
from edged.domain.moment import Clock
from edged.http.body import BodyBudget
from edged.http.endpoint import Endpoint, Service
from edged.http.front_door import FrontDoor
from edged.http.lane import Lane
from edged.http.limits import Limits
from edged.http.pages import pages
from edged.http.ports import Backend
from edged.settings.http import Http

_BODIES: Final = 2
"""Bodies of the greatest length that may be held at once."""


class Application:
    """Serves requests through a backend; to be closed.

    Args:
        backend: who does it.
        settings: the section `http`.
        clock: for the log.
        version: edged's, for the OpenAPI document.
        limits: what one connection may take.
    """

    def __init__(self, backend: Backend, settings: Http, clock: Clock, version: str, limits: Limits) -> None:
        self._service = Service(
            backend=backend,
            calls=Lane("http-call", limits.threads, limits.waiting),
            checks=Lane("http-check", 1, limits.connections),
            budget=BodyBudget(_BODIES * settings.max_body),
            most_bytes=settings.max_body,
            limits=limits,
        )
        described = document(version)
        shown = pages(self._service, described, docs_page(described))
        by_path: dict[str, list[Operation]] = {}
        for operation in OPERATIONS:
            by_path.setdefault(operation.path, []).append(operation)
        routes: Sequence[Route] = [
            *(Route(path, page) for path, page in shown.items()),
            *(Route(path, Endpoint(operations, self._service)) for path, operations in by_path.items()),
        ]
        router = Router(routes, redirect_slashes=False, default=_unknown_path)
        self.asgi: ASGIApp = FrontDoor(router, clock, networks(settings.trusted_proxies), limits.linger_s)

    def close(self) -> None:
        """Begin no further call."""
        self._service.calls.close()
        self._service.checks.close()


async def _unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive, send
    raise Problem(Code.NOT_FOUND, "there is no such path; /docs shows those there are")
