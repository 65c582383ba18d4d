"""Whether a feed's schedule lets it be looked at: hours as the clock on the wall shows them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from edged.settings.feeds import EVERY_DAY, Hours

CLOCK_IS_SET_FROM_MS: Final = round(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""A clock that shows an earlier time was never set: a small machine without a clock chip has just started."""


def is_scheduled(schedule: Sequence[Hours], local: datetime) -> bool:
    """Whether a feed is looked at when the clock on the wall shows this; without hours it always is.

    What counts is the clock's face. Where it is put forward, hours that it skips do not happen; where it is
    put back, hours that it shows twice happen twice. Hours beyond midnight belong to the day they began on.

    Args:
        schedule: the feed's hours.
        local: the present date and time at the machine's place.
    """
    if not schedule:
        return True
    # A clock that was never set shows some hour, but not the one that it is: nobody is looked at by mistake.
    if local.timestamp() * 1000 < CLOCK_IS_SET_FROM_MS:
        return False
    today = EVERY_DAY[local.weekday()]
    yesterday = EVERY_DAY[local.weekday() - 1]
    now = f"{local:%H:%M}"
    return any(_is_within(hours, today, yesterday, now) for hours in schedule)


def _is_within(hours: Hours, today: str, yesterday: str, now: str) -> bool:
    if hours.begin < hours.end:
        return today in hours.days and hours.begin <= now < hours.end
    return (today in hours.days and now >= hours.begin) or (yesterday in hours.days and now < hours.end)


def schedule_words(schedule: Iterable[Hours]) -> str:
    """The schedule for people: `always`, or `mon tue 08:00-18:00, every day 20:00-02:00`."""
    return ", ".join(f"{_days(hours)} {hours.begin}-{hours.end}" for hours in schedule) or "always"


def _days(hours: Hours) -> str:
    chosen = [day for day in EVERY_DAY if day in hours.days]
    return "every day" if len(chosen) == len(EVERY_DAY) else " ".join(chosen)
