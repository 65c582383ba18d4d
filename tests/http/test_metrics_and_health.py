"""`/metrics`, and a server without an API; real servers, real requests."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from bench.mosquitto import free_port
from builders.patience import eventually
from edged.http.limits import Limits
from edged.http.ports import Exposition, Served
from edged.http.server import HttpServer
from edged.settings.http import Http
from edged.system.clock import SystemClock

TOKEN = "for-prometheus-alone"
TEXT = b"edged_progress 1.0\n"


class Vitals:
    def is_alive(self) -> bool:
        return True

    def not_ready(self) -> tuple[str, ...]:
        return ()


@contextmanager
def _a_server(
    token: str | None,
    *,
    with_metrics: bool = True,
    text: Callable[[], bytes] = lambda: TEXT,
    **settings: object,
) -> Iterator[tuple[str, HttpServer]]:
    listen = f"127.0.0.1:{free_port()}"
    metrics = Exposition(text, token) if with_metrics else None
    server = HttpServer(
        Served(Vitals(), None, metrics), Http(listen=listen, **settings), SystemClock(), Limits(linger_s=0.2)
    )
    server.start()
    try:
        yield f"http://{listen}", server
    finally:
        assert server.stop(10)


def test_with_a_token_whoever_has_it_sees_the_figures() -> None:
    with _a_server(TOKEN) as (base, _):
        answer = httpx.get(f"{base}/metrics", headers={"authorization": f"Bearer {TOKEN}"})

        assert (answer.status_code, answer.content) == (200, TEXT)
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    "offered", [None, "Bearer another-token", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer"]
)
def test_with_a_token_nobody_without_it_does(offered: str | None) -> None:
    with _a_server(TOKEN) as (base, _):
        answer = httpx.get(f"{base}/metrics", headers={} if offered is None else {"authorization": offered})

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert TEXT not in answer.content


def test_without_a_token_a_program_on_this_machine_does() -> None:
    with _a_server(None) as (base, _):
        assert httpx.get(f"{base}/metrics").content == TEXT
        assert httpx.head(f"{base}/metrics").status_code == 200
        assert httpx.post(f"{base}/metrics").status_code == 405


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
@pytest.mark.parametrize("trusted", [(), ("127.0.0.1",)])
def test_without_a_token_nobody_who_comes_through_a_proxy_does(header: str, trusted: tuple[str, ...]) -> None:
    with _a_server(None, trusted_proxies=trusted) as (base, _):
        answer = httpx.get(f"{base}/metrics", headers={header: "127.0.0.1"})

        assert answer.status_code == 403
        assert "http.metrics.token" in answer.json()["error"]["message"]


def test_health_does_not_wait_for_a_scrape_that_takes_long() -> None:
    begun, released = threading.Event(), threading.Event()

    def slowly() -> bytes:
        begun.set()
        released.wait(60)
        return TEXT

    with _a_server(None, text=slowly) as (base, _), ThreadPoolExecutor(1) as scraper:
        scrape = scraper.submit(httpx.get, f"{base}/metrics", timeout=60)
        try:
            assert begun.wait(20)
            assert httpx.get(f"{base}/healthz").status_code == 200
        finally:
            released.set()
        assert scrape.result(60).content == TEXT


def test_without_clients_there_is_health_and_nothing_of_the_api() -> None:
    with _a_server(None, with_metrics=False) as (base, server):
        assert httpx.get(f"{base}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{base}/readyz").json() == {"status": "ready"}
        for path in ("/", "/docs", "/openapi.json", "/metrics", "/v2/webhooks", "/v2/oauth/token"):
            answer = httpx.get(f"{base}{path}")
            assert answer.status_code == 404
            assert "http.clients" in answer.json()["error"]["message"]
        assert httpx.post(f"{base}/v2/oauth/token", json={}).status_code == 404

        # An answer is counted once it is sent, when whoever asked may have read it already.
        eventually(lambda: server.answered == {("page", 200): 2, ("", 404): 7})
