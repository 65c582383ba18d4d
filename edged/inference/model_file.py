"""A model's file, from its check until the runtime has it: mapped, not copied.

The runtime makes weights of its own of what it reads (XNNPACK packs them for the processor), and then holds
the file to no purpose. As bytes of ours that would be memory that nobody can have back; of a mapped file the
kernel takes the pages when it likes, and reads again what is asked for.
"""

import ctypes
import fcntl
import hashlib
import os
import re
from pathlib import Path
from typing import Final, Self

_STANDARD_FILES: Final = 3
_MADV_DONTNEED: Final = 4
"""Of Linux's mman.h."""
_MAPPING: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ ([0-9a-f]+):([0-9a-f]+) (\d+) ")
"""Of `/proc/self/maps`: begin, end, device, inode; proc(5)."""


class ModelFile:
    """A .tflite file that is open: what is checked is what is run, whatever its name stands for by then."""

    def __init__(self, path: Path) -> None:
        """Open it; raises OSError."""
        with path.open("rb") as file:
            # Whoever has no standard error gets the first file that is opened as theirs, and what native
            # code says would be taken from there.
            above = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _STANDARD_FILES)
        self._file = os.fdopen(above, "rb")

    @property
    def path(self) -> str:
        """A path that is this open file, for a runtime that opens files by themselves."""
        return f"/proc/self/fd/{self._file.fileno()}"

    @property
    def size(self) -> int:
        """In bytes."""
        return os.fstat(self._file.fileno()).st_size

    def sha256(self) -> str:
        """Of its content, in hexadecimal digits; raises OSError."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()

    def release_pages(self) -> None:
        """Have the kernel take back what it holds in memory for mappings of this file.

        Nothing is lost: a page that is asked for again is read again. Where the system has no `/proc`, or
        refuses, they stay.
        """
        status = os.fstat(self._file.fileno())
        wanted = (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino)
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for begin, end, major, minor, inode in _MAPPING.findall(_own_mappings()):
            if (int(major, 16), int(minor, 16), int(inode)) == wanted:
                advise(int(begin, 16), int(end, 16) - int(begin, 16), _MADV_DONTNEED)

    def close(self) -> None:
        """Close it; mappings stay."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _own_mappings() -> str:
    try:
        return Path("/proc/self/maps").read_text()
    except OSError:
        return ""
