"""A daemon of its own for a benchmark, and a broker for it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))


class NotifySocket:
    """Where a service manager would listen."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.settimeout(60)

    def wait_for_ready(self) -> None:
        """Return when READY=1 came."""
        while b"READY=1" not in self._socket.recv(4096):
            pass


CLIENT_SECRET = "nobody-else-runs-this-daemon"  # noqa: S105 (of a daemon that is gone at once)


def http_on(port: int) -> str:
    """The configuration of the HTTP server with one client."""
    return f"http:\n  listen: 127.0.0.1:{port}\n  clients:\n    - {{id: bench, secret: !secret client}}\n"


def get(port: int, path: str) -> bytes:
    """What the HTTP server answers without a token."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return bytes(answer.read())


@contextmanager
def running_daemon(configuration: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """`edged run` on a configuration; gives the process and the seconds it took to READY."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "config.yaml"
        secret = folder / "secrets" / "client"
        secret.parent.mkdir()
        secret.write_text(CLIENT_SECRET)
        secret.chmod(0o600)
        config.write_text(f"data_dir: {folder / 'data'}\n{configuration}")
        notify = NotifySocket(folder)
        with (folder / "log").open("wb") as log:
            begun = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "edged", "run", "--config", str(config)],
                env={**os.environ, "NOTIFY_SOCKET": str(notify.path)},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
            notify.wait_for_ready()
            took_s = time.perf_counter() - begun
            try:
                yield process, took_s
            finally:
                process.terminate()
                process.wait(10)


def hd_clip(folder: Path) -> Path:
    """The sample scene at 1280x720, 15 frames/s."""
    clip = folder / "scene-720p.mp4"
    scene = PROJECT / "edged" / "cli" / "sample" / "scene.mp4"
    scaling = ["-vf", "scale=960:720,pad=1280:720:160:0", "-r", "15", "-c:v", "libx264", "-preset", "fast"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(scene), *scaling, str(clip)], check=True)
    return clip


def feed_of(clip: Path) -> str:
    """The configuration of one feed that plays a clip for ever like a camera."""
    return f"feeds:\n  - id: hall\n    source: {{type: file, path: {clip}, pace: realtime, loop: true}}\n"
