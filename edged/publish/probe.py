"""Whether a sink answers, found out without telling it anything."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from urllib3.util import parse_url

from edged.domain.errors import DeliveryError
from edged.publish.mqtt_probe import end_of
from edged.publish.network_words import in_words
from edged.publish.tls import verifying_context
from edged.settings import sinks as settings

PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that answers: in words, and when its certificate ends (UTC ms; None without TLS)."""

    seen: str
    certificate_until_ms: int | None = None


def probe(section: settings.WebhookSink | settings.FileSink | settings.ConsoleSink) -> Receiver:
    """What answered. Raises `DeliveryError` or `ConfigurationError` when nothing usable did.

    A broker is looked at by `edged.publish.mqtt_probe`.
    """
    match section:
        case settings.WebhookSink():
            return _probe_webhook(section)
        case settings.FileSink():
            return Receiver(_probe_file(Path(section.path)))
        case settings.ConsoleSink():
            return Receiver("standard output")


def _probe_webhook(section: settings.WebhookSink) -> Receiver:
    """Connect, with TLS where the address has it, and post nothing."""
    url = parse_url(section.url)
    host = (url.host or "").strip("[]")
    port = url.port or (443 if url.scheme == "https" else 80)
    until: int | None = None
    try:
        with socket.create_connection((host, port), PATIENCE_S) as plain:
            if url.scheme == "https":
                context = verifying_context(section.ca_file)
                with context.wrap_socket(plain, server_hostname=host) as shielded:
                    until = end_of(shielded.getpeercert())
    except OSError as error:
        raise DeliveryError(
            f"the receiver at {host}:{port} cannot be reached: {in_words(error)}",
            remedy="see `url` and `ca_file` of the sink, and whether the receiver runs",
        ) from error
    return Receiver(f"the receiver at {host}:{port} takes connections", until)


def _probe_file(path: Path) -> str:
    writable = os.access(path if path.exists() else path.parent, os.W_OK)
    if not writable or path.is_dir():
        raise DeliveryError(
            f"the file {path} cannot be written",
            remedy="make its folder, and give the user edged runs as the right to write there",
        )
    return f"{path} can be written"
