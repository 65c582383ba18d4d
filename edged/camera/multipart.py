"""`multipart/x-mixed-replace` taken apart (RFC 2046, section 5.1, as cameras write it).

Pure: bytes in, parts out.
"""

import re
from typing import Final

MOST_BYTES: Final = 16 * 1024 * 1024
"""Most of one part: a JPEG of 8K video is smaller. What is longer is no camera's picture."""

_HEADERS_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,12})[ \t]*\r?$")


class PartReader:
    """Collects what arrives and gives out whole parts.

    Args:
        boundary: as the `Content-Type` names it. Some cameras name it with the dashes that stand before
            it in the stream.
        most_bytes: longest part, its headers included.
    """

    def __init__(self, boundary: str, most_bytes: int = MOST_BYTES) -> None:
        self._delimiter = b"--" + boundary.removeprefix("--").encode("latin-1", "replace")
        self._most_bytes = most_bytes
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived; raises ValueError where a part would become too long."""
        self._buffer += data

    def next_part(self) -> bytes | None:
        """The next whole part's body; None while none is whole. Raises ValueError for too long a one."""
        begin = self._buffer.find(self._delimiter)
        if begin < 0:
            return self._wait()
        headers_end = _HEADERS_END.search(self._buffer, begin)
        if headers_end is None:
            return self._wait()
        body = headers_end.end()
        length = _LENGTH.search(self._buffer, begin, headers_end.start() + 2)
        if length is not None:
            end = body + int(length[1])
            if end - body > self._most_bytes:
                raise ValueError("a part is too long")
            return self._cut(body, end, end) if len(self._buffer) >= end else self._wait()
        # The search goes on where the last one ended: else each packet would search a long part again.
        end = self._buffer.find(self._delimiter, max(body, self._searched))
        if end < 0:
            self._searched = max(body, len(self._buffer) - len(self._delimiter))
            return self._wait()
        line_end = 2 if self._buffer[end - 2 : end] == b"\r\n" else 1
        return self._cut(body, max(body, end - line_end), end)

    def _cut(self, begin: int, end: int, rest: int) -> bytes:
        part = bytes(memoryview(self._buffer)[begin:end])
        del self._buffer[:rest]
        self._searched = 0
        return part

    def _wait(self) -> bytes | None:
        """None: more must come."""
        if len(self._buffer) > self._most_bytes:
            raise ValueError("a part is too long, or the boundary never comes")
        return None
