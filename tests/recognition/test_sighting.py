import dataclasses

from builders.recognition import UNDECIDED, UNKNOWN, an_identity, an_observation, at, known
from edged.domain.group import Membership
from edged.domain.job import JobStatus, Verdict
from edged.recognition.sighting import Limits, SightingBook

ADA = known(an_identity("Ada"))
LIMITS = Limits(close_after_ms=3000, max_age_ms=600_000, max_images=64, min_interval_ms=1000)


def book(**changes):
    values = {name: getattr(LIMITS, name) for name in Limits.__slots__} | changes
    return SightingBook(Limits(**values))


def see(sightings, ms, *observations):
    return sightings.observe(at(ms), 640, 480, observations)


def test_nothing_is_told_before_a_track_has_a_decision():
    sightings = book()

    assert see(sightings, 0, an_observation()) == []
    assert see(sightings, 100, an_observation()) == []


def test_the_first_decision_is_told_at_once_as_in_progress():
    sightings = book()
    see(sightings, 0, an_observation())

    (update,) = see(sightings, 100, an_observation(decision=ADA))

    assert update.status is JobStatus.IN_PROGRESS
    assert update.sequence == 1
    assert update.opened == at(0)
    assert [view.at for view in update.views] == [at(100)]


def test_what_does_not_change_is_not_told_again():
    sightings = book()
    see(sightings, 0, an_observation(decision=ADA))

    assert [see(sightings, ms, an_observation(decision=ADA)) for ms in range(100, 5000, 100)] == [[]] * 49


def test_a_job_is_final_when_no_face_was_seen_for_a_while():
    sightings = book()
    see(sightings, 0, an_observation(decision=ADA))

    assert sightings.tick(at(2999)) == []
    (final,) = sightings.tick(at(3000))

    assert final.status is JobStatus.COMPLETED_SUCCESSFULLY
    assert final.sequence == 2
    assert sightings.tick(at(9000)) == []


def test_the_next_face_opens_the_next_job():
    sightings = book()
    see(sightings, 0, an_observation(decision=ADA))
    sightings.tick(at(3000))

    (update,) = see(sightings, 4000, an_observation("t2", decision=UNKNOWN))

    assert (update.job_number, update.sequence) == (2, 1)


def test_updates_are_at_least_the_interval_apart_and_none_is_forgotten():
    sightings = book()
    see(sightings, 0, an_observation(decision=ADA))

    assert see(sightings, 300, an_observation(decision=ADA), an_observation("t2", decision=UNKNOWN)) == []
    (late,) = sightings.tick(at(1000))

    assert late.sequence == 2
    assert late.decisions["t2"] is UNKNOWN


def test_a_clearly_better_view_is_added_but_not_a_slightly_better_one():
    sightings = book()
    see(sightings, 0, an_observation(decision=ADA, quality=0.5))

    assert see(sightings, 2000, an_observation(decision=ADA, quality=0.6)) == []
    (update,) = see(sightings, 3000, an_observation(decision=ADA, quality=0.7))

    assert len(update.views) == 2


def test_a_corrected_decision_is_told_of_all_the_tracks_views():
    sightings = book()
    see(sightings, 0, an_observation(decision=UNKNOWN))

    (update,) = see(sightings, 1500, an_observation(decision=ADA))

    assert update.decisions["t1"].verdict is Verdict.KNOWN
    assert len(update.views) == 2


def test_every_face_of_the_frame_is_in_the_view():
    sightings = book()

    (update,) = see(
        sightings, 0, an_observation("t1", decision=ADA), an_observation("t2", decision=UNDECIDED)
    )

    assert [o.track_id for o in update.views[0].observations] == ["t1", "t2"]


def test_somebody_who_was_never_decided_is_told_once_with_the_best_view():
    sightings = book()
    for ms, quality in ((0, 0.2), (100, 0.6), (200, 0.4)):
        see(sightings, ms, an_observation(quality=quality))

    (final,) = sightings.tick(at(3200))

    assert final.sequence == 1
    assert [view.at for view in final.views] == [at(100)]
    assert final.decisions["t1"].verdict is Verdict.UNDECIDED


def test_a_job_that_grew_old_is_final_and_the_next_one_goes_on():
    sightings = book(max_age_ms=10_000)
    updates = [u for ms in range(0, 10_100, 100) for u in see(sightings, ms, an_observation(decision=ADA))]

    assert [(u.job_number, u.status) for u in updates] == [
        (1, JobStatus.IN_PROGRESS),
        (1, JobStatus.COMPLETED_SUCCESSFULLY),
        (2, JobStatus.IN_PROGRESS),
    ]


def test_a_job_that_is_full_of_images_is_final():
    sightings = book(max_images=2)
    see(sightings, 0, an_observation("t1", decision=ADA))

    updates = see(sightings, 1500, an_observation("t1", decision=ADA), an_observation("t2", decision=UNKNOWN))

    assert [u.status for u in updates] == [JobStatus.COMPLETED_SUCCESSFULLY]
    assert len(updates[0].views) == 2


def test_closing_tells_the_final_update_even_within_the_interval():
    sightings = book()
    see(sightings, 0, an_observation(decision=ADA))

    (final,) = sightings.close(at(10))

    assert final.status is JobStatus.COMPLETED_SUCCESSFULLY
    assert sightings.close(at(20)) == []


def test_the_clock_of_the_wall_may_jump_without_ending_a_job():
    sightings = book()
    see(sightings, 0, an_observation(decision=ADA))
    jumped = at(100)
    jumped = type(jumped)(jumped.steady_ms, jumped.utc_ms + 86_400_000)

    assert sightings.tick(jumped) == []


def test_the_group_of_an_unknown_track_is_the_one_it_was_last_seen_with():
    sightings = book()
    one, other = Membership("g", 1, 5), Membership("h", 3, 5)
    plain = an_observation("t1", UNKNOWN)
    see(sightings, 0, dataclasses.replace(plain, group=one), an_observation("t2", UNKNOWN))
    see(sightings, 100, dataclasses.replace(plain, group=other))

    (final,) = sightings.close(at(200))

    assert final.groups == {"t1": other}


def test_the_view_that_was_just_kept_is_told_with_its_job():
    sightings = book()
    see(sightings, 0, an_observation())
    assert sightings.kept is None, "nothing is decided"

    see(sightings, 100, an_observation(decision=ADA))

    kept = sightings.kept
    assert kept is not None
    assert (kept.job_number, kept.opened, kept.view.at, kept.view.number) == (1, at(0), at(100), 1)
    see(sightings, 200, an_observation(decision=ADA))
    assert sightings.kept is None


def test_the_view_that_fills_a_job_is_kept_too():
    sightings = book(max_images=1)

    (final,) = see(sightings, 0, an_observation(decision=ADA))

    assert final.status is JobStatus.COMPLETED_SUCCESSFULLY
    assert sightings.kept is not None
    assert sightings.kept.view is final.views[0]


def test_somebody_who_was_erased_is_named_no_more_in_what_is_told_of_the_sighting():
    sightings = book()
    see(sightings, 0, an_observation("t1", ADA), an_observation("t2", UNKNOWN))

    assert sightings.identities() == {ADA.identity_id}
    assert sightings.erase({ADA.identity_id}, {}) == ["t1"]
    (update,) = sightings.tick(at(1000))

    assert update.decisions["t1"].verdict is Verdict.UNKNOWN
    assert update.decisions["t1"].identity is None
    assert update.decisions["t1"].corrected
    assert update.decisions["t2"] is UNKNOWN
    assert sightings.identities() == set()


def test_of_an_erased_person_in_view_what_is_said_by_now_is_told():
    sightings = book()
    see(sightings, 0, an_observation("t1", ADA))
    ben = known(an_identity("Ben", number=2))

    assert sightings.erase({ADA.identity_id}, {"t1": ben}) == [], "somebody is named for it"
    (update,) = sightings.tick(at(1000))

    assert update.decisions["t1"] is ben


def test_nobody_is_erased_where_no_sighting_is_open():
    assert book().erase({ADA.identity_id}, {}) == []
