"""A message on its way to one sink."""

from dataclasses import dataclass

from edged.domain.message import Message


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that is leased for one sink.

    Attributes:
        id: what the outbox calls this delivery; never used twice.
        message: what is to be told.
        enqueued_ms: UTC milliseconds of its commit, by the clock of that time.
        enqueued_steady_ms: the same by the steady clock; None where the machine was started anew since.
        attempts: tries that the sink answered and failed.
    """

    id: int
    message: Message
    enqueued_ms: int
    enqueued_steady_ms: int | None
    attempts: int = 0

    @property
    def subject(self) -> str:
        """What the message is about. Messages of one subject reach a sink in their order."""
        return subject_of(self.message)


def subject_of(message: Message) -> str:
    """What a message is about, apart from the subjects of other kinds."""
    return f"{message.kind}:{message.subject_id}"
