from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import UNDECIDED, UNKNOWN, an_identity, at, known
from edged.domain.event import EventType
from edged.domain.group import Membership
from edged.recognition.presence import Patience, PresenceBook, key_of

ADA = an_identity("Ada", number=1)
BEN = an_identity("Ben", number=2)


def a_book(*, enter_after_ms=0, leave_after_ms=3000):
    return PresenceBook(Patience(enter_after_ms, leave_after_ms))


def test_nobody_comes_before_a_decision():
    book = a_book()

    assert book.see("job", "t1", UNDECIDED, at(0)) == []
    assert book.persons() == ()


def test_a_known_person_comes_once_however_many_tracks_they_break_into():
    book = a_book()

    (came,) = book.see("job", "t1", known(ADA), at(0))
    again = book.see("job", "t2", known(ADA), at(2000))

    assert (came.type, came.name) == (EventType.KNOWN, "Ada")
    assert again == []
    assert len(book.persons()) == 1


def test_somebody_leaves_when_unseen_for_long_enough():
    book = a_book()
    book.see("job", "t1", known(ADA), at(0))
    book.see("job", "t1", known(ADA), at(1000))

    assert book.expire(at(3999)) == []
    (left,) = book.expire(at(4000))

    assert (left.type, left.identity_id) == (EventType.LEFT, ADA.id)
    assert book.persons() == ()


def test_an_unknown_person_who_is_recognised_later_does_not_leave_first():
    book = a_book()
    book.see("job", "t1", UNKNOWN, at(0))

    changes = book.see("job", "t1", known(ADA), at(500))

    assert [change.type for change in changes] == [EventType.KNOWN]
    assert [person.identity_id for person in book.persons()] == [ADA.id]


def test_a_wrong_name_leaves_when_it_is_corrected():
    book = a_book()
    book.see("job", "t1", known(ADA), at(0))

    changes = book.see("job", "t1", known(BEN), at(500))

    assert [(change.type, change.identity_id) for change in changes] == [
        (EventType.LEFT, ADA.id),
        (EventType.KNOWN, BEN.id),
    ]


def test_two_strangers_are_two_people():
    book = a_book()
    book.see("job", "t1", UNKNOWN, at(0))
    book.see("job", "t2", UNKNOWN, at(0))

    assert len(book.persons()) == 2


def test_clearing_lets_everybody_go():
    book = a_book()
    book.see("job", "t1", UNKNOWN, at(0))
    book.see("job", "t2", known(ADA), at(0))

    assert [change.type for change in book.clear(at(100))] == [EventType.LEFT, EventType.LEFT]
    assert book.persons() == ()


def in_group(group_id, seen_before=0):
    return Membership(group_id, seen_before, first_seen_ms=0)


def test_an_unknown_person_comes_once_however_many_tracks_they_break_into():
    book = a_book()

    (came,) = book.see("job", "t1", UNKNOWN, at(0), in_group("g", 2))
    again = book.see("job", "t2", UNKNOWN, at(2000), in_group("g", 2))

    assert (came.type, came.group) == (EventType.UNKNOWN, in_group("g", 2))
    assert again == []
    assert [person.group_id for person in book.persons()] == ["g"]
    assert book.expire(at(4000)) == [], "the second track keeps them there"


def test_two_unknown_people_of_different_groups_are_two():
    book = a_book()
    book.see("job", "t1", UNKNOWN, at(0), in_group("g"))
    book.see("job", "t2", UNKNOWN, at(0), in_group("h"))

    assert [person.group_id for person in book.persons()] == ["g", "h"]


def test_somebody_of_a_group_who_is_recognised_later_does_not_leave_first():
    book = a_book()
    book.see("job", "t1", UNKNOWN, at(0), in_group("g"))

    (change,) = book.see("job", "t1", known(ADA), at(500))

    assert (change.type, change.group) == (EventType.KNOWN, None)
    assert [person.identity_id for person in book.persons()] == [ADA.id]


def test_a_name_taken_back_leaves_and_somebody_unknown_comes():
    book = a_book()
    book.see("job", "t1", known(ADA), at(0))

    changes = book.see("job", "t1", UNKNOWN, at(500), in_group("g"))

    assert [change.type for change in changes] == [EventType.LEFT, EventType.UNKNOWN]


def test_a_group_that_a_command_changes_is_no_news_of_the_person():
    book = a_book()
    book.see("job", "t1", UNKNOWN, at(0), in_group("g"))

    assert book.see("job", "t1", UNKNOWN, at(100), in_group("merged")) == []
    assert [person.group_id for person in book.persons()] == ["merged"]
    assert book.see("job", "t1", UNKNOWN, at(200)) == [], "forgotten, and still somebody"
    assert [(person.track_id, person.group_id) for person in book.persons()] == [("t1", None)]


def test_somebody_who_was_erased_leaves_without_being_named_again():
    book = a_book()
    book.see("job", "t1", known(ADA), at(0))
    book.see("job", "t2", known(BEN), at(0))

    (left,) = book.erase({ADA.id}, at(500))

    assert (left.type, left.track_id, left.at) == (EventType.LEFT, "t1", at(500))
    assert (left.identity_id, left.name, left.confidence) == (None, None, None)
    assert [person.name for person in book.persons()] == ["Ben"]
    assert book.identities() == {BEN.id}


def test_a_glimpse_is_nobody():
    book = a_book(enter_after_ms=500)

    assert book.see("job", "t1", known(ADA), at(0)) == []
    assert book.see("job", "t1", known(ADA), at(499)) == []
    assert book.persons() == ()
    assert book.identities() == {ADA.id}, "still somebody to be let go of when they are removed"
    assert book.expire(at(499 + 3000)) == [], "who was never there does not leave"
    assert book.identities() == set()


def test_somebody_is_there_once_seen_for_long_enough():
    book = a_book(enter_after_ms=500)
    book.see("job", "t1", known(ADA), at(0))

    (came,) = book.see("job", "t2", known(ADA, 0.9), at(500))

    assert (came.type, came.track_id, came.at) == (EventType.KNOWN, "t2", at(500))
    assert [person.since for person in book.persons()] == [at(500).utc_ms]


def test_somebody_unknown_who_is_recognised_was_there_all_the_time():
    book = a_book(enter_after_ms=500)
    book.see("job", "t1", UNKNOWN, at(0))

    (came,) = book.see("job", "t1", known(ADA), at(600))

    assert came.type is EventType.KNOWN


def test_a_wrong_name_of_one_track_leaves_those_there_who_are_seen_by_another():
    book = a_book()
    book.see("job", "t1", known(ADA), at(0))
    book.see("job", "t2", known(ADA), at(0))

    (came,) = book.see("job", "t1", known(BEN), at(500))
    book.see("job", "t1", known(BEN), at(2000))

    assert (came.type, came.name) == (EventType.KNOWN, "Ben")
    assert [person.name for person in book.persons()] == ["Ada", "Ben"]
    assert [left.name for left in book.expire(at(3000))] == ["Ada"]
    assert book.take_mistaken() == set()


def test_who_was_somebody_else_is_told_once():
    book = a_book()
    book.see("job", "t1", known(ADA), at(0))
    book.see("job", "t1", known(BEN), at(500))

    assert book.take_mistaken() == {ADA.id}
    assert book.take_mistaken() == set()


def test_a_stranger_who_comes_back_by_another_track_and_is_recognised_leaves_as_a_stranger():
    book = a_book()
    book.see("job", "t1", UNKNOWN, at(0), in_group("g"))
    book.see("job", "t2", UNKNOWN, at(2000), in_group("g"))
    book.see("job", "t2", UNKNOWN, at(4000), in_group("g"))

    changes = book.see("job", "t2", known(ADA), at(4100))

    assert [(change.type, change.track_id) for change in changes] == [
        (EventType.LEFT, "t1"),
        (EventType.KNOWN, "t2"),
    ], "whoever counts by tracks counts right"


def test_who_comes_back_after_too_long_has_left_in_between():
    book = a_book()
    book.see("job", "t1", known(ADA), at(0))

    changes = book.see("job", "t2", known(ADA), at(3000))

    assert [change.type for change in changes] == [EventType.LEFT, EventType.KNOWN]


GAPS_MS = st.lists(st.integers(1, 2999), min_size=1, max_size=40)


@given(gaps_ms=GAPS_MS, tracks=st.lists(st.sampled_from("abc"), min_size=41, max_size=41), enter=GAPS_MS)
def test_somebody_seen_again_in_time_comes_once_and_leaves_once(gaps_ms, tracks, enter):
    book = a_book(enter_after_ms=enter[0])
    now, told = 0, []
    for gap_ms, track in zip([0, *gaps_ms], tracks, strict=False):
        for tick in range(now, now + gap_ms, 200):
            told += book.expire(at(tick))
        now += gap_ms
        told += book.see("job", track, known(ADA), at(now))

    told += book.expire(at(now + 2999))
    assert [one.type for one in told] == ([EventType.KNOWN] if now >= enter[0] else [])
    told += book.expire(at(now + 3000))
    assert [one.type for one in told] == ([EventType.KNOWN, EventType.LEFT] if now >= enter[0] else [])


class Reader:
    """Keeps who is there by the events alone: by who they are, and strangers by their track."""

    def __init__(self):
        self.there = set()

    def hear(self, changes):
        """Take note of events, in their order."""
        for change in changes:
            who = change.identity_id or change.track_id
            if change.type is EventType.LEFT:
                assert who in self.there, "nobody leaves who is not there"
                self.there.remove(who)
                continue
            assert who not in self.there, "nobody comes twice"
            self.there.discard(change.track_id)
            self.there.add(who)


SIGHTINGS = st.tuples(
    st.just("see"),
    st.sampled_from(["t1", "t2", "t3"]),
    st.sampled_from([known(ADA), known(BEN), UNKNOWN, UNDECIDED]),
    st.sampled_from([None, "g", "h"]),
)
STEPS = st.tuples(st.integers(0, 4000), SIGHTINGS | st.tuples(st.sampled_from(["expire", "clear"])))


@given(steps=st.lists(STEPS, max_size=40), enter_after_ms=st.sampled_from([0, 500, 5000]))
def test_the_events_and_the_list_always_say_the_same(steps, enter_after_ms):
    book, reader, now = a_book(enter_after_ms=enter_after_ms), Reader(), 0
    for passed_ms, (what, *sighting) in steps:
        now += passed_ms
        if what == "see":
            track, decision, group = sighting
            group = in_group(group) if group and decision is UNKNOWN else None
            reader.hear(book.see("job", track, decision, at(now), group))
        else:
            reader.hear(getattr(book, what)(at(now)))

        assert reader.there == {person.identity_id or person.track_id for person in book.persons()}
        assert len({key_of(person) for person in book.persons()}) == len(book.persons())
