"""Unknown tracks fall into groups: one a person, the same whatever happens in between."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.groups import (
    CALIBRATION,
    DAY_MS,
    FALSE_MERGE,
    THEN_MS,
    a_book,
    a_track_id,
    an_unknown,
    looks_of,
)
from edged.domain.group import GroupChange, KeptGroup, KeptTrack
from edged.recognition.grouping import KEPT_TRACKS, UnknownTrack

ARRIVALS = st.lists(st.integers(0, 5), min_size=1, max_size=25)
"""Who comes, one track after the other."""


def group_of(book, track):
    membership, _ = book.assign(track)
    return membership.group_id


def kept(track, seen_before=0):
    return KeptTrack(
        track.id, seen_before, track.first_seen_ms, track.last_seen_ms, track.mean, track.effective
    )


def a_kept_group(*tracks, group_id, visits=1):
    return KeptGroup(
        group_id,
        min(t.first_seen_ms for t in tracks),
        max(t.last_seen_ms for t in tracks),
        visits,
        tuple(kept(track) for track in tracks),
    )


def test_the_same_stranger_comes_again_into_the_same_group():
    book = a_book()

    first, _ = book.assign(an_unknown(1, person=7))
    again, _ = book.assign(an_unknown(2, person=7, at_ms=DAY_MS))

    assert again.group_id == first.group_id
    assert (first.seen_before, again.seen_before) == (0, 1)
    assert again.first_seen_ms == first.first_seen_ms == THEN_MS


def test_two_strangers_are_two_groups():
    book = a_book()

    assert group_of(book, an_unknown(1, person=7)) != group_of(book, an_unknown(2, person=8))
    assert len(book) == 2


def test_a_track_that_breaks_does_not_make_a_second_visit():
    book = a_book(new_visit_after_ms=60_000)
    book.assign(an_unknown(1, person=7))

    soon, _ = book.assign(an_unknown(2, person=7, at_ms=5_000))
    later, _ = book.assign(an_unknown(3, person=7, at_ms=5_000 + 1_000 + 60_000))

    assert (soon.seen_before, later.seen_before) == (0, 1)


def test_a_stranger_between_two_groups_joins_the_more_alike():
    book = a_book()
    near, far = group_of(book, an_unknown(1, person=7)), group_of(book, an_unknown(2, person=8))
    between = looks_of(7) + 0.2 * looks_of(8)
    probe = UnknownTrack(a_track_id(3), between / np.linalg.norm(between), 2.0, THEN_MS, THEN_MS)

    assert group_of(book, probe) == near != far


@settings(max_examples=60, deadline=None)
@given(ARRIVALS)
def test_a_rerun_on_what_was_kept_gives_every_track_its_group_and_its_count_again(people):
    book = a_book()
    tracks = [an_unknown(n, person, at_ms=n * DAY_MS) for n, person in enumerate(people)]

    once = [book.assign(track)[0] for track in tracks]

    assert [book.assign(track)[0] for track in tracks] == once
    assert assigned_anew(tracks) == once, "and so does a book that begins anew"


def assigned_anew(tracks):
    book = a_book()
    return [book.assign(track)[0] for track in tracks]


@settings(max_examples=60, deadline=None)
@given(ARRIVALS, st.randoms(use_true_random=False))
def test_people_who_are_far_apart_are_told_apart_in_every_order(people, chance):
    tracks = list(enumerate(people))
    chance.shuffle(tracks)
    book = a_book()

    groups = {number: group_of(book, an_unknown(number, person)) for number, person in tracks}

    for (a, one), (b, other) in itertools.combinations(enumerate(people), 2):
        assert (groups[a] == groups[b]) == (one == other)


@settings(max_examples=40, deadline=None)
@given(ARRIVALS, st.integers(0, 24), st.integers(0, 24))
def test_following_a_track_with_the_same_evidence_changes_nothing(people, which, again):
    tracks = [an_unknown(n, person) for n, person in enumerate(people)]
    plain, followed = a_book(), a_book()
    for number, track in enumerate(tracks):
        plain.assign(track)
        followed.assign(track)
        followed.follow(tracks[min(which, number)])
        followed.assign(tracks[min(again, number)])

    assert [plain.membership(t.id) for t in tracks] == [followed.membership(t.id) for t in tracks]


def test_a_track_that_is_withdrawn_leaves_nothing_behind():
    book = a_book()
    stays = an_unknown(1, person=7)
    book.assign(stays)
    book.assign(an_unknown(2, person=7, at_ms=DAY_MS))
    alone = an_unknown(3, person=8)
    book.assign(alone)

    assert book.withdraw(a_track_id(2))
    assert book.withdraw(alone.id)
    assert not book.withdraw(alone.id)

    assert len(book) == 1
    assert book.membership(alone.id) is None
    again, _ = book.assign(an_unknown(4, person=7, at_ms=2 * DAY_MS))
    assert again.seen_before == 1, "the visit that was none is not counted"


def test_whoever_was_not_seen_for_longest_makes_room():
    book = a_book(most_groups=2)
    first = group_of(book, an_unknown(1, person=1))
    group_of(book, an_unknown(2, person=2))
    group_of(book, an_unknown(3, person=1, at_ms=DAY_MS))

    _, crowded_out = book.assign(an_unknown(4, person=3))

    assert len(book) == 2
    assert book.membership(a_track_id(2)) is None
    assert len(crowded_out) == 1
    assert first not in crowded_out


def test_a_group_remembers_so_many_tracks_and_counts_all():
    book = a_book()
    for number in range(KEPT_TRACKS + 10):
        last, _ = book.assign(an_unknown(number, person=7, at_ms=number * DAY_MS))

    assert last.seen_before == KEPT_TRACKS + 9
    assert last.first_seen_ms == THEN_MS
    assert book.membership(a_track_id(0)) is None
    assert len(book._group_of) == KEPT_TRACKS


class TestChangesOfOthers:
    def test_what_is_on_the_disk_is_known_after_a_start(self):
        book = a_book()
        book.apply(GroupChange(3, False, (a_kept_group(an_unknown(1, person=7), group_id="g"),)))

        again, _ = book.assign(an_unknown(2, person=7, at_ms=DAY_MS))

        assert (again.group_id, again.seen_before) == ("g", 1)

    def test_a_group_that_somebody_forgot_is_gone(self):
        book = a_book()
        group = group_of(book, an_unknown(1, person=7))

        book.apply(GroupChange(1, False, (), ((group, None),)))

        assert len(book) == 0
        assert book.membership(a_track_id(1)) is None

    def test_merged_groups_are_one_and_tracks_not_yet_written_go_along(self):
        book = a_book()
        one, other = an_unknown(1, person=7), an_unknown(2, person=8)
        heir, gone = group_of(book, one), group_of(book, other)
        late = an_unknown(3, person=8, at_ms=DAY_MS)
        book.assign(late)

        # The command saw the first two tracks alone: the third was on its way to the disk.
        book.apply(
            GroupChange(1, False, (a_kept_group(one, other, group_id=heir, visits=2),), ((gone, heir),))
        )

        assert {book.membership(track.id).group_id for track in (one, other, late)} == {heir}

    def test_a_track_that_was_split_off_is_in_its_new_group(self):
        book = a_book()
        tracks = [an_unknown(n, person=7) for n in (1, 2, 3)]
        group, *_ = [group_of(book, track) for track in tracks]

        stays, goes = a_kept_group(*tracks[:1], group_id=group), a_kept_group(tracks[1], group_id="new")
        book.apply(GroupChange(1, False, (stays, goes)))

        assert [book.membership(track.id).group_id for track in tracks] == [group, "new", group]

    def test_a_track_that_was_forgotten_elsewhere_is_taken_out(self):
        book = a_book()
        group = group_of(book, an_unknown(1, person=7))
        book.assign(an_unknown(2, person=7))

        stays = a_kept_group(an_unknown(1, person=7), group_id=group)
        book.apply(GroupChange(2, False, (stays,), (("split off", None),), (a_track_id(2),)))

        assert book.membership(a_track_id(1)).group_id == group
        assert book.membership(a_track_id(2)) is None

    def test_an_exchanged_file_is_all_there_is(self):
        book = a_book()
        book.assign(an_unknown(1, person=7))

        book.apply(GroupChange(0, True, (a_kept_group(an_unknown(2, person=8), group_id="g"),)))

        assert len(book) == 1
        assert book.membership(a_track_id(1)) is None

    def test_a_track_of_another_model_keeps_its_group_and_makes_no_template(self):
        book = a_book()
        known = an_unknown(1, person=7)
        blind = KeptTrack(known.id, 0, known.first_seen_ms, known.last_seen_ms, None, 0.0)
        book.apply(GroupChange(1, False, (KeptGroup("g", THEN_MS, THEN_MS, 1, (blind,)),)))

        assert book.membership(known.id).group_id == "g"
        assert group_of(book, an_unknown(2, person=7)) != "g"

    def test_the_id_of_a_group_that_was_split_away_from_its_founder_is_not_given_twice(self):
        book = a_book()
        founder = an_unknown(1, person=7)
        group = group_of(book, founder)
        book.apply(GroupChange(1, False, (a_kept_group(an_unknown(2, person=8), group_id=group),), ()))
        book.withdraw(founder.id)

        assert group_of(book, founder) != group
        assert len(book) == 2


@pytest.mark.parametrize(("effective", "offset"), [(1.0, 0.0), (3.0, 0.0), (2.0, 0.02)])
def test_similarity_is_asked_for_as_the_calibration_and_the_house_say(effective, offset):
    required = CALIBRATION.required_similarity(FALSE_MERGE, enrolled=1, pictures=1.0, faces=effective)
    required += offset
    base, side = looks_of(1), looks_of(2)
    side = side - (side @ base) * base
    side /= np.linalg.norm(side)

    def joins(cosine):
        book = a_book()
        book.similarity_offset = offset
        mean = np.float32(cosine) * base + np.float32(np.sqrt(1 - cosine**2)) * side
        book.assign(UnknownTrack(a_track_id(1), base, effective, THEN_MS, THEN_MS))
        book.assign(UnknownTrack(a_track_id(2), mean.astype(np.float32), effective, THEN_MS, THEN_MS))
        return len(book) == 1

    assert joins(required + 0.002)
    assert not joins(required - 0.002)
