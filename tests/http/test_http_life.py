"""The server begins, listens where it was told, and ends."""

import re
import socket
import ssl
import threading
from pathlib import Path

import httpx
import pytest
import trustme

from bench.daemon import eventually
from bench.mosquitto import free_port
from builders.api_backend import TOKEN, FakeBackend
from edged.domain.errors import ConfigurationError
from edged.http.ports import Served
from edged.http.server import HttpServer
from edged.settings.http import Client, Http, HttpTls
from edged.settings.quantities import Secret
from edged.system.clock import SystemClock

ANYBODY = (Client(id="integrator", secret=Secret("integrator", "not looked at by the server")),)


def _server(backend: FakeBackend, listen: str, **settings: object) -> HttpServer:
    section = Http(listen=listen, clients=ANYBODY, **settings)
    return HttpServer(Served(backend, backend), section, SystemClock())


@pytest.fixture
def files(tmp_path: Path) -> HttpTls:
    """Certificate and key for localhost, and beside them `ca.pem`."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    own = ca.issue_cert("localhost")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    for certificate in own.cert_chain_pems:
        certificate.write_to_path(tmp_path / "certificate.pem", append=True)
    return HttpTls(certificate_file=str(tmp_path / "certificate.pem"), key_file=str(tmp_path / "key.pem"))


def test_a_port_that_is_taken_is_an_error_for_people(backend: FakeBackend) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = _server(backend, f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(ConfigurationError, match=r"cannot listen at 127\.0\.0\.1") as refusal:
            server.start()
    assert "another program listens there" in refusal.value.remedy
    assert not server.is_alive
    assert server.stop(1)


@pytest.mark.parametrize("listen", ["192.0.2.1:8080", "nowhere.invalid:8080", "127.0.0.1:99999"])
def test_an_address_that_is_not_this_machines_is_an_error_for_people(
    backend: FakeBackend, listen: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(listen)) as refusal:
        _server(backend, listen).start()
    assert refusal.value.remedy


def test_the_name_of_this_machine_can_be_listened_at(backend: FakeBackend) -> None:
    listen = f"localhost:{free_port()}"
    server = _server(backend, listen)
    server.start()
    try:
        assert httpx.get(f"http://{listen}/healthz").status_code == 200
    finally:
        assert server.stop(10)


def test_it_speaks_tls_with_the_users_certificate(
    backend: FakeBackend, files: HttpTls, tmp_path: Path
) -> None:
    listen = f"127.0.0.1:{free_port()}"
    server = _server(backend, listen, tls=files)
    server.start()
    base = f"https://localhost:{listen.rpartition(':')[2]}"
    trusting = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    try:
        with httpx.Client(base_url=base, verify=trusting) as client:
            answer = client.get("/v2/webhooks", headers={"authorization": f"Bearer {TOKEN}"})
            assert answer.json() == []
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{base}/healthz")
        with socket.create_connection(("127.0.0.1", int(listen.rpartition(":")[2])), 10) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
            assert not plain.recv(1000).startswith(b"HTTP")
        with httpx.Client(base_url=base, verify=trusting) as client:
            assert client.get("/healthz").status_code == 200
    finally:
        assert server.stop(20)


@pytest.mark.parametrize("missing", ["certificate_file", "key_file"])
def test_a_missing_certificate_or_key_is_named(backend: FakeBackend, files: HttpTls, missing: str) -> None:
    Path(getattr(files, missing)).unlink()
    with pytest.raises(ConfigurationError, match=rf"http.tls.{missing}.*No such file"):
        _server(backend, "127.0.0.1:1", tls=files).start()


def test_a_key_of_another_certificate_is_refused(backend: FakeBackend, files: HttpTls) -> None:
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(files.key_file)
    with pytest.raises(ConfigurationError, match="cannot be used") as refusal:
        _server(backend, "127.0.0.1:1", tls=files).start()
    assert "the key belongs to the first certificate" in refusal.value.remedy


def test_a_certificate_that_is_none_is_refused(backend: FakeBackend, files: HttpTls) -> None:
    Path(files.certificate_file).write_text("no certificate")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        _server(backend, "127.0.0.1:1", tls=files).start()


def test_what_was_begun_is_answered_before_it_ends(backend: FakeBackend) -> None:
    listen = f"127.0.0.1:{free_port()}"
    server = _server(backend, listen)
    server.start()
    backend.gate.clear()
    answers: list[httpx.Response] = []
    headers = {"authorization": f"Bearer {TOKEN}"}
    asking = threading.Thread(
        target=lambda: answers.append(httpx.get(f"http://{listen}/v2/webhooks", headers=headers))
    )
    asking.start()
    eventually(lambda: backend.asked, 10)
    ending = threading.Thread(target=server.stop, args=(20,))
    ending.start()

    def refuses() -> bool:
        try:
            httpx.get(f"http://{listen}/healthz", timeout=1)
        except httpx.TransportError:
            return True
        return False

    eventually(refuses, 10)
    backend.gate.set()
    asking.join()
    ending.join()
    assert [answer.status_code for answer in answers] == [200]
    assert not server.is_alive


def test_it_ends_without_having_begun(backend: FakeBackend) -> None:
    assert _server(backend, "127.0.0.1:1").stop(1)
