"""The ASGI application: the table of operations as routes, and the pages beside them."""

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
from edged.http.metrics_page import MetricsPage
from edged.http.pages import docs_pages, health_pages
from edged.http.ports import Served
from edged.settings.http import Http

_SCRAPES: Final = 4
"""Scrapes of the metrics that may wait for the one that is being answered."""
_BODIES: Final = 2
"""Bodies of the greatest length that may be held at once."""


class Application:
    """Serves requests; to be closed.

    Args:
        served: who does it.
        settings: the section `http`.
        clock: for the log.
        version: edged's, for the OpenAPI document.
        limits: what one connection may take.
    """

    def __init__(self, served: Served, settings: Http, clock: Clock, version: str, limits: Limits) -> None:
        self._calls = Lane("http-call", limits.threads, limits.waiting)
        self._checks = Lane("http-check", 1, limits.connections)
        # A scrape reads the outbox, and may wait for it: health and tokens are not to wait with it.
        self._scrapes = Lane("http-metrics", 1, _SCRAPES)
        paths: dict[str, ASGIApp] = {**health_pages(served.vitals, self._checks)}
        if served.metrics is not None:
            paths["/metrics"] = MetricsPage(served.metrics, self._scrapes)
        if served.api is not None:
            service = Service(
                backend=served.api,
                calls=self._calls,
                checks=self._checks,
                budget=BodyBudget(_BODIES * settings.max_body),
                most_bytes=settings.max_body,
                limits=limits,
            )
            paths |= _api(service, version)
        routes = [Route(path, endpoint) for path, endpoint in paths.items()]
        unknown = _no_api if served.api is None else _unknown_path
        router = Router(routes, redirect_slashes=False, default=unknown)
        self._door = FrontDoor(router, clock, networks(settings.trusted_proxies), limits.linger_s)
        self.asgi: ASGIApp = self._door

    @property
    def answered(self) -> dict[tuple[str, int], int]:
        """Requests since the start, by operation and status; any thread may ask."""
        return self._door.answered

    def close(self) -> None:
        """Begin no further call."""
        self._calls.close()
        self._checks.close()
        self._scrapes.close()


def _api(service: Service, version: str) -> dict[str, ASGIApp]:
    """The operations and their description, by their paths."""
    described = document(version)
    by_path: dict[str, list[Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, []).append(operation)
    return {
        **docs_pages(described, docs_page(described)),
        **{path: Endpoint(operations, service) for path, operations in by_path.items()},
    }


async def _unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive, send
    raise Problem(Code.NOT_FOUND, "there is no such path; /docs shows those there are")


async def _no_api(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive, send
    raise Problem(
        Code.NOT_FOUND,
        "there is no such path: this daemon has no API, because its `http.clients` names nobody",
    )
