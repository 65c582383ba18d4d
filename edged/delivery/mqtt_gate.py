"""What a broker may send us, packet by packet: the rest does not reach the client's library.

The library takes any packet of up to 256 MiB, keeps packets of QoS 2 until they are released, answers
whatever asks for an answer, and reads properties in a time that grows with the square of their number. So
each packet is measured before it is read and looked at before it is handed on, and goes on without properties
that nobody here uses.

A message that is too large, or not well formed in what another client wrote of it, is read past: others may
write to a topic that is read here, and they shall not be able to end the connection by that. What only a
broker can have said, and must not, ends it.
"""

from dataclasses import dataclass
from typing import Final, Literal

from edged.delivery import mqtt_properties as properties
from edged.delivery.mqtt_properties import BrokerFaultError
from edged.delivery.mqtt_version import MqttVersion

MOST_ANSWER_BYTES: Final = 16_384
"""Of a packet that is no message. The longest answers a SUBSCRIBE: a byte a topic, and properties."""
MOST_READ_BYTES: Final = 65_536
_MOST_START_BYTES: Final = 5
"""Of a packet: its kind, and its length."""
_MOST_HEAD_BYTES: Final = 2 + 65_535 + 2
"""Of a message: its topic with its length, and its number."""

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _UNSUBACK, _PINGRESP, _DISCONNECT = 2, 3, 4, 9, 11, 13, 14
_NAMES: Final = {
    _CONNACK: "CONNACK",
    _PUBLISH: "PUBLISH",
    _PUBACK: "PUBACK",
    _SUBACK: "SUBACK",
    _UNSUBACK: "UNSUBACK",
    _PINGRESP: "PINGRESP",
    _DISCONNECT: "DISCONNECT",
}
_OF_MESSAGES: Final = {properties.RESPONSE_TOPIC: None, properties.CORRELATION_DATA: None}
_OF_ANSWERS: Final = {properties.REASON_STRING: None, properties.SERVER_REFERENCE: None}


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that was read past.

    Attributes:
        topic: as it came.
        is_retained: the broker keeps it.
        kind: what is wrong with it.
        why: the same in words.
        mid: what it is to be acknowledged by; 0: by nothing.
    """

    topic: str
    is_retained: bool
    kind: Literal["oversized", "malformed"]
    why: str
    mid: int


class PacketGate:
    """Takes what a broker sends and gives the packets that may be handed on. One connection's.

    Args:
        version: that is spoken.
        most_bytes: a message in a larger packet is read past.
        keep_alive_s: of this client; a broker may ask for a shorter one only.
    """

    def __init__(self, version: MqttVersion, most_bytes: int, keep_alive_s: int) -> None:
        self._is_5 = version is MqttVersion.V5
        self._most_bytes = most_bytes
        self._of_welcome: dict[int, object] = {
            properties.SERVER_KEEP_ALIVE: (1, keep_alive_s),
            properties.RECEIVE_MAXIMUM: None,
            properties.MAXIMUM_QOS: None,
            properties.RETAIN_AVAILABLE: None,
            properties.MAXIMUM_PACKET_SIZE: None,
            properties.WILDCARDS_AVAILABLE: None,
            **_OF_ANSWERS,
        }
        self._is_welcome = False
        self._unread: list[Unread] = []
        self._begin()

    @property
    def wants(self) -> int:
        """So many bytes are to be read next, at most: from 1 to `MOST_READ_BYTES`."""
        return 1 if self._left is None else min(self._left, MOST_READ_BYTES)

    @property
    def held_bytes(self) -> int:
        """Of the packet that is not whole yet."""
        return len(self._held)

    def unread(self) -> list[Unread]:
        """What was read past since the last call."""
        unread, self._unread = self._unread, []
        return unread

    def feed(self, some: bytes) -> bytes:
        """Take what was read; returns a packet to be handed on, or nothing.

        `some` has as many bytes as were wanted, at most. Raises BrokerFaultError: the connection is to be
        ended.
        """
        if self._left is None:
            self._head += some
            if len(self._head) == 1:
                self._require_awaited(some[0])
            else:
                self._measure()
        else:
            self._left -= len(some)
            self._held += some[: self._keeps - len(self._held)]
        if self._left != 0:
            return b""
        first, length, held, is_past = self._head[0], self._length, self._held, self._is_past
        self._begin()
        return self._checked(first, length, held, is_past=is_past)

    def _begin(self) -> None:
        self._head = bytearray()
        self._held = bytearray()
        self._left: int | None = None
        self._length = self._keeps = 0
        self._is_past = False

    def _require_awaited(self, first: int) -> None:
        kind, flags = first >> 4, first & 0x0F
        if kind not in _NAMES or (kind == _DISCONNECT and not self._is_5):
            raise BrokerFaultError(f"a packet of the kind {kind}, which no broker sends us")
        if (kind == _CONNACK) is self._is_welcome:
            raise BrokerFaultError(f"{_NAMES[kind]} at the wrong time")
        if kind != _PUBLISH and flags:
            raise BrokerFaultError(f"{_NAMES[kind]} with flags that it has none of")
        if kind == _PUBLISH and flags & 0x06 not in (0, 2):
            raise BrokerFaultError("a message with a QoS that was not asked for")

    def _measure(self) -> None:
        if self._head[-1] >= properties.MORE:
            if len(self._head) == _MOST_START_BYTES:
                raise BrokerFaultError("a packet that says no length")
            return
        self._length = self._left = self._keeps = properties.read_number(self._head, 1)[0]
        self._is_welcome = True
        kind = self._head[0] >> 4
        if kind != _PUBLISH and self._length > MOST_ANSWER_BYTES:
            raise BrokerFaultError(f"{_NAMES[kind]} with {self._length} bytes")
        if kind == _PUBLISH and self._length + len(self._head) > self._most_bytes:
            self._is_past = True
            self._keeps = min(self._length, _MOST_HEAD_BYTES)

    def _checked(self, first: int, length: int, held: bytearray, *, is_past: bool) -> bytes:
        kind = first >> 4
        if kind == _PUBLISH:
            return self._message(first, length, held, is_past=is_past)
        if kind == _PINGRESP and held:
            raise BrokerFaultError("PINGRESP with something in it")
        return _packet(first, held if kind == _PINGRESP else self._answer(kind, held))

    def _message(self, first: int, length: int, held: bytearray, *, is_past: bool) -> bytes:
        end = 2 + int.from_bytes(held[:2], "big")
        behind = end + 2 if first & 0x06 else end
        mid = int.from_bytes(held[end:behind], "big")
        if len(held) < max(2, behind) or not held[2:end] or (first & 0x06 and mid == 0):
            raise BrokerFaultError("a message without a topic, or without its number")
        if is_past:
            why = f"it has {length} bytes, and none that is wanted has more than {self._most_bytes}"
            return self._read_past(first, held[2:end], "oversized", why, mid)
        try:
            properties.require_text(held[2:end])
            if not self._is_5:
                return _packet(first, held)
            begin, payload = properties.section_end(held, behind)
            if payload - begin > properties.MOST_BYTES:
                why = f"it has {payload - begin} bytes of properties"
                return self._read_past(first, held[2:end], "oversized", why, mid)
            section = properties.kept(held, begin, payload, _OF_MESSAGES)
        except BrokerFaultError as error:
            return self._read_past(first, held[2:end], "malformed", f"it has {error.what}", mid)
        return _packet(first, held[:behind], section, held[payload:])

    def _read_past(
        self, first: int, topic: bytearray, kind: Literal["oversized", "malformed"], why: str, mid: int
    ) -> bytes:
        is_retained = bool(first & 0x01)
        self._unread.append(Unread(topic.decode("utf-8", "replace"), is_retained, kind, why, mid))
        return b""

    def _answer(self, kind: int, held: bytearray) -> bytes:
        """CONNACK, PUBACK, SUBACK, UNSUBACK, DISCONNECT, with what is used of their properties."""
        # CONNACK has flags and a code before them, PUBACK a number and a code, DISCONNECT a code; those of
        # the other two have a number before and codes behind.
        before = {_CONNACK: 2, _PUBACK: 3, _DISCONNECT: 1}.get(kind, 2)
        if not self._is_5 or len(held) <= before:
            # Also the refusal of a broker that has no MQTT 5. Of most packets the rest may be left out.
            return bytes(held)
        begin, end = properties.section_end(held, before)
        if end - begin > properties.MOST_BYTES:
            raise BrokerFaultError(f"{_NAMES[kind]} with {end - begin} bytes of properties")
        wanted = self._of_welcome if kind == _CONNACK else _OF_ANSWERS
        section = properties.kept(held, begin, end, wanted)
        codes = held[end:]
        if codes and kind not in (_SUBACK, _UNSUBACK):
            raise BrokerFaultError(f"{_NAMES[kind]} with something behind it")
        return bytes(held[:before]) + section + codes


def _packet(first: int, *parts: bytes | bytearray) -> bytes:
    body = b"".join(parts)
    return bytes((first,)) + properties.written_number(len(body)) + body
