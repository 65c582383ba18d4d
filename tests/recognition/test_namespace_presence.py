"""Who is in a namespace."""

from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import at
from edged.domain.event import PresentPerson
from edged.recognition.namespace_presence import NamespaceBook
from edged.recognition.presence import Sight


def ada(seen_ms, since=0):
    return Sight(PresentPerson(track_id="t", identity_id="ada", name="Ada", since=since), at(seen_ms))


def stranger(seen_ms, group=None, track="s"):
    return Sight(PresentPerson(track_id=track, group_id=group, since=0), at(seen_ms))


def update(book, now_ms, mistaken=None, **feeds):
    book.update(at(now_ms), feeds, mistaken or {})
    return [(one.identity_id or one.group_id, one.feeds) for one in book.persons()]


def test_one_person_at_two_feeds_is_one():
    book = NamespaceBook(60_000)

    assert update(book, 0, hall=[ada(0, since=500)], yard=[ada(0)]) == [("ada", ("hall", "yard"))]
    assert book.persons()[0].since == 500


def test_who_goes_from_one_feed_to_the_next_never_left():
    book = NamespaceBook(60_000)
    update(book, 0, hall=[ada(0)], yard=[])

    assert update(book, 10_000, hall=[], yard=[]) == [("ada", ())]
    assert update(book, 50_000, hall=[], yard=[ada(50_000)]) == [("ada", ("yard",))]
    assert update(book, 109_999, hall=[], yard=[]) == [("ada", ())]
    assert update(book, 110_000, hall=[], yard=[]) == []


def test_a_stranger_of_one_group_is_one_at_two_feeds_and_without_groups_two():
    book = NamespaceBook(60_000)
    assert len(update(book, 0, hall=[stranger(0, "g")], yard=[stranger(0, "g", "other")])) == 1

    book = NamespaceBook(60_000)
    assert len(update(book, 0, hall=[stranger(0)], yard=[stranger(0, track="other")])) == 2


def test_who_was_somebody_else_was_not_there():
    book = NamespaceBook(60_000)
    update(book, 0, hall=[stranger(0, "g")], yard=[])

    assert update(book, 10, {"hall": {"g"}}, hall=[ada(10)], yard=[]) == [("ada", ("hall",))]


def test_a_mistake_at_one_feed_says_nothing_of_another():
    book = NamespaceBook(60_000)
    update(book, 0, hall=[ada(0)], yard=[ada(0)])

    assert update(book, 10, {"hall": {"ada"}}, hall=[], yard=[]) == [("ada", ())]
    assert update(book, 20, {"yard": {"ada"}}, hall=[], yard=[]) == []


def test_what_a_feed_saw_is_forgotten_when_it_is_switched_off():
    book = NamespaceBook(60_000)
    update(book, 0, hall=[ada(0), stranger(0, "g")], yard=[ada(0)])

    book.switched_off("hall")

    assert [(one.identity_id, one.feeds) for one in book.persons()] == [("ada", ("yard",))]


def test_who_is_removed_is_gone_at_once():
    book = NamespaceBook(60_000)
    update(book, 0, hall=[ada(0)])
    assert book.identities() == {"ada"}

    book.erase({"ada", "nobody"})

    assert book.persons() == ()


@given(st.lists(st.tuples(st.integers(1, 59_999), st.sampled_from(["hall", "yard"])), min_size=1))
def test_somebody_seen_again_in_time_anywhere_never_leaves(walk):
    book, now = NamespaceBook(60_000), 0
    for gap_ms, feed in walk:
        now += gap_ms
        seen = {"hall": [], "yard": [], feed: [ada(now)]}
        assert len(update(book, now, **seen)) == 1
        assert len(update(book, now, hall=[], yard=[])) == 1
        assert book.persons()[0].since == 0
