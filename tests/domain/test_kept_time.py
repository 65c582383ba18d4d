"""Ages of what is kept, on machines whose clock is set while they run."""

import pytest

from edged.domain.kept_time import KNOWN_MS, SETTLED_MS, KeptTime
from edged.domain.moment import Moment

NOON = 1_790_000_000_000


def test_a_clock_that_goes_on_corrects_nothing():
    kept = KeptTime(Moment(0, NOON))

    found = kept.look(Moment(30_000, NOON + 30_010))

    assert found.moved is None
    assert found.is_known
    assert not found.is_settled
    assert found.before_ms(10) == NOON + 20_010


def test_nothing_is_too_old_while_nobody_knows_the_time():
    found = KeptTime(Moment(0, 5000)).look(Moment(1000, 6000))

    assert not found.is_known
    assert found.before_ms(1) == 0
    assert KeptTime(Moment(0, KNOWN_MS)).look(Moment(1, KNOWN_MS + 1)).is_known


@pytest.mark.parametrize("by_ms", [14 * 86_400_000, -14 * 86_400_000, 120_000])
def test_what_was_written_before_the_clock_was_set_is_moved_along(by_ms):
    kept = KeptTime(Moment(0, NOON))
    kept.look(Moment(30_000, NOON + 30_000))

    found = kept.look(Moment(60_000, NOON + 60_000 + by_ms))

    assert found.moved == (NOON, NOON + 60_000, by_ms)
    assert kept.look(Moment(90_000, NOON + 90_000 + by_ms)).moved is None


def test_a_second_setting_moves_what_the_first_one_moved():
    kept = KeptTime(Moment(0, 0))
    kept.look(Moment(1000, NOON))

    found = kept.look(Moment(2000, NOON + 86_401_000))

    assert found.moved == (NOON - 1000, NOON + 1000, 86_400_000)


def test_the_clock_is_believed_against_the_future_once_it_was_not_set_for_long():
    kept = KeptTime(Moment(0, NOON))
    kept.look(Moment(SETTLED_MS - 1, NOON + SETTLED_MS + 300_000))

    assert not kept.look(Moment(SETTLED_MS, NOON + SETTLED_MS + 300_001)).is_settled
    later = 2 * SETTLED_MS
    assert kept.look(Moment(later, NOON + later + 300_001)).is_settled
