import pytest

from builders.recognition import a_calibration
from builders.sites import a_group, a_house, a_person, looking_like, similarity_at
from edged.evaluation.offset import FEWEST_GROUPS, fitted_offset, groups_needed, tail_limit
from edged.evaluation.site import Site
from edged.evaluation.site_proposal import HIGHEST, LOWEST, Verdict, advice
from edged.evaluation.site_strangers import real_rate, strangers_of

CALIBRATION = a_calibration()


def offset_of(site: Site):
    return fitted_offset(strangers_of(site, CALIBRATION), CALIBRATION)


def advised(site: Site, *, present: float = 0.0, doubtful: frozenset[str] = frozenset()):
    return advice(strangers_of(site, CALIBRATION), doubtful, CALIBRATION, present)


@pytest.mark.parametrize("people", [3, 20, 35])
@pytest.mark.parametrize("share", [0.3, 0.02, 0.0007])
def test_a_strangers_share_is_of_the_gallery_that_there_is(people, share):
    pictures = CALIBRATION.effective(2, 2 * 0.1**2 / (1 + 0.1**2))
    similarity = similarity_at(share, CALIBRATION, people, pictures)
    site = Site(
        tuple(a_person(number) for number in range(people)), (a_group(1, looking_like(1, similarity)),)
    )

    (stranger,) = strangers_of(site, CALIBRATION)

    assert real_rate(stranger.newest, CALIBRATION, 0.0) == pytest.approx(share, rel=0.02)


@pytest.mark.parametrize("truth", [-0.01, 0.0, 0.012, 0.03])
@pytest.mark.parametrize("people", [5, 20])
def test_an_offset_that_is_known_is_found(truth, people):
    found = offset_of(a_house(200, offset=truth, people=people))

    assert found.low <= truth <= found.high
    assert found.value == pytest.approx(truth, abs=0.004)
    assert found.high - found.low < 0.014


def test_the_interval_holds_the_truth_nearly_always():
    found = [offset_of(a_house(40, offset=0.005, seed=seed)) for seed in range(30)]

    assert sum(one.low <= 0.005 <= one.high for one in found) >= 26


def test_many_tracks_of_a_person_count_as_one():
    once = offset_of(a_house(60, offset=0.01))
    five_times = a_house(60, offset=0.01)
    repeated = Site(
        five_times.people,
        tuple(a_group(row, *[one.tracks[0].mean] * 5) for row, one in enumerate(five_times.groups)),
    )

    again = offset_of(repeated)
    assert (again.value, again.low, again.high) == pytest.approx((once.value, once.low, once.high))


def test_few_people_are_seldom_resembled_so_that_it_takes_more_strangers():
    assert groups_needed(20) == groups_needed(500) == FEWEST_GROUPS
    assert groups_needed(1) > groups_needed(3) > groups_needed(5) > FEWEST_GROUPS
    assert 0.09 < tail_limit(3) < 0.1


def test_nobody_recorded_and_too_few_are_told_apart():
    assert advised(a_house(0)).verdict is Verdict.NO_STRANGERS
    assert advised(a_house(FEWEST_GROUPS - 1)).verdict is Verdict.TOO_FEW
    assert advised(a_house(FEWEST_GROUPS, people=3)).verdict is Verdict.TOO_FEW
    assert advised(a_house(FEWEST_GROUPS)).verdict not in (Verdict.NO_STRANGERS, Verdict.TOO_FEW)


def test_a_house_as_it_was_measured_is_left_alone():
    told = advised(a_house(200))

    assert told.verdict is Verdict.FITS
    assert told.value is None


def test_strangers_who_are_more_alike_ask_for_more():
    told = advised(a_house(200, offset=0.015))

    assert told.verdict is Verdict.STRICTER
    assert told.value == round(told.found.value, 3)


def test_less_is_asked_only_as_far_as_nearly_all_resamples_say():
    told = advised(a_house(200, offset=-0.012))

    assert told.verdict is Verdict.LAXER
    assert told.value == round(told.found.high, 3)
    assert -0.012 <= told.value < 0


def test_never_is_anything_proposed_beyond_the_bounds():
    assert advised(a_house(100, offset=-0.055)).value == LOWEST
    assert advised(a_house(100, offset=0.07)).value == HIGHEST


def test_an_offset_that_is_set_already_is_not_proposed_again():
    house = a_house(200, offset=0.015)

    assert advised(house, present=0.015).verdict is Verdict.FITS
    assert advised(house, present=0.03).verdict is Verdict.LAXER


def test_a_house_laxer_than_is_ever_proposed_is_not_made_stricter():
    assert advised(a_house(200, offset=-0.05), present=-0.025).verdict is Verdict.LITTLE


def test_groups_that_may_be_enrolled_people_do_not_make_it_stricter():
    house = a_house(60, people=20)
    # A fifth of the groups: enrolled people who were missed by little.
    missed = tuple(a_group(1000 + row, looking_like(row % 20, 0.945, seed=row)) for row in range(15))
    site = Site(house.people, house.groups + missed)

    blind = advised(site)
    told = advised(site, doubtful=frozenset(group.id for group in missed))

    assert blind.verdict is Verdict.STRICTER
    assert told.verdict is Verdict.DOUBTFUL
    assert told.value is None


def test_one_person_who_was_missed_moves_little():
    house = a_house(60)
    site = Site(house.people, (*house.groups, a_group(1000, looking_like(3, 0.999))))

    assert offset_of(site).value - offset_of(house).value < 0.004


def test_of_a_single_stranger_nothing_is_known():
    found = offset_of(a_house(1))

    assert found.low < -0.05
    assert found.high > 0.05
