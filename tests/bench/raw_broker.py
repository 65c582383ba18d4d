"""A broker that says what a test has it say, byte for byte: one that lies, or an honest one.

Each connection is served by a script of its own; the last script serves all that come after.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from typing import Self

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    1,
    2,
    3,
    4,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
)
_PATIENCE_S = 20.0

Script = Callable[["Visit"], None]


# --- packets


def number(value: int) -> bytes:
    """A variable byte integer."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(written) + bytes((value,))


def text(words: str | bytes) -> bytes:
    """A string with its length before it."""
    content = words.encode() if isinstance(words, str) else words
    return struct.pack("!H", len(content)) + content


def packet(first: int, body: bytes) -> bytes:
    """A packet, of its first byte and what follows the length."""
    return bytes((first,)) + number(len(body)) + body


def section(*properties: bytes) -> bytes:
    """Properties with their length before them."""
    content = b"".join(properties)
    return number(len(content)) + content


def of_byte(kind: int, value: int) -> bytes:
    """A property."""
    return bytes((kind, value))


def of_two_bytes(kind: int, value: int) -> bytes:
    """A property."""
    return struct.pack("!BH", kind, value)


def of_four_bytes(kind: int, value: int) -> bytes:
    """A property."""
    return struct.pack("!BI", kind, value)


def of_text(kind: int, words: str) -> bytes:
    """A property."""
    return bytes((kind,)) + text(words)


def user_property(key: str = "k", value: str = "v") -> bytes:
    """A property."""
    return b"\x26" + text(key) + text(value)


def connack(*properties: bytes, code: int = 0) -> bytes:
    """Of MQTT 5."""
    return packet(CONNACK << 4, bytes((0, code)) + section(*properties))


def publish(
    topic: str | bytes, payload: bytes, *properties: bytes, qos: int = 1, mid: int = 1, retain: bool = False
) -> bytes:
    """Of MQTT 5."""
    head = text(topic) + (struct.pack("!H", mid) if qos else b"")
    return packet(PUBLISH << 4 | qos << 1 | retain, head + section(*properties) + payload)


def disconnect(code: int, *properties: bytes) -> bytes:
    """Of MQTT 5."""
    return packet(DISCONNECT << 4, bytes((code,)) + section(*properties))


def puback(mid: int, code: int = 0, *properties: bytes) -> bytes:
    """Of MQTT 5."""
    return packet(PUBACK << 4, struct.pack("!HB", mid, code) + section(*properties))


# --- connections


class Visit:
    """One connection. What breaks it off is an OSError, which ends its script."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self.connection = connection
        self.over = over
        self.level = 0
        self.client_id = ""
        self.acknowledged: list[int] = []
        """Numbers of messages that the client has acknowledged."""

    def next(self) -> tuple[int, bytes]:
        """The next packet of the client: its first byte, and what follows the length."""
        (first,) = self._exactly(1)
        length = shift = 0
        while True:
            (byte,) = self._exactly(1)
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        body = self._exactly(length)
        if first >> 4 == CONNECT:
            self.level = body[6]
            at = 10 + (1 + body[10] if self.level == 5 else 0)
            size = int.from_bytes(body[at : at + 2], "big")
            self.client_id = body[at + 2 : at + 2 + size].decode()
        return first, body

    def greet(self, *properties: bytes, code: int = 0) -> None:
        """Take the CONNECT and answer it, in its version."""
        self.next()
        self.send(connack(*properties, code=code) if self.level == 5 else packet(0x20, bytes((0, code))))

    def send(self, *packets: bytes) -> None:
        """Send them."""
        for one in packets:
            self.connection.sendall(one)

    def serve(self, code_of: Callable[[str], int] = lambda _topic: 0, retained: Iterable[bytes] = ()) -> None:
        """Answer as an honest broker would, until the client leaves; a topic may be refused by a code.

        `retained`: packets that each subscription brings.
        """
        while not self.over.is_set():
            first, body = self.next()
            self._answer(first, body, code_of)
            if first >> 4 == SUBSCRIBE:
                self.send(*retained)

    def _answer(self, first: int, body: bytes, code_of: Callable[[str], int]) -> None:
        nothing = b"\0" if self.level == 5 else b""
        kind = first >> 4
        if kind == SUBSCRIBE:
            self.send(packet(SUBACK << 4, body[:2] + nothing + b"\x01" * _topics_in(body, self.level)))
        elif kind == UNSUBSCRIBE:
            self.send(packet(UNSUBACK << 4, body[:2] + nothing))
        elif kind == PUBACK:
            self.acknowledged.append(int.from_bytes(body[:2], "big"))
        elif kind == PINGREQ:
            self.send(packet(PINGRESP << 4, b""))
        elif kind == PUBLISH and first & 0x06:
            end = 2 + int.from_bytes(body[:2], "big")
            code, mid = code_of(body[2:end].decode()), int.from_bytes(body[end : end + 2], "big")
            self.send(puback(mid, code) if self.level == 5 else packet(PUBACK << 4, struct.pack("!H", mid)))

    def until_left(self) -> None:
        """Read whatever the client sends until it leaves."""
        with contextlib.suppress(OSError):
            while self.connection.recv(65_536):
                pass

    def _exactly(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            some = self.connection.recv(size - len(content))
            if not some:
                raise ConnectionError
            content += some
        return content


def _topics_in(body: bytes, level: int) -> int:
    at, count = 2 + (1 + body[2] if level == 5 else 0), 0
    while at < len(body):
        at += 2 + int.from_bytes(body[at : at + 2], "big") + 1
        count += 1
    return count


def honest(visit: Visit) -> None:
    """As a broker should be, without a memory."""
    visit.greet()
    visit.serve()


class RawBroker:
    """Listens on a port of 127.0.0.1 until the block is over.

    Args:
        scripts: of the first connection, the second, and so on; the last one is of all others too.
        receive_buffer: bytes that the kernel keeps for it of what a client sends; None: as usual.
    """

    host = "127.0.0.1"

    def __init__(self, *scripts: Script, receive_buffer: int | None = None) -> None:
        self.scripts = list(scripts)
        self.visits: list[Visit] = []
        self.over = threading.Event()
        self._listener = socket.create_server((self.host, 0))
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(_PATIENCE_S)
        for visit in self.visits:
            with contextlib.suppress(OSError):
                visit.connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(_PATIENCE_S)
            script = self.scripts[min(len(self.visits), len(self.scripts) - 1)]
            self.visits.append(Visit(connection, self.over))
            thread = threading.Thread(target=self._serve, args=(script, self.visits[-1]), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, script: Script, visit: Visit) -> None:
        # A client that leaves is part of the game.
        with visit.connection, contextlib.suppress(OSError):
            script(visit)
