"""An `ffmpeg` process that decodes: its pictures come through a pipe, each read within a time limit."""

import contextlib
import fcntl
import os
import select
import subprocess
from collections.abc import Sequence
from typing import Final

import numpy as np

from edged.camera.ffmpeg_words import FfmpegWords
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels
from edged.domain.moment import Clock

_PIPE_BYTES: Final = 1024 * 1024
_MOST_PIXELS: Final = 7680 * 4320
_REAP_S: Final = 2.0


class NoFrameInTimeError(Exception):
    """The process lives, and gave no whole picture within the limit."""


class ProcessEndedError(Exception):
    """The process gave its last picture and ended."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


class FfmpegProcess:
    """One run of the program, from its first picture to its last.

    Args:
        program: its name or path.
        arguments: all of them; visible to everybody on this machine, so never with a secret.
        script: what it reads on standard input; nobody else sees that.
        clock: the time.
    """

    def __init__(self, program: str, arguments: Sequence[str], script: bytes, clock: Clock) -> None:
        self.words = FfmpegWords()
        self._clock = clock
        self._buffer: bytearray | None = None
        self._filled = 0
        self._process = _start(program, arguments, script)
        self._pictures = self._process.stdout.fileno() if self._process.stdout else -1
        self._speech = self._process.stderr.fileno() if self._process.stderr else -1
        self._open_ends = {self._pictures, self._speech}
        for descriptor in self._open_ends:
            os.set_blocking(descriptor, False)
        with contextlib.suppress(OSError):
            # Sixteen times fewer switches between the two processes; more than the system allows is refused.
            fcntl.fcntl(self._pictures, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def wait_for_size(self, timeout_s: float) -> tuple[int, int]:
        """Width and height, which it tells once it has the first picture.

        Raises NoFrameInTimeError or ProcessEndedError.
        """
        deadline_ms = self._now_ms() + round(timeout_s * 1000)
        while self.words.size_px is None:
            self._listen(deadline_ms, {self._speech})
        width, height = self.words.size_px
        if not 0 < width * height <= _MOST_PIXELS:
            raise CameraError(CameraFault.NOT_VIDEO, f"a picture of {width} x {height} pixels is none")
        return width, height

    def read_picture(self, timeout_s: float) -> None:
        """Receive the next picture whole; raises NoFrameInTimeError or ProcessEndedError."""
        width, height = self.words.size_px or (0, 0)
        if self._buffer is None:
            self._buffer = bytearray(width * height * 3)
        self._filled = 0
        deadline_ms = self._now_ms() + round(timeout_s * 1000)
        while self._filled < len(self._buffer):
            self._listen(deadline_ms, {self._pictures, self._speech})

    def take_picture(self) -> Pixels | None:
        """The picture just received; it is the caller's from now on. None when it was taken before."""
        buffer, self._buffer = self._buffer, None
        if buffer is None or self.words.size_px is None:
            return None
        width, height = self.words.size_px
        return np.frombuffer(buffer, np.uint8).reshape(height, width, 3)

    def end(self) -> None:
        """Kill it, if it still runs, and forget it."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _listen(self, deadline_ms: int, ends: set[int]) -> None:
        """Take what the process gives next at one of the ends that are asked for."""
        waited_for = ends & self._open_ends
        if self._pictures not in self._open_ends or not waited_for:
            raise ProcessEndedError(self._exit_code())
        left_ms = deadline_ms - self._now_ms()
        if left_ms <= 0:
            raise NoFrameInTimeError
        poll = select.poll()
        for descriptor in waited_for:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(left_ms):
            alive = self._take_bytes() if descriptor == self._pictures else self._take_words()
            if not alive:
                self._open_ends.discard(descriptor)

    def _take_bytes(self) -> bool:
        buffer = self._buffer
        if buffer is None:
            return True
        with memoryview(buffer) as whole, whole[self._filled :] as room:
            count = os.readv(self._pictures, [room])
        self._filled += count
        return count > 0

    def _take_words(self) -> bool:
        data = os.read(self._speech, 65536)
        self.words.feed(data)
        return bool(data)

    def _exit_code(self) -> int:
        try:
            return self._process.wait(_REAP_S)
        except subprocess.TimeoutExpired:
            return -1

    def _now_ms(self) -> int:
        return self._clock.moment().steady_ms


def _start(program: str, arguments: Sequence[str], script: bytes) -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(  # noqa: S603 - the program and its arguments are the owner's
            [program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            # Ctrl-C in a terminal is for the daemon, which then ends the process in order.
            start_new_session=True,
        )
    except OSError as error:
        raise CameraError(
            CameraFault.NOT_FOUND,
            f"the program {program} cannot be started ({error.strerror})",
            remedy="Install ffmpeg 5.1 or newer, or set backend: opencv.",
        ) from None
    if process.stdin is not None:
        # A script is shorter than any pipe's buffer, so this does not wait for the process.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(script)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    return process
