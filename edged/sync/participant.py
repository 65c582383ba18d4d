"""What a node does for one namespace, apart from how it is connected: messages in, messages out.

The thread of `edged.sync.thread` drives participants over a broker. Tests and the simulation drive the same
ones over brokers that lie.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync


@dataclass(frozen=True, slots=True)
class Letter:
    """Something to be published with QoS 1.

    Attributes:
        topic: where.
        payload: what; empty with `is_retained`: what the broker keeps there is cleared.
        is_retained: whether the broker keeps it.
        ticket: what the participant knows it by when it is acknowledged; counts up, never reused.
    """

    topic: str
    payload: bytes
    is_retained: bool
    ticket: int


@dataclass(frozen=True, slots=True)
class Connection:
    """What a connection can do.

    Attributes:
        most_payload_bytes: a larger payload is not taken; None where the broker does not say.
    """

    most_payload_bytes: int | None = None


class Participant(Protocol):
    """One namespace on this node. All calls are one thread's; none waits for the network, none raises.

    Letters go out in their order, and are acknowledged in any. Those that were not acknowledged when the
    connection ended are lost: the participant makes them anew. What arrives may be old, twice, out of order,
    another's, or forged.
    """

    namespace: str

    def connected(self, connection: Connection, now: Moment) -> None:
        """The broker is there."""
        ...

    def disconnected(self, now: Moment) -> None:
        """It is gone, and every letter that was not acknowledged with it."""
        ...

    def subscriptions(self) -> frozenset[str]:
        """What it wants to read now: the thread keeps the broker's list the same."""
        ...

    def asks_again(self) -> frozenset[str]:
        """Subscriptions to be made anew, so that what is retained there comes again; each call empties it."""
        ...

    def most_payload_bytes(self) -> int:
        """A larger payload is none that it can want."""
        ...

    def takes(self, topic: str) -> bool:
        """Whether a message is for it."""
        ...

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        """Something came."""
        ...

    def turn(self, now: Moment) -> Iterable[Letter]:
        """Do what is due, and give what is to be sent. Called several times a second, and after arrivals.

        Not more is given than there is room for: what comes later is given at the next call.
        """
        ...

    def acknowledged(self, ticket: int, now: Moment) -> None:
        """The broker has a letter."""
        ...

    def standing(self, now: Moment) -> NamespaceSync:
        """How it is doing."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
