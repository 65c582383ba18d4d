"""How old something is, on machines whose wall clock may be wrong.

A small machine without a clock chip starts in the past (1970, or the time of its last shutdown) and jumps
when it learns the time. The steady clock never jumps, but begins anew with every start of the machine.
"""

from edged.delivery.parcel import Parcel
from edged.domain.moment import Moment

KNOWN_TIME_MS = 1_735_689_600_000
"""2025-01-01 UTC. A wall clock that says less has not learnt the time."""


def knows_time(utc_ms: int) -> bool:
    """Whether a wall clock that says this can be believed at all."""
    return utc_ms >= KNOWN_TIME_MS


def waited_ms(parcel: Parcel, now: Moment) -> int:
    """How long the message has been in the outbox, never negative; 0 where no clock can tell."""
    if parcel.enqueued_steady_ms is not None:
        return max(0, now.steady_ms - parcel.enqueued_steady_ms)
    if not (knows_time(parcel.enqueued_ms) and knows_time(now.utc_ms)):
        return 0
    return max(0, now.utc_ms - parcel.enqueued_ms)


def age_at_most_ms(parcel: Parcel, now: Moment) -> int | None:
    """The greatest age that either clock gives what the message tells; None where it may be any.

    After a new start of the machine it may be any: the wall clock can have stood still while the power was
    off. Who acts on fresh news only (a door) must not take old news for fresh, so doubt counts as old.
    """
    if parcel.enqueued_steady_ms is None:
        return None
    waited = max(now.steady_ms - parcel.enqueued_steady_ms, now.utc_ms - parcel.enqueued_ms)
    before = parcel.enqueued_ms - parcel.message.at_ms
    return max(0, waited) + max(0, before)


def is_given_up(enqueued_ms: int, enqueued_steady_ms: int | None, now: Moment, max_age_ms: int) -> bool:
    """Whether a message is older than the outbox keeps any. Doubt counts as young: nothing is lost by it."""
    if enqueued_steady_ms is not None:
        return now.steady_ms - enqueued_steady_ms > max_age_ms
    if not (knows_time(enqueued_ms) and knows_time(now.utc_ms)):
        return False
    return now.utc_ms - enqueued_ms > max_age_ms
