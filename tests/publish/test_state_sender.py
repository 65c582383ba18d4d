import logging

import pytest

from builders.namespaces import HandClock
from edged.delivery.announcement import Announcement, parts_of
from edged.delivery.kept_topics import KeptTopics
from edged.delivery.topics import Topics
from edged.domain.errors import StoreError
from edged.publish.announcer import Announcer
from edged.publish.latest_states import LatestStates, Saying
from edged.publish.retained_topics import RetainedTopics
from edged.publish.state_sender import StateSender

TOPICS = Topics("edged", "dev1")
CONFIG = "homeassistant/device/d/config"
PARTS = parts_of({"a": "sensor"})
TOLD = Announcement(CONFIG, {"components": {"a": {"platform": "sensor"}}}, {"a": "sensor"})
ONLINE = (TOPICS.status, b"online")


class Ledger:
    """A ledger in memory, which can be out of order; the real one is tried in test_retained_topics.py."""

    def __init__(self, **parts: str) -> None:
        self.parts = parts
        self.is_broken = False

    def retained(self, _sink, _broker):
        self._refuse()
        return dict(self.parts)

    def note_retained(self, _sink, _broker, parts):
        self._refuse()
        self.parts |= parts

    def forget_retained(self, _sink, _broker, topics):
        self._refuse()
        for topic in topics:
            self.parts.pop(topic, None)

    def _refuse(self):
        if self.is_broken:
            raise StoreError("the disk is full")


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def latest():
    return LatestStates()


def a_sender(clock, latest, ledger, *, announces=True):
    wanted = KeptTopics({TOPICS.status: "", "state": ""} | ({CONFIG: PARTS} if announces else {}))
    announcer = Announcer([TOLD], 1000, lambda: 0.5) if announces else None
    retained = RetainedTopics(ledger, "mqtt", "b:1", wanted)
    return StateSender("mqtt", TOPICS, latest, clock, retained=retained, announcer=announcer)


def sent(sender):
    """Everything that is to be sent now, taken by the broker at once."""
    found = []
    sender.turn()
    while (saying := sender.take()) is not None:
        sender.answered(saying, is_taken=True)
        found.append((saying.topic, saying.body))
    return found


def connect(sender):
    sender.prepare()
    sender.connected()


def test_announcement_states_and_online_go_out_in_this_order(clock, latest):
    sender = a_sender(clock, latest, Ledger())
    connect(sender)
    assert sent(sender) == []
    latest.put(Saying("state", b"1"))
    clock.ms += 500
    sender.turn()
    assert sent(sender) == [(CONFIG, TOLD.body()), ("state", b"1"), ONLINE]
    clock.ms += 2000
    assert set(sent(sender)) == {("state", b"1"), ONLINE}


def test_with_nobody_to_announce_to_it_is_online_at_once(clock, latest):
    sender = a_sender(clock, latest, Ledger(), announces=False)
    latest.put(Saying("state", b"1"))
    connect(sender)
    assert sent(sender) == [("state", b"1"), ONLINE]


def test_from_the_second_connection_on_it_is_online_at_once(clock, latest):
    sender = a_sender(clock, latest, Ledger())
    connect(sender)
    sent(sender)
    clock.ms += 500
    sent(sender)
    sender.lost([])
    connect(sender)
    assert sent(sender) == [ONLINE]
    clock.ms += 500
    assert sent(sender) == [(CONFIG, TOLD.body())]


def test_entities_are_taken_back_before_the_states_that_they_read_and_before_others_are_announced(
    clock, latest
):
    old = "homeassistant/sensor/d/a/config"
    sender = a_sender(clock, latest, Ledger(**{old: "", "gone": ""}))
    connect(sender)
    assert sent(sender) == [(old, b"")]
    clock.ms += 999
    assert sent(sender) == []
    clock.ms += 1
    assert sent(sender) == [("gone", b"")]
    clock.ms += 500
    assert sent(sender)[0] == (CONFIG, TOLD.body())


def test_what_the_broker_refuses_to_clear_holds_nothing_up_and_is_tried_at_the_next_connection(clock, latest):
    old = "homeassistant/sensor/d/a/config"
    ledger = Ledger(**{old: ""})
    sender = a_sender(clock, latest, ledger)
    connect(sender)
    saying = sender.take()
    assert saying == Saying(old, b"")
    sender.answered(saying, is_taken=False)
    clock.ms += 1000
    sender.turn()
    clock.ms += 500
    assert ONLINE in sent(sender)
    assert old in ledger.parts
    sender.lost([])
    connect(sender)
    assert (old, b"") in sent(sender)
    assert old not in ledger.parts


def test_an_outbox_that_cannot_be_written_keeps_nobody_from_being_told_and_is_asked_again(
    clock, latest, caplog
):
    ledger = Ledger(gone="")
    ledger.is_broken = True
    sender = a_sender(clock, latest, ledger, announces=False)
    connect(sender)
    assert sent(sender) == [ONLINE]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    ledger.is_broken = False
    sender.lost([])
    connect(sender)
    assert ("gone", b"") in sent(sender)
    assert set(ledger.parts) == {TOPICS.status, "state"}


def test_a_picture_on_its_way_when_the_connection_broke_is_not_sent_again(clock, latest):
    wanted = KeptTopics({}, frozenset({"picture"}))
    retained = RetainedTopics(Ledger(), "mqtt", "b:1", wanted)
    sender = StateSender("mqtt", TOPICS, latest, clock, retained=retained)
    connect(sender)
    latest.put(Saying("picture", b"jpeg"))
    latest.put(Saying("state", b"1"))
    on_their_way = [sender.take() for _ in range(3)]
    sender.lost(on_their_way)
    connect(sender)
    assert sent(sender) == [("state", b"1"), ONLINE]
    assert [one.topic for one in sender.farewell()] == [TOPICS.status]


def test_announcements_do_not_pile_up_however_often_home_assistant_starts(clock, latest):
    announcer = Announcer([TOLD], 0, lambda: 0.0)
    sender = StateSender("mqtt", TOPICS, latest, clock, announcer=announcer)
    sender.connected()
    for _ in range(50):
        announcer.want()
        sender.turn()
    assert [topic for topic, _ in sent(sender)] == [CONFIG, TOPICS.status]
    assert sent(sender) == [(CONFIG, TOLD.body())]
    assert sent(sender) == []


def test_nothing_contradicts_the_last_words(clock, latest):
    wanted = KeptTopics({CONFIG: PARTS}, frozenset({"picture"}))
    retained = RetainedTopics(Ledger(), "mqtt", "b:1", wanted)
    announcer = Announcer([TOLD], 1000, lambda: 0.5)
    sender = StateSender("mqtt", TOPICS, latest, clock, retained=retained, announcer=announcer)
    connect(sender)
    sender.turn()
    latest.put(Saying("picture", b"jpeg"))
    latest.put(Saying("state", b"1"))
    clock.ms += 500
    assert sender.farewell() == [Saying("picture", b""), Saying(TOPICS.status, b"offline")]
    assert sent(sender) == [("state", b"1")]
