"""A folder of pictures, taken in the order of their names."""

import re
from pathlib import Path
from typing import Final

from edged.camera.files import files_in, resolved
from edged.camera.jpeg import decoded
from edged.camera.opencv import silence_opencv
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError
from edged.domain.frame import Pixels
from edged.settings.sources import ImagesSource

_SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


class ImageFolder:
    """Pictures of a folder, once or in a loop. A broken one is skipped by whoever captures, and counted."""

    def __init__(self, settings: ImagesSource, base_dir: Path) -> None:
        self.is_live = settings.pace == "realtime"
        self._folder = resolved(settings.path, base_dir)
        self._every_s = float(settings.every)
        self._loop = settings.loop
        self._paths: list[Path] = []
        self._taken = 0
        self._good = 0
        self._broken = 0

    @property
    def decoder(self) -> str:
        """Who decodes."""
        return "opencv images" if self._paths else ""

    def open(self) -> None:
        """List the folder."""
        silence_opencv()
        paths = [path for path in files_in(self._folder) if path.suffix.lower() in _SUFFIXES]
        if not paths:
            raise CameraError(
                CameraFault.NOT_VIDEO,
                f"{self._folder} holds no pictures",
                remedy=f"Pictures end in {', '.join(sorted(_SUFFIXES))}.",
            )
        self._paths = sorted(paths, key=lambda path: natural_order(path.name))
        self._taken = self._good = self._broken = 0

    def grab(self) -> float:
        """Go to the next picture; it is read when it is wanted."""
        if self._taken and self._taken % len(self._paths) == 0:
            if self._broken and not self._good:
                raise CameraError(CameraFault.NOT_VIDEO, f"no picture in {self._folder} can be decoded")
            if not self._loop:
                raise EndOfMediaError
        self._taken += 1
        return (self._taken - 1) * self._every_s

    def retrieve(self) -> Pixels:
        """Read the picture."""
        path = self._paths[(self._taken - 1) % len(self._paths)]
        try:
            picture = decoded(path.read_bytes(), str(path))
        except OSError as error:
            self._broken += 1
            raise CameraError(CameraFault.NOT_VIDEO, f"{path} cannot be read ({error.strerror})") from None
        except CameraError:
            self._broken += 1
            raise
        self._good += 1
        return picture

    def close(self) -> None:
        """Forget the list."""
        self._paths = []


def natural_order(name: str) -> tuple[list[tuple[str, int]], str]:
    """A sort key that puts `2.jpg` before `10.jpg`; names that differ only in zeros or case stay apart."""
    parts: list[tuple[str, str]] = re.findall(r"(\D*)(\d*)", name.casefold())
    return [(text, int(digits) if digits else -1) for text, digits in parts], name
