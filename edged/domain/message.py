"""A message in the outbox: what is to be told, apart from how and to whom."""

from dataclasses import dataclass
from enum import StrEnum


class MessageKind(StrEnum):
    """What a message tells; sinks choose the kinds they want."""

    JOB = "job"
    EVENT = "event"
    PRESENCE = "presence"


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
