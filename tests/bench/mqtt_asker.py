"""A program that asks over MQTT: it subscribes, publishes requests and keeps what it hears."""

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench.mosquitto import Mosquitto, eventually


@dataclass(frozen=True, slots=True)
class Answer:
    """One message, with the correlation data it came with."""

    topic: str
    payload: bytes
    correlation: bytes | None
    is_retained: bool


class MqttAsker:
    """Connected with MQTT 5, and subscribed, while it is used as a context."""

    def __init__(self, broker: Mosquitto, *topics: str) -> None:
        self.heard: list[Answer] = []
        self._subscribed = threading.Event()
        self._topics = topics
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect(broker.host, broker.port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        if self._topics:
            self._client.subscribe([(topic, 1) for topic in self._topics])
            assert self._subscribed.wait(10.0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def ask(
        self,
        topic: str,
        body: bytes,
        *,
        response_topic: str | None = None,
        correlation: bytes | None = None,
        retain: bool = False,
    ) -> None:
        """Publish, and wait until the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)
        if response_topic is not None:
            properties.ResponseTopic = response_topic
        if correlation is not None:
            properties.CorrelationData = correlation
        self._client.publish(topic, body, qos=1, retain=retain, properties=properties).wait_for_publish(10.0)

    def wait_for(self, number: int) -> list[Answer]:
        """What was heard, once it is so much."""
        eventually(lambda: len(self.heard) >= number, f"{number} messages; heard {self.heard}")
        return self.heard

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.heard.append(
            Answer(
                message.topic,
                bytes(message.payload),
                getattr(message.properties, "CorrelationData", None),
                message.retain,
            )
        )
