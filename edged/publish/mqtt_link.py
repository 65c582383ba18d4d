"""One connection to an MQTT broker: paho without its thread, its queue and its reconnecting."""

import contextlib
import select
import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edged.delivery.mqtt_answer import disconnect_words, said_by_broker
from edged.delivery.mqtt_gate import Unread
from edged.delivery.mqtt_terms import BrokerTerms
from edged.delivery.mqtt_version import MqttVersion
from edged.publish.mqtt_client import Address, client_of
from edged.publish.mqtt_subscriptions import Arrival
from edged.publish.wake_up import WakeUp

_CLOSED: Final = "the connection was closed"
_MOST_OWED: Final = 1_000
"""Acknowledgements that the broker does not read are memory: with so many, nothing more is read from it."""
_MOST_ASKED: Final = 256
"""Of subscriptions that the broker has not answered; asked for are eight topics with each."""
_UNREADABLE: Final = (MQTTException, LookupError, ValueError, struct.error)
"""What paho raises of a packet that it cannot read."""


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

    All calls are one thread's. `is_up` from the CONNACK on, with the broker's `terms`; `is_lost` when it is
    over, with `reason` and, where the broker refused the CONNECT, its `refusal` code, or, where it ended the
    connection with a word, its `farewell` code; `is_hung_up`: it just closed it.
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
        self.farewell: int | None = None
        self.terms = BrokerTerms()
        self._acks: list[Ack] = []
        self._owed = 0
        self._unread: list[Unread] = []
        self._own_fault: Exception | None = None
        self._alarm = alarm
        self._address = address
        self._reader = reader
        self._most_packet_bytes = reader.most_packet_bytes if reader else 0
        self._asked: dict[int, tuple[str, ...]] = {}
        self._client = client_of(address, version, context, window, self._most_packet_bytes)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        if reader is not None:
            self._client.on_message = self._on_message
            self._client.on_subscribe = self._on_subscribe

    @property
    def receive_maximum(self) -> int | None:
        """Messages that may be under way at once, where the broker says it."""
        return self.terms.receive_maximum

    @property
    def packet_maximum(self) -> int | None:
        """Bytes of the largest packet that the broker takes, where it says it."""
        return self.terms.packet_maximum

    @property
    def is_hung_up(self) -> bool:
        """Whether the broker closed it without a word."""
        return self._client.is_hung_up and self.farewell is None

    @property
    def is_at_fault(self) -> bool:
        """Whether the broker sent what it must not, as `reason` says."""
        return bool(self._client.fault)

    def unread(self) -> list[Unread]:
        """Messages that were read past since the last call: too large, or not well formed."""
        unread, self._unread = self._unread, []
        return unread

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
            self._ended(_CLOSED)
            return []
        # A broker that sends its PUBACKs under Nagle's rule holds the last ones until we acknowledge the
        # first, which TCP would put off for 40 ms. Linux forgets the wish at every turn (tcp(7)).
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not self._client.want_write():
            self._owed = 0
        is_read = self._owed < _MOST_OWED
        decrypted = sock.pending() if is_read and isinstance(sock, ssl.SSLSocket) else 0
        interest = (select.POLLIN if is_read else 0) | (select.POLLOUT if self._client.want_write() else 0)
        ready = self._alarm.poll(sock.fileno(), interest, 0.0 if decrypted else timeout_s)
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if decrypted or ready & ~select.POLLOUT:
            code = self._read()
        if not code and self._client.want_write():
            code = self._client.loop_write()
        if not code:
            code = self._client.loop_misc()
        if code or self._client.socket() is None:
            self._ended(self.reason or _CLOSED)
        acks, self._acks = self._acks, []
        return acks

    def _read(self) -> MQTTErrorCode:
        """Read what is there; a packet that is none ends the connection."""
        client = self._client
        try:
            code = client.loop_read()
        except _UNREADABLE as error:
            if error is self._own_fault:
                raise
            code = MQTTErrorCode.MQTT_ERR_PROTOCOL
            self.reason = "the broker sent a packet that cannot be read"
        unread, client.unread = client.unread, []
        self._owed += len(unread)
        self._unread += unread
        if self._reader is not None:
            for one in unread:
                self._reader.arrived(Arrival(one.topic, b"", one.is_retained, None, b"", unread=one.kind))
        if client.fault:
            self.reason = f"the broker sent {client.fault}"
        elif code is MQTTErrorCode.MQTT_ERR_PROTOCOL:
            self.reason = self.reason or "the broker sent a packet that cannot be read"
        return code

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for topics, also for some that are asked for already: what is retained there comes again.

        The reader is told what the broker answers.
        """
        if not topics:
            return
        if len(self._asked) >= _MOST_ASKED:
            self.abandon("the broker answers no subscription")
            return
        code, mid = self._client.subscribe([(topic, 1) for topic in topics])
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            self._ended(self.reason or _CLOSED)
        else:
            self._asked[mid] = tuple(topics)

    def unsubscribe(self, topics: Sequence[str]) -> None:
        """Ask for topics no more; what is on its way may still come."""
        if not topics:
            return
        code, _ = self._client.unsubscribe(list(topics))
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._ended(self.reason or _CLOSED)

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
            self._ended(self.reason or _CLOSED)
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
        self.terms = BrokerTerms(
            receive_maximum=getattr(properties, "ReceiveMaximum", None),
            packet_maximum=getattr(properties, "MaximumPacketSize", None),
            most_qos=getattr(properties, "MaximumQoS", 2),
            keeps_retained=bool(getattr(properties, "RetainAvailable", 1)),
            takes_wildcards=bool(getattr(properties, "WildcardSubscriptionAvailable", 1)),
        )

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        flags: DisconnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.farewell = int(code.value)
            self.reason = _with_its_words(disconnect_words(self.farewell), properties)
        elif str(code) == "Keep alive timeout":
            self.reason = "the broker does not answer any more"

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._acks.append(Ack(mid, int(code.value)))

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._reader is not None:
            properties = message.properties
            arrival = Arrival(
                topic=message.topic,
                payload=bytes(message.payload),
                is_retained=message.retain,
                response_topic=getattr(properties, "ResponseTopic", None),
                correlation=getattr(properties, "CorrelationData", b""),
            )
            try:
                self._reader.arrived(arrival)
            except Exception as error:
                # What is wrong here is not to be taken for what is wrong with a packet.
                self._own_fault = error
                raise
        if message.qos:
            self._owed += 1
            self._client.ack(message.mid, 1)

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


def _with_its_words(words: str, properties: Properties | None) -> str:
    """With what the broker wrote beside its code, where it did."""
    said = said_by_broker(getattr(properties, "ReasonString", ""))
    elsewhere = said_by_broker(getattr(properties, "ServerReference", ""))
    words += f", in its words: {said}" if said else ""
    return words + (f" (it names {elsewhere})" if elsewhere else "")


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call] # paho's own
