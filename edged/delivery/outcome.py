"""What became of one try to deliver."""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What one try came to. The set is closed, and decides what happens to the message."""

    DELIVERED = "delivered"
    """The sink has it for good: PUBACK, 2xx, or flushed to the disk."""
    REFUSED = "refused"
    """The sink will never take it: to the dead letters."""
    FAILED = "failed"
    """The sink answered and failed: again later, and the try counts."""
    UNAVAILABLE = "unavailable"
    """The sink answered that it cannot now, or did not answer in time: again later, and no try counts."""
    UNREACHABLE = "unreachable"
    """Nothing reached the sink: again later, and no try counts."""
    UNTRIED = "untried"
    """Its turn did not come: it waits as before."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to.

    Attributes:
        fate: what it means for the message.
        reason: for people; empty for what is delivered or was not tried. Never holds a secret.
        retry_after_s: how long the sink asked to be left alone, if it did.
        is_gone: the sink said that it wants nothing any more, ever.
    """

    fate: Fate
    reason: str = ""
    retry_after_s: float = 0.0
    is_gone: bool = False


DELIVERED = Outcome(Fate.DELIVERED)
UNTRIED = Outcome(Fate.UNTRIED)
