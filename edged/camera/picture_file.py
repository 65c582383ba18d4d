"""Writing a picture to a file."""

from pathlib import Path
from typing import Final

import cv2

from edged.domain.errors import InputError
from edged.domain.frame import Pixels

FORMATS: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def write_picture(path: Path, pixels: Pixels) -> None:
    """Write an upright BGR picture, in the format of the file's ending; raises `InputError`."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"{path} has no ending of a picture", remedy=f"end it with one of {', '.join(FORMATS)}"
        )
    is_encoded, encoded = cv2.imencode(path.suffix.lower(), pixels)
    if not is_encoded:
        raise InputError(f"{path} could not be encoded")
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
