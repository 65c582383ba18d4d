"""Real MQTT 3.1.1 clients, thousands in one process: each is a socket, a buffer and a camera's checks."""

import selectors
import socket
import struct
import time
from collections.abc import Callable

from edged.replication.statements import PageEntry
from simulated_fleet.camera import LightCamera
from simulated_fleet.wire import TOPICS

_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 2, 3, 4, 9
_AT_ONCE = 100
"""Connections that are being made at one time: a broker's backlog is about as long."""


def _packet(kind_and_flags: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (128 if left else 0))
        if not left:
            return bytes([kind_and_flags]) + bytes(length) + body


def _text(words: str) -> bytes:
    return struct.pack(">H", len(words)) + words.encode()


class Client:
    """One camera on a broker."""

    def __init__(self, number: int, port: int, camera: LightCamera) -> None:
        self.camera = camera
        self.is_listening = False
        self.bytes_in = 0
        self.bytes_out = 0
        self._received = bytearray()
        self._lacking: dict[str, bytes] = {}
        self._entries: list[PageEntry] = []
        self._wanted: set[str] = set()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = f"camera-{number:05}"
        self._send(0x10, _text("MQTT") + bytes([4, 2, 0, 0]) + _text(name))

    def readable(self) -> None:
        """Read what came, and answer it."""
        some = self.socket.recv(262_144)
        if not some:
            raise ConnectionError("the broker hung up")
        self.bytes_in += len(some)
        self._received += some
        while (taken := self._next_packet()) is not None:
            self._arrived(*taken)

    def _next_packet(self) -> tuple[int, bytes] | None:
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(self._received):
                return None
            digit = self._received[at]
            length |= (digit & 127) << shift
            shift, at = shift + 7, at + 1
            if not digit & 128:
                break
        if len(self._received) < at + length:
            return None
        head, body = self._received[0], bytes(self._received[at : at + length])
        del self._received[: at + length]
        return head, body

    def _arrived(self, head: int, body: bytes) -> None:
        kind = head >> 4
        if kind == _CONNACK:
            self._subscribe(TOPICS.manifest)
        elif kind == _SUBACK:
            self.is_listening = True
        elif kind == _PUBLISH:
            size = int.from_bytes(body[:2], "big")
            topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
            if head & 6:
                self._send(_PUBACK << 4, rest[:2])
                rest = rest[2:]
            self._take(topic, rest)

    def _take(self, topic: str, payload: bytes) -> None:
        name = TOPICS.page_of(topic)
        if name is None:
            self._entries = self.camera.told(payload)
            self._lacking = {}
            self._wanted = {entry.sha256 for entry in self._entries}
            for page in self._wanted:
                self._subscribe(TOPICS.page(page))
        elif name in self._wanted:
            self._wanted.discard(name)
            self._lacking[name] = payload
            self._send(0xA2, b"\0\2" + _text(topic))
        if not self._wanted:
            self.camera.finish(self._entries, self._lacking.__getitem__)
            self._lacking = {}

    def _subscribe(self, topic: str) -> None:
        self._send(0x82, b"\0\1" + _text(topic) + b"\1")

    def _send(self, kind_and_flags: int, body: bytes) -> None:
        data = _packet(kind_and_flags, body)
        self.bytes_out += len(data)
        self.socket.sendall(data)


class Fleet:
    """Many clients, turned by whoever waits for something."""

    def __init__(self, port: int, make_camera: Callable[[], LightCamera]) -> None:
        self._port, self._make_camera = port, make_camera
        self._selector = selectors.DefaultSelector()
        self.clients: list[Client] = []

    def grow(self, count: int) -> None:
        """Have so many clients in all, each connected and subscribed to the manifest."""
        while len(self.clients) < count:
            for _ in range(min(_AT_ONCE, count - len(self.clients))):
                client = Client(len(self.clients), self._port, self._make_camera())
                self.clients.append(client)
                self._selector.register(client.socket, selectors.EVENT_READ, client)
            self.turn_until(lambda: all(client.is_listening for client in self.clients[-_AT_ONCE:]))

    def turn_until(self, is_done: Callable[[], bool], timeout_s: float = 600) -> float:
        """Serve the clients until something holds; returns the seconds it took."""
        begun = time.perf_counter()
        while not is_done():
            for key, _ in self._selector.select(0.2):
                key.data.readable()
            if time.perf_counter() - begun > timeout_s:
                raise TimeoutError("the cameras did not come into step")
        return time.perf_counter() - begun

    def in_step(self, epoch: int) -> int:
        """How many have an epoch in force."""
        return sum(client.camera.in_force.epoch == epoch for client in self.clients)

    def close(self) -> None:
        """Hang up."""
        for client in self.clients:
            client.socket.close()
        self._selector.close()
