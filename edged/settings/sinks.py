"""Who is told: one section a kind of sink, told apart by `type`; and the outbox before them."""

from typing import Annotated, Literal

from edged.settings.feeds import Retry
from edged.settings.names import FEED_ID, HOST, HTTP_ADDRESS, NAMESPACE
from edged.settings.quantities import Duration, Secret, Section, Size, key

MessageKindName = Literal["job", "event", "presence"]


class Sink(Section, frozen=True, kw_only=True):
    """What every sink has."""

    id: Annotated[
        str | None,
        key(
            "Name of the sink in the log and the outbox; without it its type.",
            **FEED_ID,
        ),
    ] = None
    namespaces: Annotated[
        tuple[Annotated[str, key("A namespace.", **NAMESPACE)], ...],
        key("Namespaces it is told about; an empty list means all."),
    ] = ()
    retry: Annotated[Retry, key("How delivery is tried again.")] = Retry()


class MqttTls(Section, frozen=True, kw_only=True):
    """TLS to the broker."""

    ca_file: Annotated[
        str | None, key("Certificates to trust instead of the system's, PEM.", min_length=1)
    ] = None
    certificate_file: Annotated[str | None, key("Client certificate, PEM.", min_length=1)] = None
    key_file: Annotated[str | None, key("Key of the client certificate, PEM, mode 0600.", min_length=1)] = (
        None
    )
    key_password: Annotated[Secret | None, key("Password of that key, as `!secret name`.")] = None


class HomeAssistant(Section, frozen=True, kw_only=True):
    """Announcing the feeds to Home Assistant by MQTT discovery."""

    discovery_prefix: Annotated[
        str,
        key(
            "Home Assistant's discovery prefix.",
            pattern=r"^(?![$/])[^+#\s]*[^+#\s/]$",
            form="a topic without `+`, `#` or spaces, that neither begins nor ends with `/`",
            max_length=128,
        ),
    ] = "homeassistant"
    form: Annotated[
        Literal["device", "components"],
        key("`device`: one message a device, for 2024.11 and newer; `components`: one an entity, for older."),
    ] = "device"
    jitter: Annotated[
        Duration,
        key(
            "The announcement waits for a random time up to this, so that not all devices speak at once.",
            at_least="0 s",
            at_most="1 min",
        ),
    ] = Duration(10)


class MqttSink(Sink, frozen=True, kw_only=True, tag="mqtt", tag_field="type"):
    """An MQTT broker."""

    send: Annotated[tuple[MessageKindName, ...], key("Kinds of message it is sent.", min_length=1)] = (
        "job",
        "event",
        "presence",
    )
    host: Annotated[str, key("The broker's name or address.", **HOST)]
    port: Annotated[int | None, key("The broker's port; without it 1883, with TLS 8883.", ge=1, le=65535)] = (
        None
    )
    username: Annotated[str | None, key("User at the broker.", min_length=1)] = None
    password: Annotated[Secret | None, key("Password at the broker, as `!secret name`.")] = None
    tls: Annotated[
        MqttTls | None, key("TLS; `{}` trusts the system's certificates. Without it the connection is plain.")
    ] = None
    client_id: Annotated[
        str | None, key("Client identifier; without it `edged-<device>`.", min_length=1, max_length=128)
    ] = None
    protocol: Annotated[
        Literal["auto", "5", "3.1.1"], key("`auto`: MQTT 5, and 3.1.1 where the broker has no 5.")
    ] = "auto"
    prefix: Annotated[
        str,
        key(
            "First level of all topics.",
            pattern=r"^(?![$/])[^+#\s]*[^+#\s/]$",
            form="a topic without `+`, `#` or spaces, that neither begins nor ends with `/`",
            max_length=128,
        ),
    ] = "edged"
    keep_alive: Annotated[
        Duration,
        key("A partition is noticed after about one and a half of these.", at_least="1 s", at_most="1 h"),
    ] = Duration(15)
    recognize: Annotated[
        bool, key("Take requests to recognise pictures at `<prefix>/<namespace>/recognize`.")
    ] = False
    max_request: Annotated[
        Size, key("A request with more bytes is refused.", at_least="10 kB", at_most="256 MB")
    ] = Size(16_000_000)
    in_flight: Annotated[int, key("Messages sent and not yet acknowledged, at most.", ge=1, le=1000)] = 64
    image: Annotated[
        Literal["none", "sent", "retained"],
        key(
            "JPEG of the last decided face at `<prefix>/<namespace>/<feedId>/image`: not at all, sent"
            " once, or kept by the broker until the daemon stops."
        ),
    ] = "none"
    home_assistant: Annotated[
        HomeAssistant | None,
        key("Announce the feeds to Home Assistant; `{}` with the defaults. Without it nothing is announced."),
    ] = None
    event_max_age: Annotated[
        Duration, key("An event that is older when it is sent says `delayed`.", at_least="1 s", at_most="1 d")
    ] = Duration(30)


class WebhookSink(Sink, frozen=True, kw_only=True, tag="webhook", tag_field="type"):
    """An HTTP receiver, by the Standard Webhooks specification."""

    send: Annotated[tuple[MessageKindName, ...], key("Kinds of message it is sent.", min_length=1)] = ("job",)
    url: Annotated[str, key("Where messages are posted to.", **HTTP_ADDRESS)]
    secret: Annotated[
        Secret | None, key("Signing secret (`whsec_…`), as `!secret name`. Without it nothing is signed.")
    ] = None
    ca_file: Annotated[
        str | None, key("Certificates to trust instead of the system's, PEM.", min_length=1)
    ] = None
    timeout: Annotated[Duration, key("How long an answer may take.", at_least="100 ms", at_most="2 min")] = (
        Duration(10)
    )
    event_max_age: Annotated[
        Duration, key("An event that is older when it is sent says `delayed`.", at_least="1 s", at_most="1 d")
    ] = Duration(30)


class ConsoleSink(Sink, frozen=True, kw_only=True, tag="console", tag_field="type"):
    """JSON lines on standard output."""

    send: Annotated[tuple[MessageKindName, ...], key("Kinds of message it is sent.", min_length=1)] = ("job",)


class FileSink(Sink, frozen=True, kw_only=True, tag="file", tag_field="type"):
    """JSON lines in a file, flushed to the disk."""

    send: Annotated[tuple[MessageKindName, ...], key("Kinds of message it is sent.", min_length=1)] = ("job",)
    path: Annotated[str, key("The file; it is appended to.", min_length=1)]


AnySink = MqttSink | WebhookSink | ConsoleSink | FileSink


class Outbox(Section, frozen=True, kw_only=True):
    """What waits for the sinks."""

    max_age: Annotated[
        Duration, key("What is older is given up, counted and logged.", at_least="1 min", at_most="365 d")
    ] = Duration(7 * 86400)
    max_bytes: Annotated[
        Size,
        key(
            "When more waits, the oldest is given up, counted and logged.", at_least="1 MB", at_most="100 GB"
        ),
    ] = Size(256_000_000)
    attempts: Annotated[
        int,
        key(
            "Tries before a message goes to the dead letters when its sink answers but keeps failing it.",
            ge=1,
            le=100000,
        ),
    ] = 1000
