import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.recognition import a_calibration
from builders.sites import a_group, a_house, a_person, along, looking_like
from edged.domain.group import KeptGroup, KeptTrack
from edged.evaluation.site import EnrolledPerson, Site
from edged.evaluation.site_proposal import Verdict
from edged.evaluation.site_survey import surveyed
from edged.settings.quantities import FalseAccept
from edged.settings.recognition import Recognition

CALIBRATION = a_calibration()

STRICT_ONLY = 0.17
"""Faces so far from their person's axis: two of them are .944 alike, between `balanced` and `strict`."""


def survey(site: Site, **changed):
    return surveyed(site, Recognition(**changed), CALIBRATION)


def of_people(*people: EnrolledPerson) -> Site:
    return Site(people, ())


def level(report, odds):
    return next(one for one in report.levels if one.level == f"1 in {odds}")


def test_each_picture_is_tried_against_the_persons_others():
    report = survey(of_people(*(a_person(number) for number in range(4))))

    assert (report.people, report.pictures, report.pictures_tried) == (4, 8, 8)
    assert [(one.right.events, one.missed.events, one.wrong.events) for one in report.levels] == [
        (8, 0, 0)
    ] * 4
    assert report.levels[0].right.low == pytest.approx(0.025 ** (1 / 8))
    assert report.not_recognised == ()


def test_who_would_be_missed_is_told_with_what_they_have():
    report = survey(of_people(a_person(1), a_person(2, apart=STRICT_ONLY, name="Ada")))

    assert level(report, "1_000").missed.events == 0
    assert level(report, "10_000").missed.events == 2
    (ada,) = report.not_recognised
    assert (ada.person.name, ada.pictures, ada.tried, ada.missed, ada.wrong) == ("Ada", 2, 2, 2, 0)


def test_at_a_laxer_level_nobody_is_missed():
    site = of_people(a_person(1), a_person(2, apart=STRICT_ONLY))

    report = survey(site, false_accept=FalseAccept(1e-3))

    assert report.not_recognised == ()
    assert [one.is_configured for one in report.levels] == [False, True, False, False]


def test_a_level_of_ones_own_is_told_beside_the_named_ones():
    report = survey(of_people(a_person(1)), false_accept=FalseAccept(1 / 500))

    assert [one.level for one in report.levels if one.is_configured] == ["1 in 500"]
    assert len(report.levels) == 5


def test_the_offset_that_is_set_is_reckoned_with():
    site = of_people(a_person(1), a_person(2, apart=STRICT_ONLY))

    assert level(survey(site, similarity_offset=-0.02), "10_000").missed.events == 0
    assert level(survey(site, similarity_offset=0.02), "1_000").missed.events == 2


def test_a_picture_filed_under_somebody_else_is_told():
    ada, ben = a_person(1, name="Ada"), a_person(2, name="Ben")
    mixed = EnrolledPerson(
        ada.identity, np.vstack([ada.embeddings, ben.embeddings[:1]]), ("a.jpg", "b.jpg", "c.jpg")
    )

    (told,) = survey(of_people(mixed, ben)).not_recognised

    assert (told.person.name, told.tried, told.wrong) == ("Ada", 3, 1)


def test_one_picture_cannot_be_tried():
    report = survey(of_people(a_person(1, faces=1, name="Ada"), a_person(2)))

    assert [person.name for person in report.with_one_picture] == ["Ada"]
    assert report.pictures_tried == 2


def test_the_same_picture_twice_is_one_picture():
    ada = a_person(1)
    twice = EnrolledPerson(ada.identity, ada.embeddings[[0, 0]], ("a.jpg", "b.jpg"))

    report = survey(of_people(twice))

    assert report.pictures_tried == 0
    assert report.levels[0].right is None


def test_a_frame_of_a_clip_is_not_tried_against_that_clip_where_there_are_other_pictures():
    other = a_person(2, apart=STRICT_ONLY, faces=1)
    clip = along(2) - STRICT_ONLY * along(127) + 0.01 * along(126)
    nearly = along(2) - STRICT_ONLY * along(127) - 0.01 * along(126)
    faces = np.stack([other.embeddings[0], clip / np.linalg.norm(clip), nearly / np.linalg.norm(nearly)])
    of_a_clip = EnrolledPerson(other.identity, faces, ("day.jpg", "clip.mp4", "clip.mp4"))
    of_three_days = EnrolledPerson(other.identity, faces, ("day.jpg", "other.jpg", "third.jpg"))

    assert level(survey(of_people(of_a_clip)), "10_000").missed.events == 3
    assert level(survey(of_people(of_three_days)), "10_000").missed.events == 1


def test_pictures_of_one_moment_only_are_counted():
    report = survey(of_people(a_person(1, occasions=("clip.mp4", "clip.mp4")), a_person(2)))

    assert report.pictures_tried == 4
    assert report.pictures_of_one_moment == 2


def test_two_people_who_look_alike_are_told_once():
    ada, ben = a_person(1, name="Ada"), a_person(2, name="Ben")
    twin = EnrolledPerson(ben.identity, a_person(1, apart=0.12).embeddings, ben.occasions)

    (pair,) = survey(of_people(ada, twin, a_person(3))).look_alikes

    assert {pair.one.name, pair.other.name} == {"Ada", "Ben"}
    assert pair.similarity > 0.99


def test_strangers_come_as_often_as_they_should():
    report = survey(a_house(200))

    assert [one.expected for one in report.strangers] == [0.1, 0.01, 0.001]
    assert all(one.seen.low <= one.expected <= one.seen.high for one in report.strangers)
    assert {one.seen.trials for one in report.strangers} == {200}


def test_strangers_who_are_more_alike_are_named_less_often_with_what_is_proposed():
    report = survey(a_house(200, offset=0.02), false_accept=FalseAccept(1e-2))

    assert report.proposal.reason == Verdict.STRICTER
    configured = next(one for one in report.levels if one.is_configured)
    assert configured.strangers_named.events > 5
    assert report.as_proposed.similarity_offset == report.proposal.proposed
    assert report.as_proposed.strangers_named.events <= 4
    assert report.proposal.tracks_changed == (
        configured.strangers_named.events - report.as_proposed.strangers_named.events
    )


def test_a_group_that_is_somebody_enrolled_is_told_and_left_out():
    house = a_house(60)
    ada = a_group(1000, looking_like(3, 0.99))

    report = survey(Site(house.people, (*house.groups, ada)))

    left_out = [one for one in report.like_enrolled if one.is_left_out]
    assert [(one.group_id, one.person.name, one.similarity) for one in left_out] == [
        (ada.id, "person 3", 0.99)
    ]
    assert (report.groups, report.proposal.strangers) == (61, 60)
    assert report.proposal == survey(house).proposal


def test_a_group_that_may_be_somebody_enrolled_is_told_and_counted():
    house = a_house(60)
    maybe = a_group(1000, looking_like(3, 0.953))

    report = survey(Site(house.people, (*house.groups, maybe)))

    (told,) = (one for one in report.like_enrolled if one.group_id == maybe.id)
    assert not told.is_left_out
    assert report.proposal.strangers == 61


def test_a_group_without_a_mean_by_the_model_is_passed_over():
    unseen = KeptGroup("0-0", 0, 1, 1, (KeptTrack("t", 0, 0, 1, None, 0.0),))

    report = survey(Site((a_person(1),), (unseen,)))

    assert (report.groups, report.tracks, report.strangers) == (0, 0, ())
    assert report.proposal.reason == Verdict.NO_STRANGERS


def test_with_one_person_enrolled_there_is_an_answer():
    report = survey(a_house(30, people=1))

    assert report.look_alikes == ()
    assert report.proposal.reason == Verdict.TOO_FEW
    assert report.proposal.strangers_needed > 100


HOUSE = a_house(24, offset=0.012, people=6, tracks=2)


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_anything_was_read_makes_no_difference(chance):
    people = [_shuffled_person(person, chance) for person in HOUSE.people]
    groups = [
        KeptGroup(
            one.id,
            one.first_seen_ms,
            one.last_seen_ms,
            one.visits,
            tuple(chance.sample(one.tracks, len(one.tracks))),
        )
        for one in HOUSE.groups
    ]
    chance.shuffle(people)
    chance.shuffle(groups)

    assert survey(Site(tuple(people), tuple(groups))) == survey(HOUSE)


def _shuffled_person(person, chance):
    rows = chance.sample(range(len(person.embeddings)), len(person.embeddings))
    return EnrolledPerson(
        person.identity, person.embeddings[rows], tuple(person.occasions[row] for row in rows)
    )
