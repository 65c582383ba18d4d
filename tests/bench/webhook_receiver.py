"""A real HTTPS receiver of webhooks, which answers by a script and verifies every signature."""

import http.server
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message as Headers
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme
from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

HANG = "hang"
"""Takes the request and never answers."""
CLOSE = "close"
"""Takes the request and closes the connection."""
DRIP = "drip"
"""Answers a header line every now and then, for ever."""
GARBAGE = "garbage"
"""Answers something that is not HTTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A status with headers and a body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Script = int | str | Reply


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    answered: Script


class WebhookReceiver:
    """Answers by the script, then 200 for ever. A request whose signature is wrong gets 401.

    Args:
        script: the answers, in their order.
        tls: speaks HTTPS with a certificate of `ca` for localhost; else HTTP.
        secret: verifies signatures with the `standardwebhooks` library; None: signatures are not looked at.
    """

    def __init__(
        self, script: Iterable[Script] = (), *, tls: bool = True, secret: str | None = SECRET
    ) -> None:
        self._script = list(script)
        self._lock = threading.Lock()
        self._verifier = Webhook(secret) if secret else None
        self.received: list[Received] = []
        self.released = threading.Event()
        self._open: set[socket.socket] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="webhook-")
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        self._server = _Server(self, self._context() if tls else None)
        self.port = int(self._server.server_address[1])
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self.cut()
        self._server.server_close()
        self._folder.cleanup()

    def cut(self) -> None:
        """Close the connections that stand."""
        with self._lock:
            for one in self._open:
                try:
                    socket.socket.shutdown(one, socket.SHUT_RDWR)
                except OSError:
                    continue

    def take(self, path: str, headers: Headers, body: bytes, connection: int) -> Script:
        """Note a request; returns how to answer it."""
        with self._lock:
            answer: Script = self._script.pop(0) if self._script else 200
            told = {name.lower(): value for name, value in headers.items()}
            if self._verifier is not None:
                try:
                    self._verifier.verify(body, told)
                except WebhookVerificationError:
                    answer = 401
            self.received.append(Received(path, told, body, connection, answer))
        return answer

    def bodies(self) -> list[str]:
        """What came, in its order."""
        with self._lock:
            return [one.body.decode() for one in self.received]

    def _context(self) -> ssl.SSLContext:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(context)
        return context


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, receiver: WebhookReceiver, context: ssl.SSLContext | None) -> None:
        self.receiver = receiver
        self._context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self):
        connection, address = super().get_request()
        if self._context is None:
            return connection, address
        try:
            # Python leaves a socket open whose client has gone before it could be wrapped.
            connection.getpeername()
        except OSError:
            connection.close()
            raise
        # The handshake is the handler's: a client that does not make it must not hold up the others.
        wrapped = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def process_request(self, request, client_address):
        with self.receiver._lock:
            self.receiver._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        with self.receiver._lock:
            self.receiver._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the game."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.server.receiver.take(self.path, self.headers, body, self.client_address[1])
        if isinstance(answer, str):
            self._misbehave(answer)
            return
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.status not in {204, 304}:
            self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _misbehave(self, how):
        self.close_connection = True
        if how == HANG:
            self.server.receiver.released.wait(60)
        elif how == DRIP:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.server.receiver.released.wait(0.05):
                self.wfile.write(b"x-drip: 1\r\n")
        elif how == GARBAGE:
            self.wfile.write(b"220 mail.example.org ESMTP\r\n\r\n")

    def log_message(self, *_arguments):
        """Tests read what was received, not a log."""
