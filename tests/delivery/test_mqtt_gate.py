"""What reaches the client's library of what a broker sends."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import raw_broker as raw
from edged.delivery.mqtt_gate import MOST_READ_BYTES, PacketGate
from edged.delivery.mqtt_properties import BrokerFaultError
from edged.delivery.mqtt_version import MqttVersion

V5, V311 = MqttVersion
MOST_BYTES = 2_000
GREETING = raw.connack()
PACKETS = (
    raw.publish("a/b", b"payload"),
    raw.publish("a/b", b"", qos=0, retain=True),
    raw.publish("a/b", bytes(MOST_BYTES + 1), mid=7),
    raw.publish("a/b", b"x", *[raw.user_property()] * 3, raw.of_text(8, "answers"), b"\x09" + raw.text(b"c")),
    raw.puback(1),
    raw.puback(2, 0x97, raw.of_text(0x1F, "full"), raw.user_property()),
    b"\x90\x04\0\x01\0\x01",
    b"\xb0\x04\0\x01\0\0",
    b"\xd0\x00",
    raw.disconnect(0x8E),
)


def a_gate(version: MqttVersion = V5) -> PacketGate:
    return PacketGate(version, MOST_BYTES, 60)


def fed(gate: PacketGate, stream: bytes, most: int = MOST_READ_BYTES) -> list[bytes]:
    """What comes through, where so many bytes are read at a time, at most."""
    packets, at = [], 0
    while at < len(stream):
        some = stream[at : at + min(gate.wants, most)]
        at += len(some)
        packets.append(gate.feed(some))
    return [packet for packet in packets if packet]


def test_what_is_used_comes_through_and_what_is_not_is_left_out():
    greeting, message, ack = fed(
        a_gate(),
        raw.connack(raw.of_two_bytes(0x21, 5), raw.user_property(), raw.of_text(0x12, "x"))
        + PACKETS[3]
        + PACKETS[5],
    )

    assert greeting == raw.connack(raw.of_two_bytes(0x21, 5))
    assert message == raw.publish("a/b", b"x", raw.of_text(8, "answers"), b"\x09" + raw.text(b"c"))
    assert ack == raw.puback(2, 0x97, raw.of_text(0x1F, "full"))


def test_a_larger_message_is_read_past_with_its_number_and_topic():
    gate = a_gate()
    fed(gate, GREETING + PACKETS[2])

    (unread,) = gate.unread()
    assert (unread.topic, unread.mid, unread.kind, unread.is_retained) == ("a/b", 7, "oversized", False)
    assert "none that is wanted has more than 2000" in unread.why
    assert gate.unread() == []


@pytest.mark.parametrize(("asked_s", "is_kept"), [(1, True), (60, True), (61, False), (0, False)])
def test_a_keep_alive_may_be_shortened_only(asked_s, is_kept):
    asked = raw.of_two_bytes(0x13, asked_s)
    (greeting,) = fed(a_gate(), raw.connack(asked))

    assert greeting == (raw.connack(asked) if is_kept else raw.connack())


def test_mqtt_3_1_1_has_no_properties_and_no_disconnect():
    message = b"\x32\x08\0\x03a/b\0\x01!"
    assert fed(a_gate(V311), b"\x20\x02\0\0" + message) == [b"\x20\x02\0\0", message]
    with pytest.raises(BrokerFaultError, match="kind 14"):
        fed(a_gate(V311), b"\x20\x02\0\0\xe0\x00")


def test_the_refusal_of_a_broker_without_mqtt_5_comes_through():
    assert fed(a_gate(), b"\x20\x02\0\x01") == [b"\x20\x02\0\x01"]


def test_properties_are_looked_at_once_however_many_there_are():
    # 8 kB of them, the most that are read, are no more than 8 kB of work: what is kept is counted.
    most = [raw.user_property("", "")] * 1_600
    (_, message) = fed(PacketGate(V5, 20_000, 60), GREETING + raw.publish("a", b"x", *most))

    assert message == raw.publish("a", b"x")


@given(st.lists(st.sampled_from(PACKETS[:9])), st.integers(1, 50))
def test_it_does_not_matter_in_which_pieces_a_stream_comes(packets, most):
    stream = GREETING + b"".join(packets)

    assert fed(a_gate(), stream, most) == fed(a_gate(), stream)


@given(
    st.sampled_from(MqttVersion),
    st.lists(st.sampled_from([GREETING, b"\x20\x02\0\0", *PACKETS]) | st.binary(max_size=40)),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255))),
)
def test_whatever_comes_it_is_a_packet_or_a_fault_and_little_is_held(version, pieces, changes):
    stream = bytearray(b"".join(pieces))
    for place, byte in changes:
        if place < len(stream):
            stream[place] = byte
    gate, most_held = a_gate(version), 0
    with suppress(BrokerFaultError):
        for byte in stream:
            gate.feed(bytes((byte,)))
            most_held = max(most_held, gate.held_bytes)
    assert most_held <= 2 + 65_535 + 2
