"""The models' time, shared between feeds and requests."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.pipeline.fair_turns import FairTurns, Turn

COSTS = st.lists(st.floats(1, 500), min_size=1, max_size=60)
SHARES = st.floats(0.05, 0.9)


def run(share, frames_ms, steps_ms):
    """Both always wait; returns (turn, ms) of each step until one list is used up."""
    turns, taken = FairTurns(share), []
    frames, steps = iter(frames_ms), iter(steps_ms)
    while True:
        turn = turns.next(frame_waits=True, request_waits=True)
        cost = next(frames if turn is Turn.FEEDS else steps, None)
        if cost is None:
            return taken
        turns.took(cost)
        taken.append((turn, cost))


def sums(taken):
    return [sum(ms for turn, ms in taken if turn is which) for which in (Turn.FEEDS, Turn.REQUESTS)]


@given(SHARES, COSTS, COSTS)
def test_requests_never_take_more_than_their_share_and_one_step(share, frames_ms, steps_ms):
    taken = run(share, frames_ms, steps_ms)

    for end in range(1, len(taken) + 1):
        feeds, requests = sums(taken[:end])
        assert requests <= share * (feeds + requests) + max(steps_ms) + 1e-6


@given(SHARES, COSTS, COSTS)
def test_requests_never_get_less_than_their_share_but_for_one_frame(share, frames_ms, steps_ms):
    taken = run(share, frames_ms, steps_ms)

    for end in range(1, len(taken) + 1):
        feeds, requests = sums(taken[:end])
        assert requests >= share * (feeds + requests) - max(frames_ms) - 1e-6


@given(SHARES, COSTS, COSTS)
def test_a_frame_waits_for_what_the_last_one_earned_and_one_step(share, frames_ms, steps_ms):
    waited = last_frame = 0.0

    for turn, ms in run(share, frames_ms, steps_ms):
        waited = 0.0 if turn is Turn.FEEDS else waited + ms
        last_frame = ms if turn is Turn.FEEDS else last_frame
        assert waited <= last_frame * share / (1 - share) + max(steps_ms) + 1e-6


def test_with_the_usual_share_and_like_steps_one_in_four_is_a_request():
    taken = run(0.25, [10] * 75, [10] * 100)

    assert [turn for turn, _ in taken].count(Turn.REQUESTS) == pytest.approx(25, abs=1)
    assert not any(one is two is Turn.REQUESTS for (one, _), (two, _) in pairwise(taken)), "one step at most"


def test_while_no_frame_waits_requests_have_everything():
    turns = FairTurns(0.25)

    for _ in range(50):
        assert turns.next(frame_waits=False, request_waits=True) is Turn.REQUESTS
        turns.took(100)

    assert turns.next(frame_waits=True, request_waits=True) is Turn.FEEDS
    turns.took(40)
    assert turns.next(frame_waits=True, request_waits=True) is Turn.REQUESTS, "what was free is not paid back"


def test_nothing_is_saved_up_while_there_are_no_requests():
    turns = FairTurns(0.25)
    for _ in range(1000):
        assert turns.next(frame_waits=True, request_waits=False) is Turn.FEEDS
        turns.took(100)

    assert turns.next(frame_waits=True, request_waits=True) is Turn.FEEDS


def test_steps_too_short_for_the_clock_starve_nobody():
    assert {turn for turn, _ in run(0.25, [0] * 30, [0] * 30)} == {Turn.FEEDS, Turn.REQUESTS}


def test_who_waits_for_nothing_waits_with_the_feeds():
    assert FairTurns(0.5).next(frame_waits=False, request_waits=False) is Turn.FEEDS
