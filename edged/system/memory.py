"""How much memory this process has, and how little it keeps of what it had."""

import ctypes
import os
from pathlib import Path
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
"""Of glibc's malloc.h."""

_LARGE_BYTES: Final = 1_000_000
"""Less than a 720p frame: each is taken anew, at 1 % of a core for ten a second, and 3 MiB less are kept."""


def resident_bytes() -> int:
    """What the process has in memory now; 0 where the system has no `/proc`."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def keep_little() -> None:
    """Have the C library share one heap among all threads, and give what was large back when it is freed.

    By itself, glibc has a heap for nearly every thread and learns to keep what was large: 10,000 requests of
    all sizes leave 30 MiB more behind. Nothing happens where another C library is in use. To be called before
    there are threads. Source: mallopt(3); measured with `scripts/fuzz-api`.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
