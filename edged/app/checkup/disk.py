"""The disk below the data folder: its file system, and how long writing to it takes."""

import os
import statistics
from pathlib import Path
from typing import Final

from edged.system.clock import SystemStopwatch

_FLUSHES: Final = 5
_BYTES: Final = 4096


def file_system_of(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The kind of file system that a folder is on, as mount(8) calls it; empty where that is not told."""
    resolved = folder.resolve()
    best, kind = -1, ""
    for line in mounts.read_text("utf-8", "replace").splitlines():
        before, _, after = line.partition(" - ")
        # Blanks in paths are written as \040: proc_pid_mountinfo(5).
        point = Path(before.split()[4].replace("\\040", " "))
        depth = len(point.parts)
        if (resolved == point or point in resolved.parents) and depth >= best:
            best, kind = depth, after.split()[0]
    return kind


def flush_ms(folder: Path) -> float:
    """Milliseconds that a page takes to the disk (fsync), the median of some; raises OSError.

    Writes a file of its own in the folder and deletes it.
    """
    stopwatch = SystemStopwatch()
    path = folder / f".edged-doctor-{os.getpid()}"
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    took: list[float] = []
    try:
        for _ in range(_FLUSHES):
            begun = stopwatch.wall_ns()
            os.write(descriptor, b"\0" * _BYTES)
            os.fsync(descriptor)
            took.append((stopwatch.wall_ns() - begun) / 1e6)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)
    return statistics.median(took)
