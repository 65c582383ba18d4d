"""The properties of what a broker of MQTT 5 sends: read whole, and left with those that are used here."""

from collections.abc import Mapping
from typing import Final

from edged.domain.errors import DeliveryError

MOST_BYTES: Final = 8_192
"""More of them in one packet are not read: topics, correlation data and a sentence have room in that."""

MORE: Final = 0x80
"""A byte of a number that is not its last (MQTT 5.0, 1.5.5)."""
_BYTE, _TWO_BYTES, _FOUR_BYTES, _NUMBER, _BINARY, _TEXT, _PAIR = range(7)
# MQTT 5.0, table 2-4, without those that only a client sends.
_KINDS: Final[Mapping[int, int]] = {
    0x01: _BYTE,
    0x02: _FOUR_BYTES,
    0x03: _TEXT,
    0x08: _TEXT,
    0x09: _BINARY,
    0x0B: _NUMBER,
    0x11: _FOUR_BYTES,
    0x12: _TEXT,
    0x13: _TWO_BYTES,
    0x15: _TEXT,
    0x16: _BINARY,
    0x1A: _TEXT,
    0x1C: _TEXT,
    0x1F: _TEXT,
    0x21: _TWO_BYTES,
    0x22: _TWO_BYTES,
    0x23: _TWO_BYTES,
    0x24: _BYTE,
    0x25: _BYTE,
    0x26: _PAIR,
    0x27: _FOUR_BYTES,
    0x28: _BYTE,
    0x29: _BYTE,
    0x2A: _BYTE,
}
RESPONSE_TOPIC: Final = 0x08
CORRELATION_DATA: Final = 0x09
SERVER_KEEP_ALIVE: Final = 0x13
SERVER_REFERENCE: Final = 0x1C
REASON_STRING: Final = 0x1F
RECEIVE_MAXIMUM: Final = 0x21
TOPIC_ALIAS: Final = 0x23
MAXIMUM_QOS: Final = 0x24
RETAIN_AVAILABLE: Final = 0x25
MAXIMUM_PACKET_SIZE: Final = 0x27
WILDCARDS_AVAILABLE: Final = 0x28
_REPEATED: Final = frozenset({0x0B, 0x26})
_FIXED: Final = {_BYTE: 1, _TWO_BYTES: 2, _FOUR_BYTES: 4}
_NEVER_ZERO: Final = frozenset({RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE})
_ZERO_OR_ONE: Final = frozenset({0x01, MAXIMUM_QOS, RETAIN_AVAILABLE, WILDCARDS_AVAILABLE, 0x29, 0x2A})


class BrokerFaultError(DeliveryError):
    """What came from a broker is none of what MQTT has it say to us."""


def read_number(content: bytes | bytearray, start: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 5.0, 1.5.5) and where it ends; raises BrokerFaultError."""
    value = 0
    for place in range(4):
        if start + place >= len(content):
            break
        byte = content[start + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < MORE:
            return value, start + place + 1
    raise BrokerFaultError("a number without an end")


def written_number(value: int) -> bytes:
    """A variable byte integer; `value` below 2^28."""
    written = bytearray()
    while value >= MORE:
        written.append(value & 0x7F | MORE)
        value >>= 7
    written.append(value)
    return bytes(written)


def section_end(content: bytes | bytearray, start: int) -> tuple[int, int]:
    """Where a section of properties begins, behind its length, and ends; raises BrokerFaultError."""
    length, begin = read_number(content, start)
    if begin + length > len(content):
        raise BrokerFaultError("properties that go beyond their packet")
    return begin, begin + length


def kept(content: bytes | bytearray, begin: int, end: int, wanted: Mapping[int, object]) -> bytes:
    """The section of those properties that are wanted, with its length before it.

    Args:
        content: a packet.
        begin: of its properties, behind their length.
        end: of them; `MOST_BYTES` further at most.
        wanted: kinds by their numbers; a value that is a pair of numbers says what the property may be, from
            and to: one outside is left out.

    Raises:
        BrokerFaultError: it is not well formed, one that may be there once is there twice, or one has a value
            that MQTT forbids.
    """
    seen: set[int] = set()
    section = bytearray()
    place = begin
    while place < end:
        kind, start = read_number(content, place)
        if kind not in _KINDS or (kind in seen and kind not in _REPEATED):
            raise BrokerFaultError(f"a property of the kind {kind} that may not be there")
        seen.add(kind)
        place = _past(content, start, end, _KINDS[kind])
        if _KINDS[kind] in _FIXED:
            value = int.from_bytes(content[start:place], "big")
            _require_allowed(kind, value)
            bounds = wanted.get(kind)
            if isinstance(bounds, tuple) and not bounds[0] <= value <= bounds[1]:
                continue
        if kind in wanted:
            section += bytes((kind,)) + content[start:place]
    return written_number(len(section)) + section


def _past(content: bytes | bytearray, start: int, end: int, kind: int) -> int:
    """Where a value ends."""
    if kind in _FIXED:
        place = start + _FIXED[kind]
    elif kind == _NUMBER:
        place = read_number(content, start)[1]
    elif kind == _BINARY:
        place = _past_field(content, start, end)
    else:
        place = start
        for _ in range(2 if kind == _PAIR else 1):
            after = _past_field(content, place, end)
            require_text(content[place + 2 : after])
            place = after
    if place > end:
        raise BrokerFaultError("a property that goes beyond its section")
    return place


def _past_field(content: bytes | bytearray, start: int, end: int) -> int:
    place = start + 2 + int.from_bytes(content[start : start + 2], "big")
    if start + 2 > end or place > end:
        raise BrokerFaultError("a property that goes beyond its section")
    return place


def _require_allowed(kind: int, value: int) -> None:
    if kind == TOPIC_ALIAS:
        raise BrokerFaultError("a topic alias, of which none was allowed")
    if (kind in _NEVER_ZERO and value == 0) or (kind in _ZERO_OR_ONE and value > 1):
        raise BrokerFaultError(f"a property of the kind {kind} with the forbidden value {value}")


def require_text(content: bytes | bytearray) -> str:
    """Text as MQTT has it (1.5.4); raises BrokerFaultError for what is none."""
    try:
        text = bytes(content).decode("utf-8")
    except UnicodeDecodeError:
        raise BrokerFaultError("text that is not UTF-8") from None
    if "\0" in text:
        raise BrokerFaultError("text with a null character")
    return text
