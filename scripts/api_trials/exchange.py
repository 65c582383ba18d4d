"""One request on a socket of its own, byte by byte as it is given, and what came back."""

import contextlib
import json
import socket
import time
from dataclasses import dataclass

PATIENCE_S = 30.0
"""How long an answer to a whole request may take."""
GLANCE_S = 0.05
"""How long is waited for an answer to half a request, which need not come."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: a status, and the body."""

    status: int
    content_type: str
    body: bytes

    @property
    def is_error_as_documented(self) -> bool:
        """Whether it is the one shape that errors have."""
        try:
            error = json.loads(self.body)["error"]
        except (ValueError, TypeError, KeyError):
            return False
        return isinstance(error.get("code"), str) and isinstance(error.get("message"), str)


def exchange(port: int, payload: bytes, *, is_whole: bool) -> Answer | None:
    """Send the bytes; None where nothing is answered.

    Args:
        port: of the server, on loopback.
        payload: the request, or what is to pass for one.
        is_whole: whether the server has all it needs to answer; else it is only glanced at.

    Raises:
        TimeoutError: a whole request was neither answered nor hung up on.
    """
    deadline = time.monotonic() + (PATIENCE_S if is_whole else GLANCE_S)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        with contextlib.suppress(ConnectionError, TimeoutError):
            # A server that refuses a long body early closes before it was sent.
            connection.sendall(payload)
        return _answer(_received(connection, deadline, is_whole=is_whole))


def _received(connection: socket.socket, deadline: float, *, is_whole: bool) -> bytes:
    """All that comes until the server closes, or its answer is whole."""
    received = bytearray()
    while not _is_whole(received):
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            chunk = connection.recv(65536)
        except ConnectionError:
            break
        except TimeoutError:
            if is_whole:
                raise
            break
        if not chunk:
            break
        received += chunk
    return bytes(received)


def _is_whole(received: bytearray) -> bool:
    """Whether an answer that tells its length is all there."""
    head, end, body = _final(bytes(received))
    if not end:
        return False
    length = _headers(head).get("content-length", "")
    return length.isdigit() and len(body) >= int(length)


def _final(received: bytes) -> tuple[bytes, bytes, bytes]:
    """Head and body of the answer itself, behind those that only said to go on."""
    head, end, body = received.partition(b"\r\n\r\n")
    while end and head.startswith(b"HTTP/1.1 1"):
        head, end, body = body.partition(b"\r\n\r\n")
    return head, end, body


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _answer(received: bytes) -> Answer | None:
    head, end, body = _final(received)
    words = head.split(b" ", 2)
    if not end or not words[0].startswith(b"HTTP/1.") or not words[1][:3].isdigit():
        return None
    return Answer(int(words[1][:3]), _headers(head).get("content-type", ""), body)
