"""From the outcomes of a batch to what the outbox has to write down, and how long the sink is left alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edged.delivery.outcome import Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.domain.backoff import Backoff, full_jitter_s

PAUSE_AFTER_FAILURES = 3
"""Failed answers in a row after which the sink as a whole is left alone for a while: then it is not the
message's fault, and trying all that wait would only do harm."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A delivery to be tried again.

    Attributes:
        id: the delivery.
        wait_ms: not before so many milliseconds have passed.
        counts: whether the try counts against the limit.
        reason: what went wrong.
    """

    id: int
    wait_ms: int
    counts: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a batch of leased deliveries.

    Attributes:
        delivered: these are done.
        buried: these go to the dead letters, each with the reason.
        retried: these wait for another try.
        released: these were not tried and wait as before.
        pause_s: how long the sink as a whole is left alone.
    """

    delivered: tuple[int, ...] = ()
    buried: tuple[tuple[int, str], ...] = ()
    retried: tuple[Retry, ...] = ()
    released: tuple[int, ...] = ()
    pause_s: float = 0.0


class Settler:
    """Decides for one sink. Chance comes as a function giving numbers from 0 to 1."""

    def __init__(
        self, *, first_s: float, most_s: float, attempts_most: int, jitter: Callable[[], float]
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._attempts_most = attempts_most
        self._jitter = jitter
        self._backoff = Backoff(first_s=first_s, most_s=most_s)

    def settle(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> Settlement:
        """What becomes of the parcels; `outcomes` has one for each, in their order."""
        pause_s = self._pause_s(outcomes)
        buried: list[tuple[int, str]] = []
        retried: list[Retry] = []
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            if outcome.fate is Fate.REFUSED:
                buried.append((parcel.id, outcome.reason))
            elif outcome.fate is Fate.FAILED and parcel.attempts + 1 >= self._attempts_most:
                buried.append((parcel.id, f"failed {parcel.attempts + 1} times, at last: {outcome.reason}"))
            elif outcome.fate in {Fate.FAILED, Fate.UNAVAILABLE, Fate.UNREACHABLE}:
                retried.append(self._retry(parcel, outcome, pause_s))
        return Settlement(
            delivered=_ids(parcels, outcomes, Fate.DELIVERED),
            buried=tuple(buried),
            retried=tuple(retried),
            released=_ids(parcels, outcomes, Fate.UNTRIED),
            pause_s=pause_s,
        )

    def _retry(self, parcel: Parcel, outcome: Outcome, pause_s: float) -> Retry:
        counts = outcome.fate is Fate.FAILED
        if outcome.fate is Fate.UNREACHABLE:
            wait_s = 0.0  # the pause of the sink is enough, and the order stays
        elif counts:
            wait_s = full_jitter_s(
                parcel.attempts + 1, first_s=self._first_s, most_s=self._most_s, jitter=self._jitter()
            )
        else:
            # A little longer than the sink is left alone, so that another message is tried first: this one
            # may be what the sink cannot bear.
            wait_s = pause_s + self._first_s
        wait_s = max(wait_s, outcome.retry_after_s)
        return Retry(parcel.id, wait_ms=int(wait_s * 1000), counts=counts, reason=outcome.reason)

    def _pause_s(self, outcomes: Sequence[Outcome]) -> float:
        """Taken over the tries in their order: any that the sink took, or refused for good, clears it."""
        pause_s = 0.0
        for outcome in outcomes:
            if outcome.fate in {Fate.DELIVERED, Fate.REFUSED}:
                self._backoff.succeeded()
                pause_s = 0.0
            elif outcome.fate is not Fate.UNTRIED:
                wait_s = self._backoff.failed(self._jitter())
                is_sinks_fault = outcome.fate is not Fate.FAILED
                if is_sinks_fault or self._backoff.failures >= PAUSE_AFTER_FAILURES:
                    pause_s = max(wait_s, outcome.retry_after_s)
        return pause_s


def _ids(parcels: Sequence[Parcel], outcomes: Sequence[Outcome], fate: Fate) -> tuple[int, ...]:
    return tuple(p.id for p, o in zip(parcels, outcomes, strict=True) if o.fate is fate)
