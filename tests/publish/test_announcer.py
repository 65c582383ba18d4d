from edged.delivery.announcement import Announcement
from edged.publish.announcer import SUBSCRIBED_AFTER_MS, Announcer

TOLD = (Announcement("topic", {}),)


def test_it_announces_once_after_its_random_wait_and_then_all_states_again():
    announcer = Announcer(TOLD, 10_000, lambda: 0.5)
    assert not announcer.is_due(0)
    announcer.want()
    assert not announcer.is_due(1000)
    assert not announcer.is_due(5999)
    assert announcer.is_due(6000)
    assert announcer.announce(6000) == TOLD
    assert not announcer.is_due(7000)
    assert not announcer.are_states_due(6000 + SUBSCRIBED_AFTER_MS - 1)
    assert announcer.are_states_due(6000 + SUBSCRIBED_AFTER_MS)
    assert not announcer.are_states_due(60_000)


def test_a_second_wish_while_it_waits_changes_nothing():
    announcer = Announcer(TOLD, 10_000, lambda: 0.5)
    announcer.want()
    assert not announcer.is_due(0)
    announcer.want()
    assert announcer.is_due(5000)


def test_without_jitter_it_announces_at_once():
    announcer = Announcer(TOLD, 0, lambda: 0.9)
    announcer.want()
    assert announcer.is_due(5)


def test_a_lost_connection_takes_its_wishes_along():
    announcer = Announcer(TOLD, 0, lambda: 0.9)
    announcer.want()
    announcer.is_due(0)
    announcer.announce(0)
    announcer.want()
    announcer.disconnected()
    assert not announcer.is_due(10_000)
    assert not announcer.are_states_due(10_000)
    assert announcer.has_announced
