"""How much of requests may wait."""

import contextlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.capture import HandClock
from edged.api.problem import Code, Problem
from edged.pipeline.admission import Admission
from edged.settings.quantities import Size
from edged.settings.requests import Fetch, Requests

SETTINGS = Requests(max_images=64, max_bytes=Size(1_000_000), fetch=Fetch(max_bytes=Size(400_000)))


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def admission(clock):
    return Admission(SETTINGS, clock)


def refused(call):
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


@given(st.lists(st.tuples(st.integers(1, 64), st.integers(0, 1_200_000), st.booleans()), max_size=30))
def test_neither_bound_is_ever_exceeded(requests):
    admission, taken = Admission(SETTINGS, HandClock()), []
    for images, size, is_done in requests:
        with contextlib.suppress(Problem):
            admission.admit(images, size)
            taken.append((images, size))
        held = admission.held
        assert held.images == sum(one for one, _ in taken) <= 64
        assert held.bytes == sum(one for _, one in taken) <= 1_000_000
        if is_done and taken:
            count, given_back = taken.pop()
            admission.release(given_back)
            admission.finished(count)


def test_what_never_fits_is_not_told_to_come_again(admission):
    problem = refused(lambda: admission.admit(1, 1_000_001))

    assert (problem.code, problem.retry_after_s) == (Code.TOO_LARGE, None)
    assert admission.held.refused == 1


def test_the_wait_is_as_long_as_pictures_take(admission, clock):
    admission.admit(64, 0)
    for _ in range(60):
        clock.pass_s(3)
        admission.finished()
    admission.admit(60, 0)

    problem = refused(lambda: admission.admit(10, 0))

    assert problem.code == Code.TOO_MANY
    assert 29 <= problem.retry_after_s <= 31, "ten pictures of about three seconds"


def test_a_download_gives_back_what_it_did_not_use(admission):
    assert admission.reserve() == 400_000
    admission.keep(400_000, 1000)

    assert admission.held.bytes == 1000


def test_a_download_that_waits_for_room_is_not_overtaken(admission):
    admission.admit(1, 900_000)
    got = []
    waiter = threading.Thread(target=lambda: got.append(admission.reserve()))
    waiter.start()
    while not admission.is_waited_for:
        waiter.join(0.005)

    assert refused(lambda: admission.admit(1, 50_000)).code == Code.TOO_MANY
    admission.release(900_000)
    waiter.join(10)

    assert got == [400_000]
    admission.admit(1, 50_000)


def test_a_single_picture_is_let_through_however_small_the_bound(clock):
    small = Admission(Requests(max_bytes=Size(1_000_000), fetch=Fetch(max_bytes=Size(64_000_000))), clock)

    assert small.reserve() == 1_000_000


def test_at_the_end_nobody_waits(admission):
    admission.admit(1, 900_000)
    got = []
    waiter = threading.Thread(target=lambda: got.append(admission.reserve()))
    waiter.start()
    admission.close()
    waiter.join(10)

    assert got == [None]
