"""Where a sink's broker is, and who we are there, as the settings say."""

from typing import Final

from edged.delivery.topics import Topics
from edged.publish.mqtt_client import Address
from edged.settings.sinks import MqttSink

_PORT: Final = 1883
_PORT_TLS: Final = 8883


def rename_words(settings: MqttSink, device: str) -> str:
    """What to change where another client has our name at the sink's broker."""
    if settings.client_id is not None:
        return f"give each its own `client_id` in its sink `mqtt` (here `{settings.client_id}`)"
    return f"give each its own `device` in its configuration (here `{device}`), or stop one of them"


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
