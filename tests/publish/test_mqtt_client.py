"""paho's client behind the gate, at a socket of ours."""

import socket
from contextlib import closing

import pytest

from bench import raw_broker as raw
from edged.delivery.mqtt_version import MqttVersion
from edged.publish.mqtt_client import Address, GatedClient, client_of

ADDRESS = Address("localhost", 1883, "me", None, lambda: None, 15, None)


def a_client(sock: socket.socket) -> GatedClient:
    client = client_of(ADDRESS, MqttVersion.V5, None, 10, 100_000)
    sock.setblocking(False)
    client._sock = sock
    return client


def test_a_large_packet_on_a_slow_line_is_not_taken_for_silence():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        client = a_client(ours)
        theirs.sendall(raw.connack() + raw.publish("a", bytes(1_000))[:100])
        assert client._sock_recv(5) == raw.connack()[:5]
        # As paho 2.2 calls it, and 2.1.
        (name,) = [each for each in ("_last_bytes_received", "_last_msg_in") if hasattr(client, each)]
        setattr(client, name, 0.0)
        with pytest.raises(BlockingIOError):
            client._sock_recv(1)

        assert getattr(client, name) > 0


def test_no_byte_of_the_next_packet_is_taken_from_the_socket():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        client = a_client(ours)
        theirs.sendall(raw.connack() + raw.publish("a", b"x"))
        whole = client._sock_recv(100)

        assert whole == raw.connack()
        assert ours.recv(100) == raw.publish("a", b"x")
