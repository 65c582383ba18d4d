import logging

import pytest

from edged.publish.mqtt_subscriptions import Arrival, BirthTaker, Subscriptions, SwitchTaker
from edged.system.clock import SystemClock

CLOCK = SystemClock()


def arriving(topic, payload, *, retained=False):
    return Arrival(topic, payload, is_retained=retained, response_topic=None, correlation=b"")


@pytest.fixture
def switched():
    return []


@pytest.fixture
def switches(switched):
    return SwitchTaker({"d/set": "door", "y/set": "yard"}, lambda *word: switched.append(word), CLOCK)


def test_each_message_goes_to_who_takes_its_topic(switches, switched):
    births = []
    table = Subscriptions("mqtt", [switches, BirthTaker(["ha/status"], lambda: births.append(1))], CLOCK)
    assert table.topics == ("d/set", "y/set", "ha/status")
    table.arrived(arriving("y/set", b"OFF"))
    table.arrived(arriving("ha/status", b"online"))
    table.arrived(arriving("ha/status", b"offline"))
    table.arrived(arriving("nobody's", b"ON"))
    assert (switched, births) == ([("yard", False)], [1])


@pytest.mark.parametrize("payload", [b"on", b"", b"ON ", b"true", b"1", b"\xff"])
def test_only_on_and_off_switch_and_the_rest_is_counted_and_told_once(switches, switched, payload, caplog):
    for _ in range(3):
        switches.arrived(arriving("d/set", payload))
    assert switched == []
    assert switches.counts == {"unreadable": 3}
    assert len(caplog.records) == 1


def test_a_retained_word_switches_nothing(switches, switched, caplog):
    switches.arrived(arriving("d/set", b"OFF", retained=True))
    assert (switched, switches.counts) == ([], {"retained": 1})
    assert "without `retain`" in caplog.text


def test_a_refused_subscription_says_what_does_not_work(switches, caplog):
    table = Subscriptions("mqtt", [switches, BirthTaker(["ha/status"], print)], CLOCK)
    table.subscribed(table.topics, ["", "not authorized", "not authorized"])
    assert table.trouble == "the broker does not let it read y/set, ha/status: not authorized"
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "cannot be told to switch feeds and does not hear when Home Assistant starts" in record.message
    table.subscribed(table.topics, ["", "", ""])
    assert table.trouble == ""
