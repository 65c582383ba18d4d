"""Servers that are really there, over a backend that only remembers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from bench.mosquitto import free_port
from builders.api_backend import TOKEN, FakeBackend
from edged.http.limits import Limits
from edged.http.ports import Served
from edged.http.server import HttpServer
from edged.settings.http import Client, Http
from edged.settings.quantities import Secret
from edged.system.clock import SystemClock

ANYBODY = Client(id="integrator", secret=Secret("integrator", "not looked at by the server"))
MOST_BYTES = 10_000
QUICK = Limits(linger_s=0.2)


@contextmanager
def _serving(backend: FakeBackend, limits: Limits = QUICK, **settings: object) -> Iterator[str]:
    where = f"127.0.0.1:{free_port()}"
    section = Http(listen=where, clients=(ANYBODY,), **settings)
    server = HttpServer(Served(backend, backend), section, SystemClock(), limits)
    server.start()
    try:
        yield where
    finally:
        backend.gate.set()
        assert server.stop(10)


@pytest.fixture(scope="module")
def _served() -> Iterator[tuple[str, FakeBackend]]:
    backend = FakeBackend()
    with _serving(backend, max_body=MOST_BYTES) as where:
        yield where, backend


@pytest.fixture
def backend(_served: tuple[str, FakeBackend]) -> FakeBackend:
    """What is behind the servers, as if made anew."""
    _served[1].reset()
    return _served[1]


@pytest.fixture
def where(_served: tuple[str, FakeBackend], backend: FakeBackend) -> str:  # noqa: ARG001 - made anew
    """Address and port of a server whose limit to bodies is 10 kB. It serves all tests of a file."""
    return _served[0]


@pytest.fixture
def a_server(backend: FakeBackend) -> Iterator[Callable[..., str]]:
    """Starts a server of one's own, with some settings and `limits`; gives its address and port."""
    running = []

    def start(**settings: object) -> str:
        serving = _serving(backend, **settings)
        running.append(serving)
        return serving.__enter__()

    yield start
    for serving in running:
        serving.__exit__(None, None, None)


@pytest.fixture
def client(where: str) -> Iterator[httpx.Client]:
    """May do everything in the namespace `home`."""
    with httpx.Client(
        base_url=f"http://{where}", headers={"authorization": f"Bearer {TOKEN}"}, verify=False
    ) as client:
        yield client
