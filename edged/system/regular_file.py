"""Opening files that somebody else may have replaced by something that is none."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from edged.domain.errors import ConfigurationError


def open_regular_file(path: Path) -> BinaryIO:
    """Open a file for reading; raises OSError where that fails, ConfigurationError for a folder or a pipe."""
    # Without O_NONBLOCK, a pipe in the file's place would block for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConfigurationError(f"{path} is not a file")
    return os.fdopen(descriptor, "rb")
