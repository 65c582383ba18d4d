"""A TCP server that says what a test has it say, byte for byte, with TLS where that is wanted."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import trustme

Say = Callable[[socket.socket, bytes, threading.Event], None]
"""Answers one request: the connection, the request's head, and the end of the test."""


def saying(answer: bytes) -> Say:
    """Answers that, and closes."""
    return lambda connection, _request, _over: connection.sendall(answer)


def dripping(start: bytes, drop: bytes) -> Say:
    """Answers `start`, then a drop every now and then, for ever."""

    def say(connection: socket.socket, _request: bytes, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(0.02):
            connection.sendall(drop)

    return say


def silent(_connection: socket.socket, _request: bytes, over: threading.Event) -> None:
    """Answers nothing."""
    over.wait(60)


class RawServer:
    """Listens on a port of 127.0.0.1. Each connection gets one answer; `requests` has the heads that came.

    Args:
        say: the answer.
        names: speaks TLS with a certificate for these; `ca_file` has its authority.
        folder: where that goes.
    """

    def __init__(self, say: Say, *, names: tuple[str, ...] = (), folder: Path | None = None) -> None:
        self.say = say
        self.requests: list[bytes] = []
        self.connections = 0
        self._context: ssl.SSLContext | None = None
        if names and folder is not None:
            authority = trustme.CA()
            self.ca_file = folder / "raw-server-ca.pem"
            authority.cert_pem.write_to_path(str(self.ca_file))
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(*names).configure_cert(self._context)
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(10)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(3)
        # Clients that hang up, or do not trust us, are part of the game.
        with contextlib.suppress(OSError), plain:
            connection = self._context.wrap_socket(plain, server_side=True) if self._context else plain
            with connection:
                head = b""
                while b"\r\n\r\n" not in head and (some := connection.recv(65536)):
                    head += some
                self.requests.append(head)
                self.say(connection, head, self._over)
