"""A message in the outbox: what is to be told, apart from how and to whom."""

from dataclasses import dataclass
from enum import StrEnum


class MessageKind(StrEnum):
    """What a message tells; sinks choose the kinds they want."""

    JOB = "job"
    EVENT = "event"
    PRESENCE = "presence"


@dataclass(frozen=True, slots=True)
class Reply:
    """Where the answer to a request over MQTT goes.

    Attributes:
        topic: where whoever asked listens; empty: `…/recognize/<id of the job>`.
        correlation: what the asker knows the answer by; empty where none was given.
    """

    topic: str
    correlation: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told to the sinks.

    Attributes:
        kind: what it tells.
        namespace, feed_id: where it comes from.
        subject_id: what it is about: a job's id, an event's id, or the feed's id for presence. Together with
            `sequence` it is the idempotency key.
        sequence: counts the updates of its subject from 1.
        is_final: a final message is kept until it is sent; one that is not is replaced, while it waits, by
            the next of the same subject.
        body: JSON, UTF-8.
        at_ms: UTC milliseconds of what it tells.
        is_replay: it tells of a clip's own time, which is neither old nor new: never replaced, never late.
        is_request: it tells of a request to recognise pictures, not of what a camera saw. The sinks of the
            configuration are not told: nobody who may send a request shall open a door with it.
        recipients: sinks that are told besides those that want it: the webhook that a request names, the
            MQTT sink that it came by.
        reply: of a request over MQTT, where its answer goes.
        client_id: the client of the API whose request it tells of; empty where there is none.
    """

    kind: MessageKind
    namespace: str
    feed_id: str
    subject_id: str
    sequence: int
    is_final: bool
    body: bytes
    at_ms: int
    is_replay: bool = False
    is_request: bool = False
    recipients: tuple[str, ...] = ()
    reply: Reply | None = None
    client_id: str = ""
