"""The real daemon with its API on, and pictures of two people who are known from the sample scene."""

import http.server
import subprocess
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

import httpx

from bench.daemon import PROJECT, Daemon, eventually, secret
from bench.mosquitto import free_port
from bench.require import require

CLIENT = "integrator"
CLIENT_SECRET = "Zm9yIHRlc3RzIG9ubHk-integrator"
EVERYBODY = {"id": CLIENT, "secret": secret(CLIENT), "namespaces": ["home"]}
LOOPBACK = "127.0.0.0/8"

SCENE = PROJECT / "edged" / "cli" / "sample" / "scene.mp4"
PORTRAIT = PROJECT / "edged" / "cli" / "sample" / "eileen-collins.jpg"
EILEEN_AT_S = 7.0
EILEEN_LATER_AT_S = 29.5
GRACE_AT_S = 18.2
NOBODY_AT_S = 2.0


@cache
def picture_at(time_s: float) -> bytes:
    """One frame of the sample scene, JPEG."""
    ffmpeg = require("ffmpeg", "ffmpeg")
    taking = ["-ss", str(time_s), "-i", SCENE, "-frames:v", "1", "-q:v", "2", "-f", "mjpeg", "-"]
    return subprocess.run([ffmpeg, "-v", "error", *taking], check=True, capture_output=True).stdout


class ApiDaemon(Daemon):
    """`edged run` with the API at a free port of the loopback interface.

    Args:
        folder: a folder of its own.
        settings: what else its configuration says; `http` and `requests` are added to what is here.
        secrets: of its clients, by their ids; each becomes a file.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, Any], *, secrets: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        http_section = {"listen": f"127.0.0.1:{self.port}", "clients": [EVERYBODY]}
        requests = {"fetch": {"allow_networks": [LOOPBACK]}}
        super().__init__(
            folder,
            {
                **settings,
                "http": http_section | settings.get("http", {}),
                "requests": requests | settings.get("requests", {}),
            },
        )
        kept = folder / "secrets"
        kept.mkdir(exist_ok=True)
        for client, its_secret in {CLIENT: CLIENT_SECRET, **(secrets or {})}.items():
            file = kept / client
            file.write_text(its_secret)
            file.chmod(0o600)

    def wait_until_ready(self) -> None:
        """Return when requests are served."""
        super().wait_until_ready()
        eventually(self._is_served, 60, self.log_text)

    @property
    def pid(self) -> int:
        """Of the process, which was started."""
        assert self.process is not None
        return self.process.pid

    def _is_served(self) -> bool:
        try:
            return httpx.get(f"{self.base}/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def token_of(base: str, client: str = CLIENT, its_secret: str = CLIENT_SECRET) -> str:
    """A new access token."""
    answer = httpx.post(f"{base}/v2/oauth/token", json={"clientId": client, "clientSecret": its_secret})
    assert answer.status_code == httpx.codes.OK, answer.text
    return str(answer.json()["accessToken"])


class PictureServer:
    """Serves pictures by their names, over HTTP on loopback; everything else is 404.

    `held` names are answered only after `release()`: whoever asks for them waits.
    """

    def __init__(self, pictures: Mapping[str, bytes], *, held: frozenset[str] = frozenset()) -> None:
        self.pictures = dict(pictures)
        self.held = held
        self.asked: list[str] = []
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def base(self) -> str:
        """The address of the pictures, without a final `/`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def release(self) -> None:
        """Answer for what was held."""
        self._released.set()

    def wait_for_release(self) -> None:
        """What a held request does."""
        self._released.wait(60)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are part of the game."""


def _handler_of(server: PictureServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            server.asked.append(name)
            if name in server.held:
                server.wait_for_release()
            picture = server.pictures.get(name)
            self.send_response(404 if picture is None else 200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(picture or b"")))
            self.end_headers()
            self.wfile.write(picture or b"")

        def log_message(self, *_: object) -> None:
            """Tests look at what was asked, not at a log."""

    return Handler
