import functools
import hashlib
import http.server
import logging
import ssl
import threading

import pytest
import trustme

from bench.mosquitto import eventually, free_port
from bench.raw_server import RawServer, dripping, saying
from builders.namespaces import HandClock
from edged.sync.mirror import MOST_WAITING, Mirror
from edged.sync.shelf import Shelf

CONTENTS = [b"first page", b"second page" * 8000, b"third"]


def named(content):
    return hashlib.sha256(content).hexdigest()


class _Files(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class WebServer:
    """The standard library's static web server on a shelf, with TLS where a certificate is given."""

    def __init__(self, folder, certificate=None, port=0):
        handler = functools.partial(_Files, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    @property
    def address(self):
        return f"{self.scheme}://localhost:{self.server.server_port}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def shelf(tmp_path):
    found = Shelf(tmp_path / "www", "home", 0)
    for content in CONTENTS:
        found.put(named(content), content)
    return tmp_path / "www"


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def a_mirror(clock):
    made = []

    def make(address, ca_file=None, timeout_s=5.0):
        made.append(Mirror(address, "home", ca_file, clock, timeout_s))
        return made[-1]

    yield make
    for mirror in made:
        mirror.close()


def fetched(mirror, *wanted):
    for sha256, size_bytes in wanted:
        mirror.want(sha256, size_bytes)
    came = {}
    eventually(lambda: came.update(mirror.came()) or len(came) == len({w[0] for w in wanted}), "pages")
    return came


def entries(*contents):
    return [(named(content), len(content)) for content in contents]


def test_pages_that_a_shelf_has_come_from_a_web_server(shelf, a_mirror):
    with WebServer(shelf) as server:
        mirror = a_mirror(f"{server.address}/")
        assert fetched(mirror, *entries(*CONTENTS)) == {named(each): each for each in CONTENTS}
        assert (mirror.served, mirror.failed, mirror.trouble) == (3, 0, "")
        eventually(lambda: all(each.name != "sync mirror" for each in threading.enumerate()), "its end")
        # One that has ended begins anew.
        assert fetched(mirror, *entries(CONTENTS[0]))
        mirror.close()


def test_tls_is_verified_with_the_authority_that_is_named(shelf, tmp_path, a_mirror, caplog):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    (tmp_path / "empty.pem").write_text("")
    with WebServer(shelf, authority.issue_cert("localhost")) as server:
        page = entries(CONTENTS[0])
        assert fetched(a_mirror(server.address, str(tmp_path / "ca.pem")), *page)[page[0][0]] == CONTENTS[0]
        for ca_file in ("other.pem", "empty.pem", "none.pem"):
            mirror = a_mirror(server.address, str(tmp_path / ca_file))
            assert fetched(mirror, *page) == {page[0][0]: None}
            assert "certificate" in mirror.trouble
        assert "certificate is not trusted" in caplog.text
        mirror.close()


def test_a_page_that_is_not_there_fails_alone(shelf, a_mirror, caplog):
    with WebServer(shelf) as server:
        mirror = a_mirror(server.address)
        came = fetched(mirror, ("0" * 64, 10), *entries(CONTENTS[0]))
        assert came == {"0" * 64: None, named(CONTENTS[0]): CONTENTS[0]}
        assert "404" in caplog.text
        mirror.close()


@pytest.mark.parametrize("size_bytes", [1, len(CONTENTS[1]) - 1, len(CONTENTS[1]) + 1])
def test_a_page_of_another_size_than_the_manifest_says_is_none(shelf, a_mirror, size_bytes):
    with WebServer(shelf) as server:
        mirror = a_mirror(server.address)
        assert fetched(mirror, (named(CONTENTS[1]), size_bytes)) == {named(CONTENTS[1]): None}
        mirror.close()


def test_it_is_not_sent_elsewhere(a_mirror):
    with RawServer(saying(b"")) as elsewhere:
        answer = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere.port}/x\r\n\r\n".encode()
        with RawServer(saying(answer)) as server:
            assert fetched(a_mirror(f"http://127.0.0.1:{server.port}"), ("a" * 64, 1)) == {"a" * 64: None}
        assert elsewhere.connections == 0


def test_an_answer_without_an_end_is_not_read_further_than_a_page(a_mirror):
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    with RawServer(dripping(head, b"x" * 65536)) as server:
        assert fetched(a_mirror(f"http://127.0.0.1:{server.port}"), ("a" * 64, 1000)) == {"a" * 64: None}


def test_an_answer_that_drips_is_given_up_after_its_time(a_mirror):
    with RawServer(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x")) as server:
        mirror = a_mirror(f"http://127.0.0.1:{server.port}", timeout_s=0.3)
        assert fetched(mirror, ("a" * 64, 1000)) == {"a" * 64: None}
        assert mirror.trouble == "no answer in time"


def test_a_mirror_that_does_not_serve_is_left_alone_ever_longer_and_then_asked_again(a_mirror, clock, caplog):
    caplog.set_level(logging.INFO)
    with RawServer(saying(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")) as server:
        mirror = a_mirror(f"http://127.0.0.1:{server.port}")
        pages = entries(*CONTENTS)
        for rest_ms in (5_000, 10_000, 20_000):
            asked = server.connections
            assert set(fetched(mirror, *pages).values()) == {None}
            # Without a word to the mirror, and at once.
            clock.ms += rest_ms - 1
            mirror.want(*pages[0])
            assert mirror.came() == [(pages[0][0], None)]
            assert server.connections == asked + 1
            clock.ms += 1
        assert caplog.text.count("does not serve a page") == 1


def test_a_mirror_that_comes_back_is_told(shelf, clock, a_mirror, caplog):
    caplog.set_level(logging.INFO)
    port = free_port()
    mirror = a_mirror(f"http://localhost:{port}")
    page = entries(CONTENTS[0])
    assert fetched(mirror, *page) == {page[0][0]: None}
    assert "nothing listens there" in mirror.trouble
    clock.ms += 5_000
    with WebServer(shelf, port=port):
        assert fetched(mirror, *page) == {page[0][0]: CONTENTS[0]}
        mirror.close()
    assert mirror.trouble == ""
    assert "serves again" in caplog.text


def test_no_more_pages_wait_to_be_taken_than_memory_is_meant_for(tmp_path, a_mirror):
    contents = [str(number).encode() for number in range(MOST_WAITING + 5)]
    shelf = Shelf(tmp_path / "many", "home", 0)
    for content in contents:
        shelf.put(named(content), content)
    with WebServer(tmp_path / "many") as server:
        mirror = a_mirror(server.address)
        for sha256, size_bytes in entries(*contents):
            mirror.want(sha256, size_bytes)
            mirror.want(sha256, size_bytes)
        eventually(lambda: mirror.served == MOST_WAITING, "as many as may wait")
        assert len(mirror.came()) == MOST_WAITING
        rest = []
        eventually(lambda: rest.extend(mirror.came()) or len(rest) == 5, "the others")
        assert mirror.served == len(contents)
        mirror.close()


def test_a_server_that_closes_idle_connections_is_connected_to_again(a_mirror):
    with RawServer(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")) as server:
        mirror = a_mirror(f"http://127.0.0.1:{server.port}")
        assert fetched(mirror, ("a" * 64, 3), ("b" * 64, 3)) == {"a" * 64: b"abc", "b" * 64: b"abc"}
        assert server.connections == 2
        assert mirror.trouble == ""


def test_a_server_that_hangs_up_without_an_answer_fails_however_often_it_is_asked(a_mirror):
    def answer_once(connection, _request, _over):
        if server.connections == 1:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")

    with RawServer(answer_once) as server:
        mirror = a_mirror(f"http://127.0.0.1:{server.port}")
        assert fetched(mirror, ("a" * 64, 3), ("b" * 64, 3)) == {"a" * 64: b"abc", "b" * 64: None}
        assert mirror.trouble
    with RawServer(saying(b"")) as server:
        mirror = a_mirror(f"http://127.0.0.1:{server.port}")
        assert fetched(mirror, ("a" * 64, 3)) == {"a" * 64: None}
        assert mirror.trouble


@pytest.mark.parametrize(
    "answer", [b"\0\xff nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"]
)
def test_an_answer_that_is_none_fails(a_mirror, answer):
    with RawServer(saying(answer)) as server:
        mirror = a_mirror(f"http://127.0.0.1:{server.port}")
        assert fetched(mirror, ("a" * 64, 9)) == {"a" * 64: None}
        assert (mirror.served, mirror.failed) == (0, 1)
