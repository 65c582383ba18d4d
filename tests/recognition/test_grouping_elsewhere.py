"""Groups that other nodes share, as the recogniser's book uses them."""

import numpy as np
import pytest

from builders.groups import THEN_MS, a_book, a_track_id, an_unknown, looks_of
from edged.domain.group import GroupChange, GroupElsewhere, SameGroup
from edged.domain.identifiers import derived_id
from edged.recognition.grouping import founded_id

DAY_MS = 86_400_000


def shared(person: int, *, id: str | None = None, days: float = 0, visits: int = 3) -> GroupElsewhere:  # noqa: A002
    """What another node knows of a person whom it saw so many days ago, or in so many days, for a second."""
    at_ms = THEN_MS + round(days * DAY_MS)
    group_id = id or derived_id("elsewhere", person)
    return GroupElsewhere(group_id, at_ms, at_ms + 1000, visits, ((looks_of(person, view=99), 4.0),))


def knowing(*groups: GroupElsewhere):
    book = a_book()
    book.apply(GroupChange(1, False, (), elsewhere=groups))
    return book


def test_a_stranger_whom_another_node_knows_joins_its_group_as_another_visit():
    book = knowing(shared(1, days=-1), shared(2))
    membership, _ = book.assign(an_unknown(1, person=1))
    assert membership.group_id == derived_id("elsewhere", 1)
    assert (membership.seen_before, membership.first_seen_ms) == (3, THEN_MS - DAY_MS)


def test_a_stranger_whom_nobody_knows_founds_a_group():
    book = knowing(shared(2))
    assert book.assign(an_unknown(1, person=1))[0].group_id == founded_id(a_track_id(1), ())


def test_a_group_of_this_node_s_own_comes_before_one_elsewhere():
    book = a_book()
    own = book.assign(an_unknown(1, person=1))[0].group_id
    book.apply(GroupChange(1, False, (), elsewhere=(shared(1, days=1),)))
    assert book.assign(an_unknown(2, person=1))[0].group_id == own
    assert book.same_elsewhere(a_track_id(2)) is None


def test_what_is_not_shared_any_more_is_nobody():
    book = knowing(shared(1))
    book.apply(GroupChange(2, False, (), elsewhere=()))
    assert book.assign(an_unknown(1, person=1))[0].group_id == founded_id(a_track_id(1), ())


def test_a_change_that_says_nothing_of_others_leaves_what_they_share():
    book = knowing(shared(1))
    book.apply(GroupChange(2, False, ()))
    assert book.assign(an_unknown(1, person=1))[0].group_id == derived_id("elsewhere", 1)


def test_what_other_nodes_saw_makes_the_template_of_a_group_better():
    group_id = derived_id("elsewhere", 1)
    half = looks_of(1, view=5) + looks_of(3)
    half /= np.linalg.norm(half)
    alone, helped = a_book(), knowing(shared(1))
    for book in (alone, helped):
        book.assign(an_unknown(1, person=1))
    assert helped.membership(a_track_id(1)).group_id == group_id
    ((ours,), (theirs,)) = (book._groups.values() for book in (alone, helped))
    assert theirs.template.effective > ours.template.effective


@pytest.mark.parametrize(
    ("days", "heir_id", "is_renamed"),
    [
        (-1, "0" * 36, True),
        (-1, "f" * 36, True),
        (1, "0" * 36, False),
        (0, "0" * 36, True),
        (0, "f" * 36, False),
    ],
)
def test_of_two_groups_of_one_person_the_one_seen_first_stays_then_the_lower_id(days, heir_id, is_renamed):
    book = a_book()
    own = book.assign(an_unknown(1, person=1))[0].group_id
    book.apply(GroupChange(1, False, (), elsewhere=(shared(1, id=heir_id, days=days),)))
    same = book.same_elsewhere(a_track_id(1))
    assert (same is not None) == is_renamed
    assert book.membership(a_track_id(1)).group_id == (heir_id if is_renamed else own)


def test_visits_are_added_up_and_the_same_visit_counts_once():
    for days, seen_before in ((-1, 3), (0, 2)):
        book = a_book()
        own = book.assign(an_unknown(1, person=1))[0].group_id
        heir = shared(1, id="0" * 36, days=days, visits=3)
        book.apply(GroupChange(1, False, (), elsewhere=(heir,)))
        first_ms, last_ms = min(THEN_MS, heir.first_seen_ms), THEN_MS + 1000
        assert book.same_elsewhere(a_track_id(1)) == SameGroup(
            own, heir.id, first_ms, last_ms, seen_before + 1
        )
        assert book.membership(a_track_id(1)).seen_before == seen_before


def test_a_group_that_another_node_shares_of_somebody_else_is_left_alone():
    book = a_book()
    book.assign(an_unknown(1, person=1))
    book.apply(GroupChange(1, False, (), elsewhere=(shared(2, days=-1),)))
    assert book.same_elsewhere(a_track_id(1)) is None


def test_a_track_that_is_like_another_node_s_group_does_not_join_it_to_a_group_that_is_not():
    # A track got into a group that two people are in: the group as a whole is not alike enough.
    book = a_book()
    book.assign(an_unknown(1, person=1))
    group = book._groups[book.membership(a_track_id(1)).group_id]
    book.apply(GroupChange(1, False, (), elsewhere=(shared(1, days=-1),)))
    for number in range(2, 6):
        track = an_unknown(number, person=2)
        group.put(
            type(group.tracks[a_track_id(1)])(track.id, 0, THEN_MS, THEN_MS + 1000, track.mean, 4.0),
            book._calibration,
        )
    assert book.same_elsewhere(a_track_id(1)) is None


def test_a_track_without_a_group_is_nobody_elsewhere():
    assert knowing(shared(1)).same_elsewhere(a_track_id(1)) is None


def test_a_book_without_new_visits_counts_a_founder_once():
    book = a_book(new_visit_after_ms=0)
    track = an_unknown(1, person=1)
    assert book.assign(track)[0].seen_before == 0
