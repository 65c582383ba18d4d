"""Time as it is handed in: no decision asks a clock."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """One instant, told twice.

    Decisions use `steady_ms`, which never goes back and never jumps; what goes on the wire uses
    `utc_ms`, which does both when a small machine without a clock chip learns the time.

    Attributes:
        steady_ms: milliseconds since some fixed start, for durations.
        utc_ms: milliseconds since 1970-01-01 UTC, for people and programs elsewhere.
    """

    steady_ms: int
    utc_ms: int

    def plus_ms(self, ms: int) -> "Moment":
        """The instant `ms` milliseconds later."""
        return Moment(self.steady_ms + ms, self.utc_ms + ms)


class Clock(Protocol):
    """Whoever knows the time: the machine's clock in the daemon, a hand-moved one in tests."""

    def moment(self) -> Moment:
        """The present instant."""
        ...
