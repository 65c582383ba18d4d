"""Connections that no HTTP library makes: slow, endless, broken, too many."""

import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import h11
import httpx
import pytest

from bench.daemon import eventually
from builders.api_backend import CLIENT, PICTURE, SECRET, TOKEN, FakeBackend
from edged.http.limits import Limits

HURRIED = Limits(headers_s=0.3, body_s=0.3, unread_s=0.3, linger_s=0.2, idle_s=1)
IMAGES = json.dumps({"images": [{"url": "https://pictures.example/1.jpg"}]}).encode()
CREDENTIALS = json.dumps({"clientId": CLIENT, "clientSecret": SECRET}).encode()
HEALTH = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"


def _post(headers: bytes, *, path: bytes = b"/v2/recognize?namespace=home", token: str = TOKEN) -> bytes:
    return (
        b"POST " + path + b" HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer " + token.encode() + b"\r\n" + headers + b"\r\n\r\n"
    )


def _connected(where: str) -> socket.socket:
    host, port = where.split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def _said(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    said = b""
    try:
        while piece := connection.recv(65536):
            said += piece
    except ConnectionResetError:
        pass
    return said


def _exchange(where: str, *pieces: bytes) -> bytes:
    with _connected(where) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return _said(connection)


def _error(said: bytes) -> tuple[int, str]:
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]["code"]


def test_headers_that_drip_are_given_up(a_server: Callable[..., str]) -> None:
    assert _error(_exchange(a_server(limits=HURRIED), b"GET / HTTP/1.1\r\nx: ")) == (408, "REQUEST_TIMEOUT")


def test_headers_of_a_second_request_that_drip_are_given_up(a_server: Callable[..., str]) -> None:
    said = _exchange(a_server(limits=HURRIED), HEALTH, b"GET / HT")
    assert said.count(b"HTTP/1.1 200") == 1
    assert b"HTTP/1.1 408" in said


def test_a_connection_that_says_nothing_is_closed(a_server: Callable[..., str]) -> None:
    assert b" 408 " in _exchange(a_server(limits=HURRIED))


def test_a_connection_that_asks_nothing_more_is_closed(a_server: Callable[..., str]) -> None:
    assert _exchange(a_server(limits=HURRIED), HEALTH).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("framing", [b"content-length: 500", b"transfer-encoding: chunked"])
def test_a_body_that_drips_is_given_up(
    a_server: Callable[..., str], backend: FakeBackend, framing: bytes
) -> None:
    start = b"5\r\n{    \r\n" if b"chunked" in framing else b"{    "
    assert _error(_exchange(a_server(limits=HURRIED), _post(framing), start)) == (408, "REQUEST_TIMEOUT")
    assert backend.asked == []


def test_an_answer_that_nobody_reads_is_given_up(a_server: Callable[..., str], backend: FakeBackend) -> None:
    where = a_server(limits=HURRIED)
    with _connected(where) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = b"GET /docs HTTP/1.1\r\nhost: a\r\n\r\n"

        def ask_for_ever() -> None:
            while True:
                connection.sendall(request * 100)

        with pytest.raises(OSError, match=r"reset|[Bb]roken"):
            ask_for_ever()
    assert httpx.get(f"http://{where}/healthz").status_code == 200
    assert backend.asked == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a handshake of TLS\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"x" * 300_000,
    ],
    ids=range(10),
)
def test_what_is_no_http_is_refused_in_the_shape_of_all_errors(where: str, garbage: bytes) -> None:
    assert _error(_exchange(where, garbage)) == (400, "MALFORMED_REQUEST")


def test_a_broken_chunk_is_refused(where: str, backend: FakeBackend) -> None:
    said = _exchange(where, _post(b"transfer-encoding: chunked"), b'5\r\n{"a":\r\nzz\r\n')
    assert _error(said) == (400, "MALFORMED_REQUEST")
    assert backend.asked == []


def test_a_body_that_is_too_long_is_refused_before_it_comes(where: str) -> None:
    assert _error(_exchange(where, _post(b"content-length: 10001"))) == (413, "REQUEST_TOO_LARGE")


def test_whoever_waits_to_be_asked_for_a_body_is_not_asked_for_one_that_is_too_long(where: str) -> None:
    said = _exchange(where, _post(b"expect: 100-continue\r\ncontent-length: 10001"))
    assert said.startswith(b"HTTP/1.1 413 ")


def test_whoever_waits_to_be_asked_for_a_body_is_asked(where: str, backend: FakeBackend) -> None:
    length = b"content-length: " + str(len(IMAGES)).encode()
    with _connected(where) as connection:
        connection.sendall(_post(b"expect: 100-continue\r\nconnection: close\r\n" + length))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(IMAGES)
        assert b"HTTP/1.1 200 " in _said(connection)
    assert backend.asked[-1][0] == "recognize"


def test_the_answer_reaches_those_who_send_a_body_that_is_too_long_all_the_same(where: str) -> None:
    said = _exchange(where, _post(b"content-length: 500000"), b" " * 500_000)
    assert _error(said) == (413, "REQUEST_TOO_LARGE")


def test_chunks_are_cut_at_the_limit(where: str, backend: FakeBackend) -> None:
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    said = _exchange(where, _post(b"transfer-encoding: chunked"), chunk, chunk, chunk)
    assert _error(said) == (413, "REQUEST_TOO_LARGE")
    assert backend.asked == []


def test_chunks_are_put_together(client: httpx.Client, backend: FakeBackend) -> None:
    pieces = (IMAGES[place : place + 7] for place in range(0, len(IMAGES), 7))
    answer = client.post(
        "/v2/recognize?namespace=home", content=pieces, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200
    assert backend.asked[-1][1].images[0].url == "https://pictures.example/1.jpg"


def test_credentials_are_short(where: str) -> None:
    said = _exchange(where, _post(b"content-length: 10001", path=b"/v2/oauth/token", token=""))
    assert _error(said) == (413, "REQUEST_TOO_LARGE")


def test_nobody_sends_a_body_without_a_token(where: str) -> None:
    said = _exchange(where, _post(b"content-length: 9000", token="wrong"))
    assert said.startswith(b"HTTP/1.1 401 ")


def test_bodies_of_all_requests_have_a_budget(a_server: Callable[..., str], backend: FakeBackend) -> None:
    where = a_server(max_body=10_000)
    with _connected(where) as one, _connected(where) as other:
        for connection in (one, other):
            connection.sendall(_post(b"content-length: 10000"))

        def refused() -> bool:
            said = _exchange(where, _post(b"connection: close\r\ncontent-length: 9000"))
            return b"HTTP/1.1 429 " in said and b"retry-after: 1" in said

        eventually(refused, 10)
    # What was held is given back when its connections are gone.
    length = b"content-length: " + str(len(IMAGES)).encode()
    said = _post(b"connection: close\r\n" + length) + IMAGES
    eventually(lambda: _exchange(where, said).startswith(b"HTTP/1.1 200 "), 10)
    assert backend.asked[-1][0] == "recognize"


def test_requests_that_come_at_once_are_answered_in_their_order(where: str) -> None:
    last = b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    said = _exchange(where, HEALTH + HEALTH + last)
    assert said.count(b"HTTP/1.1 200 ") == 3
    assert said.endswith(b'{"status":"ready"}')


def test_a_body_nobody_asked_for_does_not_become_the_next_request(where: str) -> None:
    smuggled = b"GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n"
    length = str(len(smuggled)).encode()
    said = _exchange(where, HEALTH[:-2] + b"content-length: " + length + b"\r\n\r\n" + smuggled)
    assert said.count(b"HTTP/1.1 200 ") == 1
    assert b"ready" not in said


def test_what_has_no_room_is_put_off(a_server: Callable[..., str], backend: FakeBackend) -> None:
    where = a_server(limits=Limits(threads=1, waiting=1))
    headers = {"authorization": f"Bearer {TOKEN}"}
    backend.gate.clear()
    with httpx.Client(base_url=f"http://{where}", headers=headers, verify=False) as client:
        with ThreadPoolExecutor(2) as pool:
            taken = [pool.submit(client.get, "/v2/webhooks") for _ in range(2)]
            # One waits at the gate, one for its thread; which of both came first does not matter.
            eventually(lambda: client.get("/v2/webhooks").status_code == 503 if backend.asked else 0, 10)
            put_off = client.get("/v2/webhooks")
            health = client.get("/healthz")
            backend.gate.set()
            answers = [one.result() for one in taken]
        assert (put_off.status_code, put_off.headers["retry-after"]) == (503, "1")
        assert health.status_code == 200
        assert [answer.status_code for answer in answers] == [200, 200]


def test_a_client_that_hangs_up_leaves_the_others_alone(where: str, backend: FakeBackend) -> None:
    backend.gate.clear()
    with _connected(where) as connection:
        connection.sendall(b"GET /v2/webhooks HTTP/1.1\r\nhost: a\r\nauthorization: Bearer " + TOKEN.encode())
        connection.sendall(b"\r\n\r\n")
        eventually(lambda: backend.asked, 10)
    backend.gate.set()
    assert httpx.get(f"http://{where}/healthz").status_code == 200


def test_more_connections_than_there_may_be_are_closed(a_server: Callable[..., str]) -> None:
    where = a_server(limits=Limits(connections=2))
    with _connected(where) as one, _connected(where) as other:
        for connection in (one, other):
            connection.sendall(HEALTH)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert _exchange(where) == b""
    eventually(lambda: b" 200 " in _first(where), 10)


def test_many_clients_at_once_are_all_served(where: str, backend: FakeBackend) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    statuses: list[int] = []

    def work(client: httpx.Client) -> None:
        for _ in range(5):
            statuses.append(client.get("/v2/webhooks").status_code)  # noqa: PERF401 - one after the other

    with httpx.Client(base_url=f"http://{where}", headers=headers, verify=False) as client:
        threads = [threading.Thread(target=work, args=(client,)) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 160
    assert len(backend.asked) == 160


def test_what_is_sent_is_http_that_a_strict_reader_takes(where: str) -> None:
    reader = h11.Connection(h11.CLIENT)
    target = "/v2/recognition/images/home/00000000-0000-4000-8000-000000000001/picture"
    headers = [("host", "a"), ("authorization", f"Bearer {TOKEN}"), ("connection", "close")]
    with _connected(where) as connection:
        connection.sendall(reader.send(h11.Request(method="GET", target=target, headers=headers)) or b"")
        reader.send(h11.EndOfMessage())
        reader.receive_data(_said(connection))
    assert reader.next_event().status_code == 200
    assert reader.next_event().data == PICTURE
    assert isinstance(reader.next_event(), h11.EndOfMessage)


def _first(where: str) -> bytes:
    with _connected(where) as connection:
        try:
            connection.sendall(HEALTH)
            return connection.recv(65536)
        except ConnectionError:
            return b""
