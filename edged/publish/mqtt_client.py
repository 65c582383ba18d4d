"""paho's client behind the gate: it sees no packet that was not measured and looked at."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, time_func
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edged.delivery.mqtt_gate import MOST_ANSWER_BYTES, PacketGate, Unread
from edged.delivery.mqtt_properties import BrokerFaultError
from edged.delivery.mqtt_version import MqttVersion
from edged.delivery.topics import OFFLINE

CONNECT_TIMEOUT_S: Final = 5.0

_VERSIONS: Final = {
    MqttVersion.V5: MQTTProtocolVersion.MQTTv5,
    MqttVersion.V311: MQTTProtocolVersion.MQTTv311,
}

_NOTHING: Final = memoryview(b"")
_READS_AT_ONCE: Final = 64
"""Then others are served, whatever else is there to be read past."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and who we are there. `password` is kept out of the representation.

    Where there is a `will_topic`, the broker keeps `offline` there when the connection is lost.
    """

    host: str
    port: int
    client_id: str
    username: str | None
    password: Callable[[], str | None]
    keep_alive_s: int
    will_topic: str | None


class GatedClient(Client):
    """A client whose socket is read through a gate.

    One packet is read at a time and no byte of the next, so that whoever polls the socket misses nothing.
    """

    def __init__(self, *arguments: Any, gate: PacketGate, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.gate = gate
        self.fault = ""
        """What the broker sent that it must not, in words; empty where nothing was wrong."""
        self.is_hung_up = False
        """Whether the broker closed the connection."""
        self.unread: list[Unread] = []
        """Messages that were read past; whoever turns this client takes them out."""
        self._whole = _NOTHING

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self._whole:
            self._whole = memoryview(self._next_packet())
        some, rest = self._whole[:bufsize], self._whole[bufsize:]
        # An empty view would keep the packet.
        self._whole = rest or _NOTHING
        return bytes(some)

    def _note_that_it_moves(self) -> None:
        """A large packet on a slow line is no silence: paho would take it for one, and end the connection."""
        name = "_last_bytes_received" if hasattr(self, "_last_bytes_received") else "_last_msg_in"
        setattr(self, name, time_func())

    def _acknowledge_unread(self) -> None:
        for unread in self.gate.unread():
            self.unread.append(unread)
            if unread.mid:
                self.ack(unread.mid, 1)

    def _next_packet(self) -> bytes:
        """The next packet; nothing at the end. Raises BlockingIOError where it is not whole yet."""
        for _ in range(_READS_AT_ONCE):
            try:
                some = super()._sock_recv(self.gate.wants)
            except ConnectionResetError:
                self.is_hung_up = True
                raise
            if not some:
                self.is_hung_up = True
                return b""
            self._note_that_it_moves()
            try:
                packet = self.gate.feed(some)
            except BrokerFaultError as error:
                self.fault = error.what
                raise ConnectionAbortedError(error.what) from error
            # Before what comes next is: acknowledgements keep the order of messages (MQTT 5.0, 4.6).
            self._acknowledge_unread()
            if packet:
                return packet
        raise BlockingIOError


def client_of(
    address: Address, version: MqttVersion, context: ssl.SSLContext | None, window: int, most_bytes: int
) -> GatedClient:
    """A client of a broker, not connected yet. It acknowledges nothing by itself.

    Args:
        address: the broker, and who we are there.
        version: that is spoken.
        context: of TLS; None: the connection is plain.
        window: messages that are under way at once, at most.
        most_bytes: a message in a larger packet is read past.
    """
    client = GatedClient(
        CallbackAPIVersion.VERSION2,
        gate=PacketGate(version, max(most_bytes, MOST_ANSWER_BYTES), address.keep_alive_s),
        client_id=address.client_id,
        protocol=_VERSIONS[version],
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    # We hold the window; paho's queue behind it would be memory that a crash forgets.
    client.max_inflight_messages_set(window)
    client.max_queued_messages_set(window)
    if address.will_topic is not None:
        client.will_set(address.will_topic, OFFLINE, qos=1, retain=True)
    if address.username is not None:
        client.username_pw_set(address.username, address.password())
    if context is not None:
        client.tls_set_context(context)
    return client
