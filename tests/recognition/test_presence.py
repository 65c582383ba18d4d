from builders.recognition import UNDECIDED, UNKNOWN, an_identity, at, known
from edged.domain.event import EventType
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
