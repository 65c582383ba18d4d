import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.delivery.outcome import DELIVERED, UNTRIED, Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.delivery.settlement import Settler
from edged.domain.message import Message, MessageKind


def a_parcel(number, attempts=0):
    message = Message(MessageKind.JOB, "home", "door", f"j{number}", 1, is_final=True, body=b"{}", at_ms=0)
    return Parcel(number, message, 0, 0, attempts)


def a_settler(jitter=1.0, attempts_most=3):
    return Settler(first_s=1.0, most_s=30.0, attempts_most=attempts_most, jitter=lambda: jitter)


def settle(outcomes, settler=None, attempts=0):
    parcels = [a_parcel(n, attempts) for n in range(len(outcomes))]
    return (settler or a_settler()).settle(parcels, outcomes)


FAILED = Outcome(Fate.FAILED, "500")
UNAVAILABLE = Outcome(Fate.UNAVAILABLE, "503")
UNREACHABLE = Outcome(Fate.UNREACHABLE, "refused")
REFUSED = Outcome(Fate.REFUSED, "410")


@given(
    st.lists(st.sampled_from([DELIVERED, UNTRIED, FAILED, UNAVAILABLE, UNREACHABLE, REFUSED]), max_size=20)
)
def test_every_parcel_has_exactly_one_end(outcomes):
    settlement = settle(outcomes)
    ids = [
        *settlement.delivered,
        *(one for one, _ in settlement.buried),
        *(retry.id for retry in settlement.retried),
        *settlement.released,
    ]
    assert sorted(ids) == list(range(len(outcomes)))


def test_only_failed_answers_count_and_at_the_limit_they_bury():
    assert [r.counts for r in settle([FAILED, UNAVAILABLE, UNREACHABLE]).retried] == [True, False, False]
    settlement = settle([FAILED, UNAVAILABLE, UNREACHABLE], attempts=2)
    assert settlement.buried == ((0, "failed 3 times, at last: 500"),)
    assert [r.id for r in settlement.retried] == [1, 2]


def test_a_failed_answer_does_not_pause_the_sink_until_there_are_three_in_a_row():
    settler = a_settler()
    assert settle([FAILED], settler).pause_s == 0
    assert settle([FAILED], settler).pause_s == 0
    assert settle([FAILED], settler).pause_s == 4
    assert settle([DELIVERED, FAILED], settler).pause_s == 0


def test_a_sink_that_is_away_is_left_alone_longer_and_longer_up_to_the_bound():
    settler = a_settler()
    assert [settle([UNREACHABLE], settler).pause_s for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    settle([DELIVERED], settler)
    assert settle([UNREACHABLE], settler).pause_s == 1


def test_what_did_not_reach_the_sink_keeps_its_place_and_what_did_lets_another_go_first():
    assert settle([UNREACHABLE]).retried[0].wait_ms == 0
    settlement = settle([UNAVAILABLE])
    assert settlement.retried[0].wait_ms > settlement.pause_s * 1000


@pytest.mark.parametrize("fate", [Fate.FAILED, Fate.UNAVAILABLE])
def test_retry_after_is_obeyed(fate):
    settlement = settle([Outcome(fate, "later", retry_after_s=120)])
    assert settlement.retried[0].wait_ms >= 120_000
    if fate is Fate.UNAVAILABLE:
        assert settlement.pause_s == 120


def test_refusals_are_buried_with_their_reason_and_do_not_pause():
    settlement = settle([REFUSED])
    assert (settlement.buried, settlement.pause_s) == (((0, "410"),), 0)
