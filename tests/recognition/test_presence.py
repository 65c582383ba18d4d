from builders.recognition import UNDECIDED, UNKNOWN, an_identity, at, known
from edged.domain.event import EventType
from edged.domain.group import Membership
from edged.recognition.presence import PresenceBook

ADA = an_identity("Ada", number=1)
BEN = an_identity("Ben", number=2)


def test_nobody_comes_before_a_decision():
    book = PresenceBook(3000)

    assert book.see("job", "t1", UNDECIDED, at(0)) == []
    assert book.persons() == ()


def test_a_known_person_comes_once_however_many_tracks_they_break_into():
    book = PresenceBook(3000)

    (came,) = book.see("job", "t1", known(ADA), at(0))
    again = book.see("job", "t2", known(ADA), at(2000))

    assert (came.type, came.name) == (EventType.KNOWN, "Ada")
    assert again == []
    assert len(book.persons()) == 1


def test_somebody_leaves_when_unseen_for_long_enough():
    book = PresenceBook(3000)
    book.see("job", "t1", known(ADA), at(0))
    book.see("job", "t1", known(ADA), at(1000))

    assert book.expire(at(3999)) == []
    (left,) = book.expire(at(4000))

    assert (left.type, left.identity_id) == (EventType.LEFT, ADA.id)
    assert book.persons() == ()


def test_an_unknown_person_who_is_recognised_later_does_not_leave_first():
    book = PresenceBook(3000)
    book.see("job", "t1", UNKNOWN, at(0))

    changes = book.see("job", "t1", known(ADA), at(500))

    assert [change.type for change in changes] == [EventType.KNOWN]
    assert [person.identity_id for person in book.persons()] == [ADA.id]


def test_a_wrong_name_leaves_when_it_is_corrected():
    book = PresenceBook(3000)
    book.see("job", "t1", known(ADA), at(0))

    changes = book.see("job", "t1", known(BEN), at(500))

    assert [(change.type, change.identity_id) for change in changes] == [
        (EventType.LEFT, ADA.id),
        (EventType.KNOWN, BEN.id),
    ]


def test_two_strangers_are_two_people():
    book = PresenceBook(3000)
    book.see("job", "t1", UNKNOWN, at(0))
    book.see("job", "t2", UNKNOWN, at(0))

    assert len(book.persons()) == 2


def test_clearing_lets_everybody_go():
    book = PresenceBook(3000)
    book.see("job", "t1", UNKNOWN, at(0))
    book.see("job", "t2", known(ADA), at(0))

    assert [change.type for change in book.clear(at(100))] == [EventType.LEFT, EventType.LEFT]
    assert book.persons() == ()


def in_group(group_id, seen_before=0):
    return Membership(group_id, seen_before, first_seen_ms=0)


def test_an_unknown_person_comes_once_however_many_tracks_they_break_into():
    book = PresenceBook(3000)

    (came,) = book.see("job", "t1", UNKNOWN, at(0), in_group("g", 2))
    again = book.see("job", "t2", UNKNOWN, at(2000), in_group("g", 2))

    assert (came.type, came.group) == (EventType.UNKNOWN, in_group("g", 2))
    assert again == []
    assert [person.group_id for person in book.persons()] == ["g"]
    assert book.expire(at(4000)) == [], "the second track keeps them there"


def test_two_unknown_people_of_different_groups_are_two():
    book = PresenceBook(3000)
    book.see("job", "t1", UNKNOWN, at(0), in_group("g"))
    book.see("job", "t2", UNKNOWN, at(0), in_group("h"))

    assert [person.group_id for person in book.persons()] == ["g", "h"]


def test_somebody_of_a_group_who_is_recognised_later_does_not_leave_first():
    book = PresenceBook(3000)
    book.see("job", "t1", UNKNOWN, at(0), in_group("g"))

    (change,) = book.see("job", "t1", known(ADA), at(500))

    assert (change.type, change.group) == (EventType.KNOWN, None)
    assert [person.identity_id for person in book.persons()] == [ADA.id]


def test_a_name_taken_back_leaves_and_somebody_unknown_comes():
    book = PresenceBook(3000)
    book.see("job", "t1", known(ADA), at(0))

    changes = book.see("job", "t1", UNKNOWN, at(500), in_group("g"))

    assert [change.type for change in changes] == [EventType.LEFT, EventType.UNKNOWN]


def test_a_group_that_a_command_changes_is_no_news_of_the_person():
    book = PresenceBook(3000)
    book.see("job", "t1", UNKNOWN, at(0), in_group("g"))

    assert book.see("job", "t1", UNKNOWN, at(100), in_group("merged")) == []
    assert [person.group_id for person in book.persons()] == ["merged"]
    assert book.see("job", "t1", UNKNOWN, at(200)) == [], "forgotten, and still somebody"
    assert [(person.track_id, person.group_id) for person in book.persons()] == [("t1", None)]


def test_somebody_who_was_erased_leaves_without_being_named_again():
    book = PresenceBook(3000)
    book.see("job", "t1", known(ADA), at(0))
    book.see("job", "t2", known(BEN), at(0))

    (left,) = book.erase({ADA.id}, at(500))

    assert (left.type, left.track_id, left.at) == (EventType.LEFT, "t1", at(500))
    assert (left.identity_id, left.name, left.confidence) == (None, None, None)
    assert [person.name for person in book.persons()] == ["Ben"]
    assert book.identities() == {BEN.id}
