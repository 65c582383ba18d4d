"""Unknown tracks of a feed: when they get a group, what is kept of them, and what is not."""

import dataclasses

import pytest

from builders.groups import CALIBRATION, a_book, a_track_id, looks_of
from builders.namespaces import MODEL, random_chip
from builders.recognition import a_face, at
from edged.domain.face import Face
from edged.domain.group import (
    CrowdedOut,
    GroupChange,
    GroupedTrack,
    GroupElsewhere,
    SameGroup,
    UngroupedTrack,
)
from edged.domain.job import Verdict
from edged.pipeline.group_books import GroupBooks
from edged.pipeline.unknown_people import FACES_A_TRACK, TOLD_EVERY_MS, Grouping, UnknownPeople
from edged.recognition.evidence import Evidence

T1, T2 = a_track_id(1), a_track_id(2)


class Hall:
    """One feed, its namespace's books, and what the keeper is told."""

    def __init__(self, *, keep_chips=True, most_groups=500):
        self.told = []
        self.books = GroupBooks(lambda: a_book(most_groups=most_groups))
        grouping = Grouping(lambda: self.books.of("home"), self.told.append, CALIBRATION, MODEL, keep_chips)
        self.people = UnknownPeople("hall", grouping)
        self.evidence = {}

    def see(self, track_id, person, verdict=Verdict.UNKNOWN, *, times=1, from_ms=0):
        evidence = self.evidence.setdefault(track_id, Evidence())
        for n in range(times):
            face = a_good_face(person, view=from_ms + n)
            evidence.add(face.embedding, face.quality.score)
            self.people.weigh(track_id, face, evidence, verdict, at(from_ms + n * 200))


def a_good_face(person, *, view):
    plain = a_face()
    quality = dataclasses.replace(plain.quality, yaw_deg=5.0 * (view % 7))
    return Face(plain.detection, quality, random_chip(view), looks_of(person, view=view))


@pytest.fixture
def hall():
    return Hall()


def test_a_track_has_no_group_before_it_is_unknown(hall):
    hall.see(T1, 7, Verdict.UNDECIDED, times=4)

    assert hall.people.membership(T1) is None
    assert hall.told == []


def known_elsewhere(hall, person):
    """Another node has known somebody for a while: what it shares of them."""
    mean = looks_of(person, view=99)
    shared = GroupElsewhere("0" * 36, 1000, 2000, 3, ((mean, 4.0),))
    hall.books.apply("home", GroupChange(1, False, (), elsewhere=(shared,)))
    return shared


def test_a_stranger_whom_another_node_knows_is_told_by_its_group(hall):
    shared = known_elsewhere(hall, 7)
    hall.see(T1, 7)

    (news,) = hall.told
    assert (news.membership.group_id, news.membership.seen_before) == (shared.id, shared.visits)


def test_a_group_that_is_another_node_s_by_the_end_of_the_track_is_told_before_the_track(hall):
    hall.see(T1, 7)
    founded = hall.people.membership(T1).group_id
    shared = known_elsewhere(hall, 7)
    hall.see(T1, 7, from_ms=200, times=3)
    hall.told.clear()
    hall.people.ended(T1)

    same, news = hall.told
    assert isinstance(same, SameGroup)
    assert (same.group_id, same.heir) == (founded, shared.id)
    assert (news.membership.group_id, news.membership.first_seen_ms) == (shared.id, 1000)


def test_who_is_never_seen_without_a_mask_has_no_group(hall):
    evidence = Evidence()
    for view in range(6):
        face = a_good_face(7, view=view)
        masked = dataclasses.replace(face, quality=dataclasses.replace(face.quality, occlusion=0.9))
        evidence.add(face.embedding, 0.4)
        hall.people.weigh(T1, masked, evidence, Verdict.UNKNOWN, at(view * 200))

    assert hall.people.membership(T1) is None
    assert hall.told == []


def test_an_unknown_track_is_told_at_once_with_the_faces_from_before(hall):
    hall.see(T1, 7, Verdict.UNDECIDED, times=4)
    hall.see(T1, 7, from_ms=800)

    (news,) = hall.told
    assert isinstance(news, GroupedTrack)
    assert news.membership == hall.people.membership(T1)
    assert (news.track_id, news.feed_id, news.model_hash) == (T1, "hall", MODEL)
    assert 1 < len(news.faces) <= FACES_A_TRACK
    assert all(face.chip is not None for face in news.faces)
    assert news.last_seen_ms - news.first_seen_ms == 800


def test_it_is_told_again_when_it_has_ended_and_not_in_between(hall):
    hall.see(T1, 7, times=10)
    assert len(hall.told) == 1

    hall.people.ended(T1)
    hall.people.ended(T1)

    assert len(hall.told) == 2
    assert hall.told[1].last_seen_ms > hall.told[0].last_seen_ms
    assert hall.told[1].membership == hall.told[0].membership


def test_whoever_stays_is_told_again_now_and_then(hall):
    hall.see(T1, 7, times=3)
    hall.see(T1, 7, from_ms=TOLD_EVERY_MS)
    hall.see(T1, 7, from_ms=TOLD_EVERY_MS + 1000)

    assert [news.last_seen_ms - news.first_seen_ms for news in hall.told] == [0, TOLD_EVERY_MS]


def test_the_next_track_of_the_same_stranger_has_the_same_group(hall):
    hall.see(T1, 7, times=3)
    hall.people.ended(T1)
    hall.see(T2, 7, times=3, from_ms=3_600_000)

    first, again = hall.told[0].membership, hall.people.membership(T2)
    assert (again.group_id, again.seen_before) == (first.group_id, 1)


def test_a_track_that_turns_out_to_be_known_is_withdrawn(hall):
    hall.see(T1, 7, times=3)
    hall.see(T1, 7, Verdict.KNOWN, times=2, from_ms=1000)
    hall.people.ended(T1)

    assert [type(news) for news in hall.told] == [GroupedTrack, UngroupedTrack]
    assert hall.people.membership(T1) is None
    assert len(hall.books.of("home")) == 0


def test_of_known_people_nothing_is_ever_told(hall):
    hall.see(T1, 7, Verdict.KNOWN, times=5)
    hall.people.ended(T1)

    assert hall.told == []


def test_a_group_that_somebody_forgets_does_not_come_back_while_its_track_lasts(hall):
    hall.see(T1, 7, times=3)
    group = hall.people.membership(T1).group_id

    hall.books.apply("home", GroupChange(1, False, (), ((group, None),)))
    hall.see(T1, 7, times=3, from_ms=1000)
    hall.people.ended(T1)

    assert len(hall.told) == 1
    assert len(hall.books.of("home")) == 0
    hall.see(T2, 7, times=3, from_ms=9000)
    assert hall.people.membership(T2) is not None, "the next visit is a new one"


def test_without_chips_only_numbers_are_told():
    hall = Hall(keep_chips=False)
    hall.see(T1, 7, times=2)

    assert all(face.chip is None for face in hall.told[0].faces)


def test_whoever_makes_room_is_told():
    hall = Hall(most_groups=1)
    hall.see(T1, 7)
    group = hall.people.membership(T1).group_id
    hall.see(T2, 8)

    assert CrowdedOut(group) in hall.told
    assert len(hall.books.of("home")) == 1


def test_where_groups_are_off_nothing_is_kept():
    people = UnknownPeople("hall")
    evidence = Evidence()
    face = a_good_face(7, view=1)
    evidence.add(face.embedding, 0.8)

    people.weigh(T1, face, evidence, Verdict.UNKNOWN, at(0))

    assert people.membership(T1) is None
    assert people._followed == {}


def test_a_whole_change_takes_the_place_of_those_that_wait():
    books = GroupBooks(a_book)
    for revision in range(1000):
        books.apply("home", GroupChange(revision, True, ()))

    assert len(books._changes["home"]) == 1
    assert len(books.of("home")) == 0


def test_whoever_is_removed_while_in_view_is_in_no_group_until_they_come_again(hall):
    hall.see(T1, 7, Verdict.KNOWN, times=3)
    told = list(hall.told)
    hall.people.forget([T1])

    hall.see(T1, 7, times=3, from_ms=10)
    hall.people.ended(T1)

    assert hall.people.membership(T1) is None
    assert hall.told == told
    hall.see(T2, 7, times=3, from_ms=20)
    assert isinstance(hall.told[-1], GroupedTrack)
