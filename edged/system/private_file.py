"""Making a file that is for its owner alone from its first byte on."""

import os
from pathlib import Path

from edged.domain.errors import InputError


def write_new(path: Path, text: str) -> None:
    """Make the file with mode 0600; raises InputError where it is there already or cannot be made."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise InputError(f"{path} is there already", remedy="Choose another name.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
