"""Two clients of one name."""

import pytest

from edged.delivery.rivalry import OVER_AFTER_MS, Rivalry

REMEDY = "give each its own `device`"


def a_rivalry() -> Rivalry:
    return Rivalry("edged-porch", REMEDY)


def test_what_the_broker_says_is_told_with_the_name_and_what_to_change():
    rivalry = a_rivalry()
    assert rivalry.words == ""
    rivalry.put_out(0.0)

    assert "another client has connected to the broker as `edged-porch`" in rivalry.words
    assert "session taken over" in rivalry.words
    assert REMEDY in rivalry.words


def test_each_time_the_wait_is_longer_up_to_minutes_and_never_next_to_nothing():
    rivalry = a_rivalry()

    assert [rivalry.put_out(0.0) for _ in range(6)] == [15, 30, 60, 120, 150, 150]
    assert rivalry.put_out(1.0) == 300


def test_connections_that_are_closed_soon_again_and_again_may_be_a_rivals():
    rivalry = a_rivalry()
    for _ in range(2):
        assert rivalry.closed(1_000, 0.0) == 0
    assert rivalry.words == ""
    assert [rivalry.closed(1_000, 0.0) for _ in range(5)] == [5, 10, 20, 30, 30]

    assert "it may be that another client is connected as `edged-porch` too" in rivalry.words
    assert REMEDY in rivalry.words


@pytest.mark.parametrize("end", [lambda one: one.closed(120_000, 0.0), lambda one: one.ended()])
def test_an_end_of_another_kind_begins_the_count_anew(end):
    rivalry = a_rivalry()
    for _ in range(2):
        rivalry.closed(1_000, 0.0)
    end(rivalry)
    rivalry.closed(1_000, 0.0)

    assert rivalry.words == ""


def test_a_connection_that_stands_for_longer_than_the_other_one_waits_ends_it():
    rivalry = a_rivalry()
    rivalry.put_out(0.0)
    rivalry.stands(OVER_AFTER_MS - 1)
    assert rivalry.words
    rivalry.stands(OVER_AFTER_MS)

    assert rivalry.words == ""
    assert rivalry.put_out(0.0) == 15
