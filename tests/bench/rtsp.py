"""A real RTSP server (GStreamer's), run by the system's Python as a process of its own."""

import os
import select
import signal
import subprocess
from pathlib import Path
from typing import Literal, Self

from bench.clips import byte_stream, emptiness, size_of
from bench.require import missing, require

_PROGRAM = Path(__file__).with_name("rtsp_server.py")
_PACKAGES = (
    "gstreamer1.0-rtsp gir1.2-gst-rtsp-server-1.0 python3-gi"
    " gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)
_SYSTEM_PYTHON = "/usr/bin/python3"

After = Literal["loop", "end", "empty"]


class RtspServer:
    """Serves clips on loopback, to each client from the beginning and at real time.

    Args:
        clips: played one after the other; of different sizes, if you like: that is a change of resolution.
        after: what comes then: the last clip again and again, the end of the stream, or an empty scene.
        before_s: whole seconds of an empty scene that come first, so that a client that drops the frames
            which pile up while it connects loses nothing of the clip.
        user, password: what is asked for, if anything.
        scheme: how it is asked for.
        port: a fixed one, or 0 for any that is free. It stays the same when started again.
        udp_only: refuse TCP, as some cameras do.
    """

    def __init__(
        self,
        *clips: Path,
        after: After = "loop",
        before_s: int = 0,
        user: str | None = None,
        password: str | None = None,
        scheme: Literal["basic", "digest"] = "digest",
        fps: int = 30,
        port: int = 0,
        udp_only: bool = False,
    ) -> None:
        self.port = port
        self.path = "/live"
        self._login = (user, password)
        self._options = ["--fps", str(fps), "--path", self.path]
        if user is not None:
            self._options += ["--scheme", scheme]
        if udp_only:
            self._options.append("--udp-only")
        if after != "end":
            self._options.append("--loop")
        self._clips, self._fps, self._after, self._before_s = clips, fps, after, before_s
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address, without user and password."""
        return f"rtsp://127.0.0.1:{self.port}{self.path}"

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> Self:
        """Start, or start again at the same port; returns when it answers."""
        _require_gstreamer()
        user, password = self._login
        secrets = {} if user is None else {"RTSP_USER": user, "RTSP_PASSWORD": password or ""}
        command = [_SYSTEM_PYTHON, str(_PROGRAM), *self._streams(), *self._options, "--port", str(self.port)]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **secrets},
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], 30)
        word = self._process.stdout.readline() if ready else ""
        if not word.strip().isdigit():
            self.kill()
            raise AssertionError("the RTSP server did not start")
        self.port = int(word)
        return self

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def pause(self) -> None:
        """Fall silent: connections stand, nothing is sent, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _streams(self) -> list[str]:
        streams = [byte_stream(clip, self._fps) for clip in self._clips]
        if self._before_s or self._after == "empty":
            empty = byte_stream(emptiness(size_of(self._clips[0]), self._fps), self._fps)
            streams = [empty] * self._before_s + streams + [empty] * (self._after == "empty")
        return [str(stream) for stream in streams]


def _require_gstreamer() -> None:
    require("ffmpeg", "ffmpeg")
    imports = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    found = (
        Path(_SYSTEM_PYTHON).exists()
        and subprocess.run([_SYSTEM_PYTHON, "-c", imports], capture_output=True, check=False).returncode == 0
    )
    if not found:
        missing("no GStreamer RTSP server here", _PACKAGES)
