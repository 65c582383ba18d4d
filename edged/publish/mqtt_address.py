"""Where a sink's broker is, and who we are there, as the settings say."""

from typing import Final

from edged.delivery.topics import Topics
from edged.publish.mqtt_link import Address
from edged.settings.sinks import MqttSink

_PORT: Final = 1883
_PORT_TLS: Final = 8883


def address_of(settings: MqttSink, device: str, topics: Topics) -> Address:
    """The address of the sink's broker."""
    secret = settings.password
    return Address(
        host=settings.host,
        port=settings.port or (_PORT if settings.tls is None else _PORT_TLS),
        client_id=settings.client_id or f"edged-{device}",
        username=settings.username,
        password=lambda: secret.reveal() if secret else None,
        keep_alive_s=max(1, round(settings.keep_alive)),
        will_topic=topics.status,
    )
