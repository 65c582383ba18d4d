"""How many bytes a message has on the wire, as MQTT 3.1.1 (OASIS, sections 2.2 and 3) lays it out."""

from dataclasses import dataclass

from edged.replication.keys import SigningKey
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import FIRST, Alive, Report
from edged.replication.topics import SyncTopics
from simulated_fleet.company import NAMESPACE

TOPICS = SyncTopics("edged", NAMESPACE)
PUBACK = 4
_SEGMENT_BYTES = 1448
_HEADERS_BYTES = 52


def packet(remaining: int) -> int:
    """A packet whose variable header and payload have so many bytes."""
    length = 1
    while remaining >= 128**length:
        length += 1
    return 1 + length + remaining


def publish(topic: str, payload_bytes: int) -> int:
    """With QoS 1."""
    return packet(2 + len(topic) + 2 + payload_bytes)


def subscribe(topic: str) -> int:
    """To one topic, its answer, and the same to let go of it again."""
    return packet(2 + 2 + len(topic) + 1) + packet(3) + packet(2 + 2 + len(topic)) + packet(2)


def on_ip(mqtt_bytes: int) -> int:
    """About so many with TCP and IPv4: 52 bytes a full segment of 1,448. TLS adds 22 a record of 16 kB."""
    return mqtt_bytes + _HEADERS_BYTES * -(-mqtt_bytes // _SEGMENT_BYTES)


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes with each epoch beside its manifest and pages, in bytes of MQTT.

    Attributes:
        alive: the word that it is in force.
        report: a camera's.
    """

    alive: int
    report: int


def beside(key: SigningKey) -> Beside:
    """As the real statements come out."""
    alive = Alive(namespace=NAMESPACE, epoch=1000, manifest=FIRST, at=1_700_000_000_000)
    report = Report(
        namespace=NAMESPACE,
        node="camera-00000",
        epoch=1000,
        manifest=FIRST,
        swept_epoch=1000,
        at=1_700_000_000_000,
        state="in step",
        seen_epoch=1000,
        version="1.0.0",
    )
    said = signed(StatementKind.ALIVE, alive, key)
    reported = signed(StatementKind.REPORT, report, key)
    return Beside(
        publish(TOPICS.alive, len(said)) + PUBACK,
        publish(TOPICS.report("camera-00000"), len(reported)) + PUBACK,
    )
