"""Compressed pictures: whether they are whole, and what they show."""

from typing import Final

import cv2
import numpy as np

from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels

_START: Final = b"\xff\xd8"
_SCAN: Final = b"\xff\xda"
_END: Final = b"\xff\xd9"


def is_whole(data: bytes) -> bool:
    """Whether a JPEG was cut off in the middle; other formats count as whole.

    Decoders fill the missing part with grey and say nothing. After the last start of scan (ITU-T T.81,
    B.1.1.3) no other marker can look like the end of the image: such bytes are stuffed.
    """
    return not data.startswith(_START) or data.rfind(_END) > data.rfind(_SCAN)


def decoded(data: bytes, name: str, flags: int = cv2.IMREAD_COLOR) -> Pixels:
    """The picture, by OpenCV's `flags` of `imdecode`.

    Raises `CameraError` (`NOT_VIDEO`), naming it, where there is none or only a part.
    """
    picture = None
    if data and is_whole(data):
        try:
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error:
            picture = None
    if picture is None:
        raise CameraError(CameraFault.NOT_VIDEO, f"{name} gave something that is no whole picture")
    return picture.astype(np.uint8, copy=False)
