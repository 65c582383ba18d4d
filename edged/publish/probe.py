"""Whether a sink answers, found out without telling it anything."""

import os
import socket
import threading
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from urllib3.util import parse_url

from edged.domain.errors import DeliveryError
from edged.publish.network_words import in_words
from edged.publish.tls import client_context, verifying_context
from edged.settings import sinks as settings

PATIENCE_S = 5.0


def probe(section: settings.AnySink) -> str:
    """What answered, in words. Raises `DeliveryError` or `ConfigurationError` when nothing usable did."""
    match section:
        case settings.MqttSink():
            return _probe_mqtt(section)
        case settings.WebhookSink():
            return _probe_webhook(section)
        case settings.FileSink():
            return _probe_file(Path(section.path))
        case settings.ConsoleSink():
            return "standard output"


def _probe_mqtt(section: settings.MqttSink) -> str:
    """Log in as a client of another name, without a will: the running daemon's session stays untouched."""
    port = section.port or (1883 if section.tls is None else 8883)
    where = f"the broker at {section.host}:{port}"
    versions = [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311]
    if section.protocol != "auto":
        versions = versions[:1] if section.protocol == "5" else versions[1:]
    answer = ""
    for version in versions:
        answer = _login(section, port, version, where)
        if not answer:
            return f"{where} takes us, MQTT {'5' if version is MQTTProtocolVersion.MQTTv5 else '3.1.1'}"
    raise DeliveryError(
        f"{where} refuses us: {answer}",
        remedy="see `username`, `password` and `tls` of the sink, and the broker's own log",
    )


def _login(section: settings.MqttSink, port: int, version: MQTTProtocolVersion, where: str) -> str:
    """Empty when the broker took us, else its words."""
    answered = threading.Event()
    words: list[str] = []

    def connected(_c: Client, _d: object, _f: ConnectFlags, code: ReasonCode, _p: Properties | None) -> None:
        words.append(str(code).lower() if code.is_failure else "")
        answered.set()

    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"edged-doctor-{os.getpid()}",
        protocol=version,
        reconnect_on_failure=False,
    )
    client.connect_timeout = PATIENCE_S
    client.on_connect = connected
    if section.username is not None:
        client.username_pw_set(section.username, section.password.reveal() if section.password else None)
    if section.tls is not None:
        client.tls_set_context(client_context(section.tls))
    try:
        client.connect(section.host, port, keepalive=15)
        client.loop_start()
        answered.wait(PATIENCE_S)
        client.disconnect()
    except (OSError, ValueError) as error:
        raise DeliveryError(
            f"{where} does not answer: {in_words(error)}",
            remedy="see `host`, `port` and `tls` of the sink, and whether the broker runs",
        ) from error
    finally:
        client.loop_stop()
    return words[0] if words else "the connection was closed without a word"


def _probe_webhook(section: settings.WebhookSink) -> str:
    """Connect, with TLS where the address has it, and post nothing."""
    url = parse_url(section.url)
    host = (url.host or "").strip("[]")
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        with socket.create_connection((host, port), PATIENCE_S) as plain:
            if url.scheme == "https":
                verifying_context(section.ca_file).wrap_socket(plain, server_hostname=host).close()
    except OSError as error:
        raise DeliveryError(
            f"the receiver at {host}:{port} cannot be reached: {in_words(error)}",
            remedy="see `url` and `ca_file` of the sink, and whether the receiver runs",
        ) from error
    return f"the receiver at {host}:{port} takes connections"


def _probe_file(path: Path) -> str:
    writable = os.access(path if path.exists() else path.parent, os.W_OK)
    if not writable or path.is_dir():
        raise DeliveryError(
            f"the file {path} cannot be written",
            remedy="make its folder, and give the user edged runs as the right to write there",
        )
    return f"{path} can be written"
