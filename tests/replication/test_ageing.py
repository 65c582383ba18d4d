"""How old what is known is, while clocks are set, stand still, or were never right."""

from hypothesis import given
from hypothesis import strategies as st

from edged.domain.moment import Moment
from edged.replication.ageing import PATIENCE_MS, TOLERANCE_MS, Ageing, span

MIN = 60_000
DAY = 86_400_000
NOON = 1_790_000_000_000
"""By the authority's clock."""


class Machine:
    """A member with its two clocks, looking every second for as long as time goes on."""

    def __init__(self, max_age_ms=DAY, *, ahead_ms=0):
        self.ageing = Ageing(max_age_ms)
        self.steady_ms = 5_000
        self.utc_ms = NOON + ahead_ms
        self.alive_ms = NOON

    def pass_(self, ms, step_ms=10_000):
        for _ in range(ms // step_ms):
            self.steady_ms += step_ms
            self.utc_ms += step_ms
            self.look()
        return self.look()

    def look(self):
        return self.ageing.look(self.alive_ms, Moment(self.steady_ms, self.utc_ms))


def test_what_was_not_heard_of_for_longer_than_allowed_is_old():
    machine = Machine(DAY)

    assert not machine.pass_(DAY).is_old
    assert machine.pass_(MIN).is_old


def test_a_new_word_of_the_authority_makes_it_young_again():
    machine = Machine(60 * MIN)
    assert machine.pass_(61 * MIN).is_old

    machine.alive_ms = machine.utc_ms

    assert machine.look().age_ms == 0
    assert not machine.look().is_old


def test_without_a_limit_nothing_is_ever_old():
    assert not Machine(None).pass_(10 * DAY, step_ms=60_000).is_old


def test_a_start_after_a_month_finds_it_old_at_once():
    assert Machine(7 * DAY, ahead_ms=30 * DAY).look().is_old


def test_a_clock_that_is_set_forward_is_believed_only_after_a_while_and_that_is_said():
    machine = Machine(DAY)
    machine.pass_(MIN)
    machine.utc_ms += 400 * DAY

    seen = machine.look()
    assert not seen.is_old
    assert "was set forward by 400 d" in seen.doubt
    assert not machine.pass_(PATIENCE_MS - MIN).is_old

    seen = machine.pass_(2 * MIN)
    assert seen.is_old
    assert "it is believed by now" in seen.doubt


def test_a_word_that_comes_meanwhile_keeps_it_young():
    machine = Machine(DAY)
    machine.pass_(MIN)
    machine.utc_ms += 400 * DAY
    machine.look()
    machine.alive_ms = machine.utc_ms

    seen = machine.pass_(PATIENCE_MS + MIN)

    assert not seen.is_old
    assert seen.doubt == ""


def test_a_clock_that_is_set_back_makes_nothing_younger_at_once():
    machine = Machine(DAY)
    machine.pass_(2 * DAY, step_ms=60_000)
    machine.utc_ms -= 2 * DAY

    seen = machine.look()
    assert seen.is_old
    assert "was set back by 2 d" in seen.doubt
    assert not machine.pass_(PATIENCE_MS + MIN).is_old


def test_a_clock_that_is_set_and_set_back_leaves_no_trace():
    machine = Machine(DAY)
    machine.pass_(MIN)
    machine.utc_ms += DAY
    machine.pass_(MIN)
    machine.utc_ms -= DAY

    seen = machine.look()

    assert (seen.age_ms, seen.doubt) == (2 * MIN, "")


def test_a_clock_without_a_battery_counts_from_the_start_and_that_is_said():
    machine = Machine(DAY, ahead_ms=-NOON)

    assert "set the clock" in machine.look().doubt
    assert not machine.pass_(DAY - MIN, step_ms=60_000).is_old
    assert machine.pass_(2 * MIN).is_old


def test_a_clock_that_learns_the_time_after_the_start_is_believed_after_a_while():
    machine = Machine(DAY, ahead_ms=-NOON)
    machine.pass_(MIN)
    machine.utc_ms += NOON + 30 * DAY

    assert not machine.pass_(PATIENCE_MS - MIN).is_old
    assert machine.pass_(2 * MIN).is_old


def test_clocks_that_drift_apart_slowly_are_right():
    machine = Machine(DAY)

    for _ in range(1000):
        machine.steady_ms += 10_000
        machine.utc_ms += 10_100
        assert machine.look().doubt == ""

    assert machine.look().age_ms == 10_100_000


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 3_600_000), st.integers(-10 * DAY, 10 * DAY) | st.just(0)), max_size=40
    )
)
def test_the_age_never_jumps_unsaid(steps):
    machine = Machine(DAY)
    before = machine.look()
    for passed_ms, set_by_ms in steps:
        machine.steady_ms += passed_ms
        machine.utc_ms += passed_ms + set_by_ms
        seen = machine.look()
        leap_ms = abs(seen.age_ms - before.age_ms - passed_ms)
        assert seen.age_ms >= 0
        assert leap_ms <= TOLERANCE_MS or seen.doubt or before.doubt
        before = seen


def test_spans_are_told_in_the_largest_unit_of_which_there_are_two():
    assert [span(ms) for ms in (0, 1999, 119_999, 120_000, 2 * DAY - 1, 2 * DAY)] == [
        *("0 s", "1 s", "119 s", "2 min", "47 h", "2 d")
    ]
