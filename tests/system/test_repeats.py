from hypothesis import given
from hypothesis import strategies as st

from edged.system.repeats import RepeatLimit


def test_the_first_line_of_a_kind_is_let_through_at_once() -> None:
    limit: RepeatLimit[str] = RepeatLimit()
    assert [limit.admit(kind, 0.0) for kind in "abc"] == [0, 0, 0]


def test_within_a_second_the_next_are_held_back_and_then_counted() -> None:
    limit: RepeatLimit[str] = RepeatLimit()
    assert [limit.admit("a", at) for at in (0.0, 0.1, 0.9, 1.0, 1.5, 2.0)] == [0, None, None, 2, None, 1]


def test_a_kind_that_fell_silent_is_told_once() -> None:
    limit: RepeatLimit[str] = RepeatLimit()
    for at in (0.0, 0.1, 0.2):
        limit.admit("a", at)
    assert list(limit.overdue(1.9)) == []
    assert list(limit.overdue(2.0)) == [("a", 2)]
    assert list(limit.overdue(9.0)) == []


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    limit: RepeatLimit[str] = RepeatLimit()
    assert [limit.admit("a", at) for at in (1000.0, 1000.5, 3.0, 3.5)] == [0, None, 1, None]


def test_what_is_remembered_is_bounded() -> None:
    limit: RepeatLimit[int] = RepeatLimit()
    told = 0
    for kind in range(1000):
        told += sum(count for _, count in limit.overdue(0.0))
        limit.admit(kind, 0.0)
        limit.admit(kind, 0.0)
    assert told == 1000 - 257
    assert sum(count for _, count in limit.all_held_back()) == 257


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=60))
def test_every_line_is_let_through_or_counted(lines: list[tuple[str, float]]) -> None:
    limit: RepeatLimit[str] = RepeatLimit()
    now, seen, counted = 0.0, 0, 0
    for kind, pause in lines:
        now += pause
        counted += sum(count for _, count in limit.overdue(now))
        before = limit.admit(kind, now)
        if before is not None:
            seen, counted = seen + 1, counted + before
    counted += sum(count for _, count in limit.all_held_back())
    assert seen + counted == len(lines)
