"""The wait after a failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.backoff import Backoff, full_jitter_s

JITTERS = st.floats(0, 1)


def test_the_bound_doubles_until_it_is_reached():
    waits = [full_jitter_s(n, first_s=1, most_s=10, jitter=1.0) for n in range(1, 7)]

    assert waits == [1, 2, 4, 8, 10, 10]


def test_the_wait_is_at_random_from_nothing_up_to_the_bound():
    assert full_jitter_s(3, first_s=1, most_s=10, jitter=0.0) == 0
    assert full_jitter_s(3, first_s=1, most_s=10, jitter=0.5) == 2


@given(failures=st.integers(1, 10**9), first=st.floats(0.01, 60), most=st.floats(0.01, 3600), jitter=JITTERS)
def test_no_wait_is_longer_than_the_longest(failures: int, first: float, most: float, jitter: float):
    assert 0 <= full_jitter_s(failures, first_s=first, most_s=most, jitter=jitter) <= most


@given(failures=st.integers(1, 200), jitter=JITTERS)
def test_one_more_failure_never_shortens_the_wait(failures: int, jitter: float):
    assert full_jitter_s(failures + 1, first_s=1, most_s=30, jitter=jitter) >= full_jitter_s(
        failures, first_s=1, most_s=30, jitter=jitter
    )


def test_nothing_has_failed_so_there_is_nothing_to_wait_for():
    with pytest.raises(ValueError, match="before the first failure"):
        full_jitter_s(0, first_s=1, most_s=30, jitter=0.5)


def test_a_success_begins_again_at_the_first_wait():
    backoff = Backoff(first_s=1, most_s=30)
    assert [backoff.failed(1.0) for _ in range(3)] == [1, 2, 4]

    backoff.succeeded()

    assert backoff.failures == 0
    assert backoff.failed(1.0) == 1
