"""Whether a feed's hours let it be looked at."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from edged.settings.feeds import Day, Hours
from edged.settings.schedule import is_scheduled, schedule_words

BERLIN = ZoneInfo("Europe/Berlin")
WORK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
OFFICE = Hours(days=WORK, begin="08:00", end="18:00")
NIGHT = Hours(days=("sat",), begin="22:00", end="06:00")


def local(text: str) -> datetime:
    """A time in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def minutes_on(schedule: tuple[Hours, ...], begin: str, hours: int) -> list[str]:
    """The hours and minutes at Berlin's clocks, of every minute from `begin` (UTC) on, that are in hours."""
    first = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    minutes = (first + timedelta(minutes=number) for number in range(60 * hours))
    walls = [minute.astimezone(BERLIN) for minute in minutes]
    return [f"{wall:%H:%M}" for wall in walls if is_scheduled(schedule, wall)]


def test_without_hours_it_is_always_on():
    assert is_scheduled((), datetime(1970, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "is_on"),
    [
        ("2026-03-02T07:59:59", False),
        ("2026-03-02T08:00:00", True),
        ("2026-03-02T17:59:59", True),
        ("2026-03-02T18:00:00", False),
        ("2026-03-01T12:00:00", False),
    ],
)
def test_hours_begin_and_end_on_their_days(now: str, *, is_on: bool):
    assert is_scheduled((OFFICE,), local(now)) is is_on


@pytest.mark.parametrize(
    ("now", "is_on"),
    [
        ("2026-03-07T21:59", False),
        ("2026-03-07T22:00", True),
        ("2026-03-08T05:59", True),
        ("2026-03-08T06:00", False),
        ("2026-03-08T22:30", False),
        ("2026-03-07T05:00", False),
    ],
)
def test_hours_beyond_midnight_belong_to_the_day_they_began_on(now: str, *, is_on: bool):
    assert is_scheduled((NIGHT,), local(now)) is is_on


def test_several_hours_count_together():
    assert is_scheduled((OFFICE, NIGHT), local("2026-03-02T09:00"))
    assert is_scheduled((OFFICE, NIGHT), local("2026-03-08T01:00"))


def test_hours_that_the_clock_skips_do_not_happen():
    # On 29 March 2026 Berlin goes from 02:00 to 03:00, at 01:00 UTC.
    skipped = (Hours(begin="02:15", end="02:45"),)
    across = (Hours(begin="01:30", end="03:30"),)

    assert minutes_on(skipped, "2026-03-28T23:00", 6) == []
    assert len(minutes_on(across, "2026-03-28T23:00", 6)) == 60, "half an hour before, and one after"


def test_hours_that_the_clock_shows_twice_happen_twice():
    # On 25 October 2026 Berlin goes from 03:00 back to 02:00, at 01:00 UTC.
    twice = (Hours(begin="02:15", end="02:45"),)
    across = (Hours(begin="22:00", end="06:00"),)

    assert len(minutes_on(twice, "2026-10-24T22:00", 6)) == 60
    assert len(minutes_on(across, "2026-10-24T18:00", 14)) == 9 * 60, "one hour more than the clock tells"


def test_a_clock_that_was_never_set_keeps_the_feed_off():
    noon = datetime(1970, 1, 1, 12, tzinfo=UTC)

    assert not is_scheduled((Hours(begin="00:00", end="23:59"),), noon)


def test_a_schedule_in_words():
    assert schedule_words(()) == "always"
    assert schedule_words((OFFICE, Hours(begin="20:00", end="02:00"))) == (
        "mon tue wed thu fri 08:00-18:00, every day 20:00-02:00"
    )
