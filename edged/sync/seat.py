"""A namespace's place at the exchange, and what of it waits to be sent."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Protocol

from edged.domain.moment import Moment
from edged.domain.sync_state import NodeLag
from edged.sync.participant import Letter, Participant


class Seat(Participant, Protocol):
    """A namespace that may or may not be synced: `edged.sync.node.Node`."""

    @property
    def is_synced(self) -> bool:
        """Whether it is to be connected."""
        ...

    def lags(self, now: Moment) -> tuple[NodeLag, ...]:
        """How far the members are, where this node is the authority."""
        ...


@dataclass(slots=True)
class Desk:
    """A namespace with what of it waits to be sent.

    Attributes:
        backlog: letters in their order.
        refused: letters that the broker did not take, each with when it is sent again.
        refusal: what the broker said to the last of them.
        unread: messages that were too large to be read, or not well formed, since the start.
    """

    seat: Seat
    backlog: deque[Letter] = field(default_factory=deque)
    refused: deque[tuple[int, Letter]] = field(default_factory=deque)
    refusal: str = ""
    unread: Counter[str] = field(default_factory=Counter)

    def forget(self) -> None:
        """Drop all letters: the connection is over."""
        self.backlog.clear()
        self.refused.clear()
        self.refusal = ""
