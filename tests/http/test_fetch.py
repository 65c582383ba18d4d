import gzip
import io
import threading

import pytest

from bench.mosquitto import eventually
from bench.raw_server import RawServer, dripping, saying, silent
from edged.api.fetching import FetchError
from edged.http.fetch import Fetcher
from edged.http.guard import Guard
from edged.settings.quantities import Duration, Size
from edged.settings.requests import Fetch
from edged.system.clock import SystemClock

CLOCK = SystemClock()
HERE = ("127.0.0.0/8",)


def a_fetcher(*, allow: tuple[str, ...] = HERE, timeout_s: float = 10, max_bytes: int = 1000) -> Fetcher:
    settings = Fetch(allow_networks=allow, timeout=Duration(timeout_s), max_bytes=Size(max_bytes))
    return Fetcher(settings, Guard(allow, CLOCK), CLOCK)


def an_answer(body: bytes, *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers] + ([f"Content-Length: {len(body)}"] if length else [])
    return "\r\n".join([*lines, "", ""]).encode() + body


def refused(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(FetchError) as caught:
        fetcher.fetch(url)
    assert str(caught.value) == caught.value.reason
    return caught.value.reason


def test_a_picture_is_fetched_by_a_plain_get_that_tells_who_asks():
    with RawServer(saying(an_answer(b"a picture"))) as server:
        assert a_fetcher().fetch(f"http://localhost:{server.port}/a?b=c#d") == b"a picture"
    head = server.requests[0].decode().split("\r\n")
    assert head[0] == "GET /a?b=c HTTP/1.1"
    assert f"Host: localhost:{server.port}" in head
    assert "Accept-Encoding: identity" in head
    assert any(line.startswith("User-Agent: edged/") for line in head)
    assert not any(line.lower().startswith(("authorization", "cookie", "referer")) for line in head)


@pytest.mark.parametrize(
    "answer",
    [
        an_answer(b"whole", length=False),
        an_answer(b"5\r\nwhole\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False),
        an_answer(b"whole", "Content-Encoding: identity"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + an_answer(b"whole"),
        an_answer(b"whole").replace(b"1.1", b"1.0"),
    ],
)
def test_every_usual_way_to_send_a_body_is_understood(answer):
    with RawServer(saying(answer)) as server:
        assert a_fetcher().fetch(f"http://127.0.0.1:{server.port}/") == b"whole"


def test_no_proxy_of_the_environment_is_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    with RawServer(saying(an_answer(b"x"))) as server:
        assert a_fetcher().fetch(f"http://127.0.0.1:{server.port}/") == b"x"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "017700000001", "127.1", "[::1]", "[::ffff:7f00:1]"],
)
def test_an_inner_address_is_refused_however_it_is_spelled_and_nothing_is_sent(host):
    with RawServer(saying(an_answer(b"secret"))) as server:
        reason = refused(a_fetcher(allow=()), f"http://{host}:{server.port}/")
    assert server.connections == 0
    assert "may not be reached" in reason


def test_an_open_and_a_closed_port_of_a_forbidden_address_look_the_same():
    with RawServer(saying(an_answer(b"secret"))) as server:
        is_open = refused(a_fetcher(allow=()), f"http://127.0.0.1:{server.port}/")
    is_closed = refused(a_fetcher(allow=()), f"http://127.0.0.1:{server.port}/")
    assert is_open == is_closed


def test_of_a_server_that_fails_only_the_status_is_told():
    with RawServer(saying(an_answer(b"the secret", "X-Secret: word", status="403 The Secret"))) as server:
        assert refused(a_fetcher(), f"http://127.0.0.1:{server.port}/") == "the server answered 403 Forbidden"


@pytest.mark.parametrize(
    "answer",
    [
        an_answer(b"x" * 1001),
        an_answer(b"x" * 1001, length=False),
        an_answer(b"500\r\n" + b"x" * 1280 + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n",
    ],
)
def test_more_bytes_than_allowed_are_refused(answer):
    with RawServer(saying(answer)) as server:
        assert "larger than 1000 bytes" in refused(a_fetcher(), f"http://127.0.0.1:{server.port}/")


def test_as_many_bytes_as_allowed_are_taken():
    with RawServer(saying(an_answer(b"x" * 1000))) as server:
        assert len(a_fetcher().fetch(f"http://127.0.0.1:{server.port}/")) == 1000


@pytest.mark.parametrize(
    "header", ["Content-Encoding: gzip", "Content-Encoding: br", "Transfer-Encoding: gzip"]
)
def test_a_packed_body_is_refused_before_it_is_read(header):
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        file.write(bytes(10_000_000))
    with RawServer(saying(an_answer(packed.getvalue(), header))) as server:
        assert "compressed" in refused(a_fetcher(), f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "say",
    [
        silent,
        dripping(b"", b"H"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"x-drip: 1\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silence", "status", "headers", "body", "sized body", "chunks", "continue"],
)
def test_a_server_that_takes_for_ever_is_left_in_time(say):
    with RawServer(say) as server:
        reason = refused(a_fetcher(timeout_s=0.2, max_bytes=10_000), f"http://127.0.0.1:{server.port}/")
    assert reason == "the server did not send it in time"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 mail.example.org ESMTP\r\n",
        an_answer(b"whole")[:-2],
        an_answer(b"5\r\nwh", "Transfer-Encoding: chunked", length=False),
        b"HTTP/1.1 200 OK\r\n" + b"x-many: 1\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "not http", "short", "short chunk", "many headers", "long header"],
)
def test_an_answer_that_is_none_is_refused_without_its_words(answer):
    with RawServer(saying(answer)) as server:
        reason = refused(a_fetcher(), f"http://127.0.0.1:{server.port}/")
    assert reason == "the connection to the server broke off"


def test_redirects_are_followed_on_the_same_server():
    def say(connection, request, _over):
        path = request.split()[1]
        ahead = {b"/1": "2", b"/2": f"http://localhost:{server.port}/3"}.get(path)
        there = an_answer(b"", f"Location: {ahead}", status="302 Found")
        connection.sendall(there if ahead else an_answer(b"found"))

    with RawServer(say) as server:
        assert a_fetcher().fetch(f"http://localhost:{server.port}/1") == b"found"


def test_redirects_without_end_end():
    with RawServer(saying(an_answer(b"", "Location: /again", status="307 T"))) as server:
        assert "more than 3 times" in refused(a_fetcher(), f"http://localhost:{server.port}/")
    assert server.connections == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "http://evil.example/",
        "https://localhost:{port}/",
        "file:///etc/passwd",
        "//x",
    ],
)
def test_a_redirect_to_elsewhere_is_not_followed(location):
    with RawServer(saying(b"")) as server:
        ahead = location.format(port=server.port)
        server.say = saying(an_answer(b"", f"Location: {ahead}", status="301 Moved"))
        refused(a_fetcher(), f"http://localhost:{server.port}/")
    assert server.connections == 1


def test_a_redirect_to_nowhere_is_refused():
    with RawServer(saying(an_answer(b"", status="301 Moved"))) as server:
        assert refused(a_fetcher(), f"http://localhost:{server.port}/") == "it redirects to nowhere"


def test_tls_is_verified_against_the_name(tmp_path, monkeypatch):
    with RawServer(saying(an_answer(b"safe")), names=("localhost",), folder=tmp_path) as server:
        url = f"https://localhost:{server.port}/"
        assert refused(a_fetcher(), url) == "the server's certificate is not trusted"
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        assert a_fetcher().fetch(url) == b"safe"
        other = refused(a_fetcher(), f"https://127.0.0.1:{server.port}/")
    assert other == "the server's certificate is not trusted"
    assert len(server.requests) == 1


def test_a_server_without_tls_is_no_https_server():
    with RawServer(silent) as server:
        reason = refused(a_fetcher(timeout_s=0.2), f"https://127.0.0.1:{server.port}/")
    assert reason == "no secure connection to the server could be made"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stop_ends_a_fetch_at_once_and_every_later_one(scheme):
    fetcher = a_fetcher(timeout_s=60)
    reasons: list[str] = []
    with RawServer(silent) as server:
        url = f"{scheme}://127.0.0.1:{server.port}/"
        thread = threading.Thread(target=lambda: reasons.append(refused(fetcher, url)))
        thread.start()
        eventually(lambda: server.requests or (scheme == "https" and server.connections), "a request")
        fetcher.abort()
        thread.join(20)
        assert not thread.is_alive()
        assert reasons == ["the daemon is stopping"]
        assert refused(fetcher, url) == "the daemon is stopping"
