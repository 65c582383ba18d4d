"""The sink `file`: JSON lines appended to a file and flushed to the disk."""

import contextlib
import logging
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from edged.delivery.lateness import body_to_send
from edged.delivery.outcome import DELIVERED, UNTRIED, Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.domain.moment import Clock
from edged.publish.lines import line_of
from edged.publish.sink import Alarm

_LOOK_BACK_BYTES: Final = 16 * 1024 * 1024
"""A torn line is looked for so far from the end; a job is at most some hundred kilobytes."""

_LOG = logging.getLogger(__name__)


class FileSink(Alarm):
    """Appends lines. A batch is one write and one flush; half a line is never left standing.

    A line that a crash or a full disk tore is cut off before the next one is written: its message was never
    acknowledged, and comes again. A file that was moved away (logrotate) is made anew.
    """

    batch = 256

    def __init__(self, sink_id: str, path: Path, clock: Clock) -> None:
        super().__init__()
        self.id = sink_id
        self._path = path
        self._clock = clock
        self._descriptor = -1
        self._is_regular = False
        self._trouble = ""

    @property
    def condition(self) -> str:
        """How it is doing, for people."""
        return self._trouble or f"appending to {self._path}"

    def is_ready(self) -> bool:
        """Always: whether the file can be written shows when it is."""
        return True

    def deliver(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        """Append the batch; it counts as a whole once it is on the disk, or not at all."""
        if self.is_stopping():
            return [UNTRIED] * len(parcels)
        now = self._clock.moment()
        lines = b"".join(line_of(body_to_send(parcel, now, event_max_age_ms=None)) for parcel in parcels)
        try:
            self._open_anew_if_moved()
            self._append(lines)
        except OSError as error:
            self._trouble = f"{self._path} cannot be written: {error.strerror or error}"
            self.close()
            failed = Outcome(Fate.UNREACHABLE, self._trouble)
            return [failed] + [UNTRIED] * (len(parcels) - 1)
        self._trouble = ""
        return [DELIVERED] * len(parcels)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1

    def _append(self, lines: bytes) -> None:
        end = os.fstat(self._descriptor).st_size
        try:
            written = 0
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:])
            if self._is_regular:
                os.fsync(self._descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, end)
            raise

    def _open_anew_if_moved(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._descriptor), self._path.stat()):
                    return
            self.close()
        # Names of people and where they were: for the owner alone.
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # A device or a pipe can be neither mended nor flushed.
        self._is_regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        if self._is_regular:
            self._mend_end()
            self._flush_folder()

    def _mend_end(self) -> None:
        """Cut off half a line at the end; complete a whole one that only lacks its line break."""
        size = os.fstat(self._descriptor).st_size
        tail_at = max(0, size - _LOOK_BACK_BYTES)
        tail = os.pread(self._descriptor, size - tail_at, tail_at)
        last = tail[tail.rfind(b"\n") + 1 :]
        if not last:
            return
        if not last.startswith(b"{") or _is_json(last):
            # Not ours to cut: somebody else's text, or a line whose break was lost.
            os.write(self._descriptor, b"\n")
            return
        os.ftruncate(self._descriptor, size - len(last))
        _LOG.warning(
            "Half a line of %d bytes at the end of %s is cut off; it is sent again", len(last), self._path
        )

    def _flush_folder(self) -> None:
        """A new file survives a power cut only when its folder's entry does."""
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return True
