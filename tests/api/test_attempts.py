from hypothesis import given
from hypothesis import strategies as st

from edged.api.rate import Attempts

MINUTE_MS = 60_000


def test_so_many_are_had_at_once_and_then_none() -> None:
    attempts = Attempts(3)
    assert [attempts.take("a", 0) for _ in range(4)] == [0, 0, 0, 20]


def test_after_the_time_that_was_said_there_is_one_and_no_more() -> None:
    attempts = Attempts(3)
    for _ in range(3):
        attempts.take("a", 0)
    assert attempts.take("a", 19_000) == 1
    assert attempts.take("a", 20_000) == 0
    assert attempts.take("a", 20_000) == 20


def test_addresses_do_not_take_from_each_other() -> None:
    attempts = Attempts(1)
    assert (attempts.take("a", 0), attempts.take("b", 0), attempts.take("a", 0)) == (0, 0, 60)


def test_what_is_given_back_can_be_taken_again_and_is_never_more_than_all() -> None:
    attempts = Attempts(2)
    for _ in range(5):
        assert attempts.take("a", 0) == 0
        attempts.give_back("a", 0)
    attempts.give_back("a", 0)
    attempts.give_back("nobody", 0)
    assert [attempts.take("a", 0) for _ in range(3)] == [0, 0, 30]


def test_only_so_many_addresses_are_remembered_and_the_longest_silent_goes() -> None:
    attempts = Attempts(1, most_addresses=2)
    for address in ("a", "b", "c"):
        attempts.take(address, 0)
    assert attempts.take("b", 0) > 0
    assert attempts.take("c", 0) > 0
    assert attempts.take("a", 0) == 0


@given(st.integers(1, 50), st.lists(st.integers(0, MINUTE_MS), min_size=1, max_size=200))
def test_in_a_minute_nobody_has_more_than_a_full_bucket_and_what_came_into_it(
    a_minute: int, times: list[int]
) -> None:
    attempts = Attempts(a_minute)
    taken = [now_ms for now_ms in sorted(times) if attempts.take("a", now_ms) == 0]
    assert len(taken) <= a_minute + a_minute * (max(times) - min(times)) / MINUTE_MS + 1e-6


@given(st.integers(1, 50), st.integers(0, 10**12))
def test_whoever_waits_as_told_gets_one(a_minute: int, begin_ms: int) -> None:
    attempts = Attempts(a_minute)
    while not (wait_s := attempts.take("a", begin_ms)):
        pass
    assert attempts.take("a", begin_ms + wait_s * 1000) == 0
