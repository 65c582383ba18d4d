"""What each capturing thread may do."""

import threading

import pytest

from edged.pipeline.feed_control import FeedControl, Off


def test_a_feed_is_on_when_nothing_keeps_it_off():
    control = FeedControl({"hall": 5.0})

    assert control.set_off("hall", Off.SWITCH, is_off=True)
    assert not control.set_off("hall", Off.SWITCH, is_off=True)
    control.set_off("hall", Off.SCHEDULE, is_off=True)
    assert control.off("hall") is Off.SWITCH
    control.set_off("hall", Off.SWITCH, is_off=False)
    assert control.off("hall") is Off.SCHEDULE
    control.set_off("hall", Off.SCHEDULE, is_off=False)
    assert control.off("hall") is None


def test_what_came_before_a_feed_was_off_is_not_for_use_after_it():
    control = FeedControl({"hall": 5.0})
    before = control.times_off("hall")
    assert control.is_for_use("hall", before)

    control.set_off("hall", Off.SWITCH, is_off=True)
    control.set_off("hall", Off.SCHEDULE, is_off=True)
    assert control.times_off("hall") == before + 1
    assert not control.is_for_use("hall", before + 1), "while it is off nothing is"
    control.set_off("hall", Off.SWITCH, is_off=False)
    control.set_off("hall", Off.SCHEDULE, is_off=False)

    assert not control.is_for_use("hall", before)
    assert control.is_for_use("hall", before + 1)


def test_whoever_waits_for_a_feed_is_woken_when_it_is_on():
    control = FeedControl({"hall": 5.0})
    control.set_off("hall", Off.SWITCH, is_off=True)
    assert not control.wait_until_on("hall", 0.001)
    waited = []
    waiter = threading.Thread(target=lambda: waited.append(control.wait_until_on("hall", 60)))
    waiter.start()

    control.set_off("hall", Off.SWITCH, is_off=False)

    waiter.join(60)
    assert waited == [True]


def test_a_feed_that_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        FeedControl({}).set_off("hall", Off.SWITCH, is_off=True)
