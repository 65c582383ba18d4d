"""What the `ffmpeg` program says on standard error, as far as it matters. Pure."""

import re
from typing import Final

_MAPPING: Final = re.compile(r"^\s*Stream #\d+:\d+\S* -> #\d+:\d+ \((.+?) -> rawvideo \(\S+\)\)")
_OUTPUT: Final = re.compile(
    r"^\s*Stream #\d+:\d+\S*: Video: rawvideo\b.*, bgr24\b.*?, (\d{1,5})x(\d{1,5})\b(.*)$"
)
_RATE: Final = re.compile(r"([\d.]+)(k?) fps")
_INPUT: Final = re.compile(r"^\s*Stream #0:\d+\S*: Video: (\w+)")
_SPEAKER: Final = re.compile(r"^\[.+? @ 0x[0-9a-f]+\] ")

_CAUSES: Final = (
    "Could not find a valid device",
    "Impossible to convert between the formats",
    "Device creation failed",
    "Unknown decoder",
    "Unrecognized hwaccel",
)
"""Lines that say more than the last one does, which is mostly `Conversion failed!`."""

KEPT_LINES: Final = 12


class FfmpegWords:
    """Collects standard error line by line.

    Attributes:
        decoder: who really decodes, from the stream mapping: `h264 (native)`, `h264 (h264_v4l2m2m)`.
        codec: of the first video stream that came in; empty before.
        size_px: width and height of the pictures; None before the first.
        fps: rate of the pictures; 0 where it is not said.
    """

    def __init__(self) -> None:
        self.decoder = ""
        self.codec = ""
        self.size_px: tuple[int, int] | None = None
        self.fps = 0.0
        self._rest = ""
        self._lines: list[str] = []

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        *lines, self._rest = (self._rest + data.decode("utf-8", "replace")).split("\n")
        self._rest = self._rest[-4096:]
        for line in lines:
            self._read(line.rstrip())

    def last(self) -> str:
        """The last line, for people; it may hold secrets."""
        return self._lines[-1] if self._lines else ""

    def cause(self) -> str:
        """Why it failed, as far as it says; for people; it may hold secrets."""
        causes = [line for line in self._lines if any(words in line for words in _CAUSES)]
        return _SPEAKER.sub("", causes[0] if causes else self.last())

    def names_unknown_option(self) -> bool:
        """Whether the program does not know one of the arguments."""
        return any("Unrecognized option" in line or "Option not found" in line for line in self._lines)

    def _read(self, line: str) -> None:
        if line.strip():
            self._lines = [*self._lines, line.strip()][-KEPT_LINES:]
        if mapping := _MAPPING.match(line):
            self.decoder = mapping[1]
        elif output := _OUTPUT.match(line):
            self.size_px = int(output[1]), int(output[2])
            rate = _RATE.search(output[3])
            self.fps = float(rate[1]) * (1000 if rate[2] else 1) if rate else 0.0
        elif not self.decoder and not self.codec and (stream := _INPUT.match(line)):
            self.codec = stream[1]
