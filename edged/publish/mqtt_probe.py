"""A round trip through an MQTT broker, as a client of another name and without a will.

The running daemon's session stays untouched, and nobody who listens to jobs, events or states hears of it:
what is published goes to topics that end in `/doctor`, not retained.
"""

import os
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edged.delivery.mqtt_gate import PacketGate
from edged.delivery.mqtt_terms import BrokerTerms
from edged.delivery.mqtt_version import MqttVersion
from edged.domain.errors import DeliveryError
from edged.domain.moment import Clock
from edged.publish.mqtt_client import GatedClient
from edged.publish.network_words import in_words
from edged.publish.tls import client_context
from edged.settings.sinks import MqttSink

PATIENCE_S: Final = 5.0
ECHO_PATIENCE_S: Final = 0.4
ECHO_ROUND_TRIPS: Final = 5
"""So many times longer than the acknowledgements took, an echo is waited for."""
_KEEP_ALIVE_S: Final = 15
_MOST_PACKET_BYTES: Final = 65_536
"""A picture on its way to the daemon is not for us: a broker of MQTT 5 leaves out what is larger."""

Version = Literal["5", "3.1.1"]
_VERSIONS: Final[Mapping[Version, MQTTProtocolVersion]] = {
    "5": MQTTProtocolVersion.MQTTv5,
    "3.1.1": MQTTProtocolVersion.MQTTv311,
}


@dataclass(frozen=True, slots=True)
class Echo:
    """What became of a message that was published to a topic.

    Attributes:
        topic: where.
        refusal: the broker's reason not to take it, in words (MQTT 5 alone); empty where it gave none.
        came_back: whether we, who subscribed there, received it; round_trip_ms: how long that took.
    """

    topic: str
    refusal: str
    came_back: bool
    round_trip_ms: int = 0


@dataclass(slots=True)
class BrokerSight:
    """What was learnt of a broker.

    Attributes:
        where: in words.
        version: that it took us with.
        limits: what it said of itself in its CONNACK, by name (MQTT 5 alone).
        echoes: of each topic that was written to.
        read_refusals: topics that it would not let us subscribe to, with its words.
        retained: what it keeps of the topics that were asked for.
        certificate_until_ms: when its certificate ends, UTC; None without TLS.
    """

    where: str
    version: Version
    limits: dict[str, int] = field(default_factory=dict)
    echoes: list[Echo] = field(default_factory=list)
    read_refusals: dict[str, str] = field(default_factory=dict)
    retained: dict[str, bytes] = field(default_factory=dict)
    certificate_until_ms: int | None = None

    @property
    def terms(self) -> BrokerTerms:
        """On which terms it let us in."""
        limits = self.limits
        return BrokerTerms(
            receive_maximum=limits.get("ReceiveMaximum"),
            packet_maximum=limits.get("MaximumPacketSize"),
            most_qos=limits.get("MaximumQoS", 2),
            keeps_retained=bool(limits.get("RetainAvailable", 1)),
            takes_wildcards=bool(limits.get("WildcardSubscriptionAvailable", 1)),
        )


def look_at_broker(
    section: MqttSink, clock: Clock, *, write: Sequence[str], read: Sequence[str]
) -> BrokerSight:
    """Log in, subscribe to `read`, publish to `write` and see what comes back.

    Args:
        section: the sink.
        clock: for the round trip's time.
        write: topics to publish to; subscribed to as well.
        read: topics whose retained messages are wanted, or that the daemon subscribes to.

    Raises `DeliveryError` where the broker does not take us, `ConfigurationError` for files of TLS.
    """
    port = section.port or (1883 if section.tls is None else 8883)
    where = f"the broker at {section.host}:{port}"
    wanted: tuple[Version, ...] = ("5", "3.1.1") if section.protocol == "auto" else (section.protocol,)
    refusal = ""
    for version in wanted:
        visit = _Visit(section, version, where, port)
        try:
            refusal = visit.log_in()
            if not refusal:
                return visit.look(clock, write, read)
        finally:
            visit.leave()
    raise DeliveryError(
        f"{where} refuses us: {refusal}",
        remedy="see `username`, `password` and `tls` of the sink, and the broker's own log",
    )


class _Visit:
    """One connection, from CONNECT to DISCONNECT. paho's thread reads; the caller's waits for answers."""

    def __init__(self, section: MqttSink, version: Version, where: str, port: int) -> None:
        self._section = section
        self._where = where
        self._port = port
        self._sight = BrokerSight(where, version)
        self._changed = threading.Condition()
        self._welcome: str | None = None
        self._granted: dict[int, list[str]] = {}
        self._acknowledged: dict[int, str] = {}
        self._came: set[tuple[str, bytes]] = set()
        self._client = GatedClient(
            CallbackAPIVersion.VERSION2,
            gate=PacketGate(MqttVersion(version), _MOST_PACKET_BYTES, _KEEP_ALIVE_S),
            client_id=f"edged-doctor-{os.getpid()}",
            protocol=_VERSIONS[version],
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = PATIENCE_S
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message

    def log_in(self) -> str:
        """Empty when the broker took us, else its words; raises DeliveryError where nobody answers."""
        section, client = self._section, self._client
        if section.username is not None:
            client.username_pw_set(section.username, section.password.reveal() if section.password else None)
        if section.tls is not None:
            client.tls_set_context(client_context(section.tls))
        properties = None
        if self._sight.version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's own
            properties.MaximumPacketSize = _MOST_PACKET_BYTES
        try:
            client.connect(section.host, self._port, keepalive=_KEEP_ALIVE_S, properties=properties)
        except (OSError, ValueError) as error:
            raise DeliveryError(
                f"{self._where} does not answer: {in_words(error)}",
                remedy="see `host`, `port` and `tls` of the sink, and whether the broker runs",
            ) from error
        self._sight.certificate_until_ms = _certificate_end(client.socket())
        client.loop_start()
        self._wait(lambda: self._welcome is not None, PATIENCE_S)
        if self._welcome is not None:
            return self._welcome
        fault = self._client.fault
        return f"the broker sent {fault}" if fault else "the connection was closed without a word"

    def look(self, clock: Clock, write: Sequence[str], read: Sequence[str]) -> BrokerSight:
        """Subscribe and publish; returns what was learnt."""
        topics = list(dict.fromkeys([*write, *read]))
        code, mid = self._client.subscribe([(topic, 1) for topic in topics])
        if code is MQTTErrorCode.MQTT_ERR_SUCCESS and mid is not None:
            self._wait(lambda: mid in self._granted, PATIENCE_S)
            granted = self._granted.get(mid, [])
            self._sight.read_refusals = {
                topic: words for topic, words in zip(topics, granted, strict=False) if words
            }
        body = f"{os.getpid()}-{clock.moment().steady_ms}".encode()
        begun = clock.moment().steady_ms
        sent = [(topic, self._client.publish(topic, body, qos=1)) for topic in write]
        self._wait(lambda: all(info.mid in self._acknowledged for _, info in sent), PATIENCE_S)
        # Echoes come close to the acknowledgements: those that are missing are waited for together.
        answered_s = (clock.moment().steady_ms - begun) / 1000
        patience_s = max(ECHO_PATIENCE_S, ECHO_ROUND_TRIPS * answered_s)
        self._wait(lambda: all(self._is_settled(topic, info.mid, body) for topic, info in sent), patience_s)
        took_ms = clock.moment().steady_ms - begun
        self._sight.echoes = [
            Echo(topic, self._acknowledged.get(info.mid, "no answer"), (topic, body) in self._came, took_ms)
            for topic, info in sent
        ]
        return self._sight

    def leave(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()

    def _is_settled(self, topic: str, mid: int, body: bytes) -> bool:
        return bool(self._acknowledged.get(mid)) or (topic, body) in self._came

    def _wait(self, holds: Callable[[], bool], seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(holds, seconds)

    def _on_connect(
        self, _c: Client, _d: object, _f: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        with self._changed:
            names = (
                "ReceiveMaximum",
                "MaximumPacketSize",
                "RetainAvailable",
                "MaximumQoS",
                "ServerKeepAlive",
                "WildcardSubscriptionAvailable",
            )
            self._sight.limits = {
                name: int(value) for name in names if (value := getattr(properties, name, None)) is not None
            }
            self._welcome = str(code).lower() if code.is_failure else ""
            self._changed.notify_all()

    def _on_subscribe(self, _c: Client, _d: object, mid: int, codes: list[ReasonCode], _p: object) -> None:
        with self._changed:
            self._granted[mid] = [str(code).lower() if code.is_failure else "" for code in codes]
            self._changed.notify_all()

    def _on_publish(self, _c: Client, _d: object, mid: int, code: ReasonCode, _p: object) -> None:
        with self._changed:
            self._acknowledged[mid] = str(code).lower() if code.is_failure else ""
            self._changed.notify_all()

    def _on_message(self, _c: Client, _d: object, message: MQTTMessage) -> None:
        with self._changed:
            if message.retain:
                self._sight.retained[message.topic] = bytes(message.payload)
            elif message.topic.endswith("/doctor"):
                self._came.add((message.topic, bytes(message.payload)))
            self._changed.notify_all()


def _certificate_end(connection: Any) -> int | None:
    if not isinstance(connection, ssl.SSLSocket):
        return None
    return end_of(connection.getpeercert())


def end_of(certificate: Any) -> int | None:
    """When a certificate ends, UTC milliseconds, of what `SSLSocket.getpeercert` gives."""
    until = (certificate or {}).get("notAfter")
    return None if until is None else ssl.cert_time_to_seconds(until) * 1000
