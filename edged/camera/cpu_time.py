"""How much processor time threads and processes have had, as Linux tells it."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_OF_THE_DECODER: Final = "av:"
"""FFmpeg's libraries call their threads so."""


def cpu_ms(tasks: Iterable[str]) -> float:
    """What these have had together, in milliseconds; one that has ended counts nothing.

    Args:
        tasks: folders below /proc: `4711` of a process with all its threads, `self/task/4712` of a thread.
    """
    return sum(_ticks(_PROC / task) for task in tasks) * 1000 / os.sysconf("SC_CLK_TCK")


def this_thread() -> str:
    """The calling thread, for `cpu_ms`."""
    return f"self/task/{threading.get_native_id()}"


def all_threads() -> frozenset[str]:
    """The threads of this process, for `cpu_ms`."""
    return frozenset(f"self/task/{task.name}" for task in (_PROC / "self" / "task").iterdir())


def of_the_decoder(threads: Iterable[str]) -> tuple[str, ...]:
    """Those that FFmpeg's libraries started. One that has only just begun has no name yet and is left out."""
    return tuple(each for each in threads if _name(_PROC / each) == _OF_THE_DECODER)


def _name(task: Path) -> str:
    try:
        return (task / "comm").read_text("utf-8", "replace")[: len(_OF_THE_DECODER)]
    except OSError:
        return ""


def _ticks(task: Path) -> int:
    try:
        # The name, in brackets, may hold anything; after it utime and stime are the 12th and the 13th.
        fields = (task / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
