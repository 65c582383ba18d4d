"""The order in which a batch may go out, when several messages may be on their way at once."""

from collections import Counter
from collections.abc import Sequence

from edged.delivery.outcome import UNTRIED, Fate, Outcome
from edged.delivery.parcel import Parcel

_SETTLED = frozenset({Fate.DELIVERED, Fate.REFUSED})


class Batch:
    """Keeps the messages of one subject in their order: never two on their way, none past a failed one."""

    def __init__(self, parcels: Sequence[Parcel]) -> None:
        self._parcels = parcels
        self._outcomes = [UNTRIED] * len(parcels)
        self._next = 0
        self._in_flight: Counter[str] = Counter()
        self._blocked: set[str] = set()

    @property
    def in_flight(self) -> int:
        """Sent, and not answered."""
        return self._in_flight.total()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to send or to wait for."""
        self._skip_blocked()
        return self._next >= len(self._parcels) and not self.in_flight

    def peek(self) -> int | None:
        """Index of the next parcel that may be sent now; None where there is none, or it has to wait."""
        self._skip_blocked()
        if self._next >= len(self._parcels):
            return None
        return None if self._in_flight[self._parcels[self._next].subject] else self._next

    def sent(self, index: int) -> None:
        """The parcel that was peeked at is on its way."""
        self._next = index + 1
        self._in_flight[self._parcels[index].subject] += 1

    def answered(self, index: int, outcome: Outcome) -> None:
        """The parcel's try came to this."""
        subject = self._parcels[index].subject
        self._in_flight[subject] -= 1
        self._outcomes[index] = outcome
        if outcome.fate not in _SETTLED:
            self._blocked.add(subject)

    def outcomes(self) -> list[Outcome]:
        """One outcome for each parcel; untried are those that were not answered."""
        return list(self._outcomes)

    def _skip_blocked(self) -> None:
        while self._next < len(self._parcels) and self._parcels[self._next].subject in self._blocked:
            self._next += 1
