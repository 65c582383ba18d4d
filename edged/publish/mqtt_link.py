"""One connection to an MQTT broker: paho without its thread, its queue and its reconnecting."""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edged.delivery.mqtt_version import MqttVersion
from edged.delivery.topics import OFFLINE
from edged.publish.mqtt_subscriptions import Arrival
from edged.publish.wake_up import WakeUp

CONNECT_TIMEOUT_S: Final = 5.0

_VERSIONS: Final = {
    MqttVersion.V5: MQTTProtocolVersion.MQTTv5,
    MqttVersion.V311: MQTTProtocolVersion.MQTTv311,
}


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


@dataclass(frozen=True, slots=True)
class Ack:
    """A PUBACK: of which message, and its reason code (0 where the version has none)."""

    mid: int
    reason_code: int


class Reader(Protocol):
    """Whoever reads what the broker brings. All calls are the link's thread's."""

    @property
    def most_packet_bytes(self) -> int:
        """A packet with more bytes is none that can be wanted; asked when the link is made."""
        ...

    def arrived(self, arrival: Arrival) -> None:
        """Take a message over; it is acknowledged when this returns."""
        ...

    def subscribed(self, topics: Sequence[str], refusals: Sequence[str]) -> None:
        """What the broker said to each topic: its words where it refused, else nothing."""
        ...


class MqttLink:
    """A connection from its CONNECT to its end. A new one is made for each: nothing survives inside paho.

    All calls are one thread's. `is_up` from the CONNACK on; `is_lost` when it is over, with `reason` and,
    where the broker refused the CONNECT, its `refusal` code.
    """

    def __init__(
        self,
        address: Address,
        version: MqttVersion,
        context: ssl.SSLContext | None,
        window: int,
        alarm: WakeUp,
        reader: Reader | None = None,
    ) -> None:
        self.version = version
        self.is_up = False
        self.is_lost = False
        self.reason = ""
        self.refusal: int | None = None
        self.receive_maximum: int | None = None
        self.packet_maximum: int | None = None
        self._acks: list[Ack] = []
        self._alarm = alarm
        self._address = address
        self._reader = reader
        self._most_packet_bytes = reader.most_packet_bytes if reader else 0
        self._asked: dict[int, tuple[str, ...]] = {}
        self._client = self._made(address, version, context, window)

    def connect(self) -> None:
        """Open the connection and send the CONNECT; raises OSError. Blocks for some seconds at most."""
        address = self._address
        try:
            self._client.connect(address.host, address.port, address.keep_alive_s, properties=self._wishes())
        except UnicodeError as error:
            raise OSError(0, "the host's name cannot be a name") from error
        sock: Any = self._client.socket()
        # A job, its event and the presence follow each other closely: none waits for an ACK of TCP.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def service(self, timeout_s: float) -> list[Ack]:
        """Wait for the broker or a wake-up, do what is to do; returns the acknowledgements that came."""
        sock: Any = self._client.socket()
        if self.is_lost or sock is None or sock.fileno() < 0:
            self._ended("the connection was closed")
            return []
        # A broker that sends its PUBACKs under Nagle's rule holds the last ones until we acknowledge the
        # first, which TCP would put off for 40 ms. Linux forgets the wish at every turn (tcp(7)).
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        decrypted = sock.pending() if isinstance(sock, ssl.SSLSocket) else 0
        interest = select.POLLIN | (select.POLLOUT if self._client.want_write() else 0)
        ready = self._alarm.poll(sock.fileno(), interest, 0.0 if decrypted else timeout_s)
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if decrypted or ready & ~select.POLLOUT:
            code = self._client.loop_read()
        if not code and self._client.want_write():
            code = self._client.loop_write()
        if not code:
            code = self._client.loop_misc()
        if code or self._client.socket() is None:
            self._ended(self.reason or "the connection was closed")
        acks, self._acks = self._acks, []
        return acks

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for topics, also for some that are asked for already: what is retained there comes again.

        The reader is told what the broker answers.
        """
        if not topics:
            return
        code, mid = self._client.subscribe([(topic, 1) for topic in topics])
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            self._ended(self.reason or "the connection was closed")
        else:
            self._asked[mid] = tuple(topics)

    def unsubscribe(self, topics: Sequence[str]) -> None:
        """Ask for topics no more; what is on its way may still come."""
        if not topics:
            return
        code, _ = self._client.unsubscribe(list(topics))
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._ended(self.reason or "the connection was closed")

    def publish(self, topic: str, payload: bytes, *, retain: bool, correlation: bytes = b"") -> int | None:
        """Send with QoS 1; returns what its acknowledgement will be known by, None where the link is lost.

        `correlation` goes with it on MQTT 5, and nowhere on 3.1.1, which has no place for it.
        """
        properties = None
        if correlation and self.version is MqttVersion.V5:
            properties = _properties(PacketTypes.PUBLISH)
            properties.CorrelationData = correlation
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._ended(self.reason or "the connection was closed")
            return None
        return info.mid

    def disconnect(self) -> None:
        """Say goodbye, so that the broker does not send our will, and close."""
        self._client.disconnect()
        self.abandon("closed by us")

    def abandon(self, reason: str) -> None:
        """Close without a word."""
        self._ended(reason)
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _ended(self, reason: str) -> None:
        if not self.is_lost:
            self.is_lost, self.is_up, self.reason = True, False, reason

    def _made(
        self, address: Address, version: MqttVersion, context: ssl.SSLContext | None, window: int
    ) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            protocol=_VERSIONS[version],
            reconnect_on_failure=False,
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
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        if self._reader is not None:
            client.on_message = self._on_message
            client.on_subscribe = self._on_subscribe
        return client

    def _wishes(self) -> Properties | None:
        """What we ask of the broker: nothing that is larger than we can want (MQTT 5 alone)."""
        if self._reader is None or self.version is not MqttVersion.V5:
            return None
        properties = _properties(PacketTypes.CONNECT)
        properties.MaximumPacketSize = self._most_packet_bytes
        return properties

    def _on_connect(
        self,
        _client: Client,
        _data: Any,
        _flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self.refusal = int(code.value)
            return
        self.is_up = True
        self.receive_maximum = getattr(properties, "ReceiveMaximum", None)
        self.packet_maximum = getattr(properties, "MaximumPacketSize", None)

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        flags: DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.reason = f"the broker closed it: {str(code).lower()}"
        elif str(code) == "Keep alive timeout":
            self.reason = "the broker does not answer any more"

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._acks.append(Ack(mid, int(code.value)))

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        # paho acknowledges it when this returns.
        if self._reader is not None:
            self._reader.arrived(
                Arrival(
                    topic=message.topic,
                    payload=bytes(message.payload),
                    is_retained=message.retain,
                    response_topic=getattr(message.properties, "ResponseTopic", None),
                    correlation=getattr(message.properties, "CorrelationData", b""),
                )
            )

    def _on_subscribe(
        self,
        _client: Client,
        _data: Any,
        mid: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        topics = self._asked.pop(mid, ())
        if self._reader is not None:
            refusals = [str(code).lower() if code.is_failure else "" for code in codes]
            self._reader.subscribed(topics, refusals)


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call] # paho's own
