"""A camera's web page, on loopback: MJPEG, snapshots, and everything that can be wrong with them."""

import base64
import hashlib
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self

import cv2
import numpy as np

BOUNDARY = "frame"


def a_jpeg(shade: int = 128, size: tuple[int, int] = (320, 240), quality: int = 90) -> bytes:
    """A JPEG with a gradient, different for each shade."""
    width, height = size
    row = np.linspace(0, 255, width, dtype=np.uint8)
    picture = np.repeat(row[None, :, None], height, axis=0).repeat(3, axis=2)
    picture[:, :, 0] = shade % 256
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def a_part(body: bytes, *, length: bool = True) -> bytes:
    """One part of a multipart stream."""
    lines = [
        f"--{BOUNDARY}",
        "Content-Type: image/jpeg",
        *([f"Content-Length: {len(body)}"] if length else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body + b"\r\n"


class HttpCamera:
    """Answers every request with `body`, piece by piece, for as long as the client and the camera live.

    Args:
        body: gives the pieces of one answer; it may wait on the event it is given, which is set at the end.
        content_type: of the answer.
        user, password: what is asked for, if anything.
        scheme: how it is asked for.
        status: of the answer.
        tls: with it, it is an HTTPS camera.
    """

    def __init__(
        self,
        body: Callable[[threading.Event], Iterator[bytes]],
        *,
        content_type: str = f"multipart/x-mixed-replace; boundary={BOUNDARY}",
        user: str | None = None,
        password: str = "",
        scheme: Literal["basic", "digest", "negotiate"] = "basic",
        status: int = 200,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.status = status
        self.user, self.password, self.scheme = user, password, scheme
        self.requests = 0
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        if tls is not None:
            # The handshake is left to the answering thread: a client that breaks it off is no matter here.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._scheme = "http" if tls is None else "https"
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The address, without user and password."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}/video"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def challenge(self) -> str:
        """What the camera says to somebody who has not proved who they are."""
        return {
            "basic": 'Basic realm="camera"',
            "digest": 'Digest realm="camera", nonce="abc123", qop="auth", algorithm=MD5',
            "negotiate": "Negotiate",
        }[self.scheme]

    def admits(self, authorization: str | None, method: str) -> bool:
        """Whether the proof is good."""
        if self.user is None:
            return True
        if authorization is None:
            return False
        if self.scheme == "basic":
            return (
                authorization == "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            )
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', authorization))
        secret = _md5(f"{self.user}:camera:{self.password}")
        request = _md5(f"{method}:{fields.get('uri')}")
        wanted = _md5(f"{secret}:abc123:{fields.get('nc')}:{fields.get('cnonce')}:auth:{request}")
        return fields.get("response") == wanted


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are what these tests are about."""


def _handler_of(camera: HttpCamera) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            camera.requests += 1
            if not camera.admits(self.headers["Authorization"], "GET"):
                self.send_response(401)
                self.send_header("WWW-Authenticate", camera.challenge())
                self.end_headers()
                return
            self.send_response(camera.status)
            self.send_header("Content-Type", camera.content_type)
            self.end_headers()
            try:
                for piece in camera.body(camera.over):
                    self.wfile.write(piece)
            except ConnectionError:
                pass  # the client hung up, as clients do

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def stream_of(
    *pictures: bytes, every_s: float = 0.02, length: bool = True
) -> Callable[[threading.Event], Iterator[bytes]]:
    """An endless stream of the pictures, one after the other."""

    def body(over: threading.Event) -> Iterator[bytes]:
        number = 0
        while not over.wait(every_s):
            yield a_part(pictures[number % len(pictures)], length=length)
            number += 1

    return body


def then_silence(*pieces: bytes) -> Callable[[threading.Event], Iterator[bytes]]:
    """The pieces, and nothing more while the connection stands."""

    def body(over: threading.Event) -> Iterator[bytes]:
        yield from pieces
        over.wait()

    return body


def once(*pieces: bytes) -> Callable[[threading.Event], Iterator[bytes]]:
    """The pieces, and the end."""

    def body(_over: threading.Event) -> Iterator[bytes]:
        yield from pieces

    return body
