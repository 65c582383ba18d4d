from builders.recognition import a_calibration
from builders.sites import a_group, a_house, a_person, looking_like
from edged.cli.calibrate_words import told
from edged.evaluation.site import EnrolledPerson, Site
from edged.evaluation.site_survey import surveyed
from edged.settings.recognition import Recognition


def words_of(site: Site, *, namespace: str = "home", notes: tuple[str, ...] = (), **changed) -> str:
    return told(surveyed(site, Recognition(**changed), a_calibration()), notes, namespace)


def test_the_lines_to_write_are_told_with_what_they_change():
    house = a_house(200, offset=0.012)
    proposed = surveyed(house, Recognition(), a_calibration()).proposal.proposed

    words = words_of(house)

    assert "The strangers are more alike to the enrolled people than the calibration says" in words
    assert proposed > 0
    assert f"\n    recognition:\n      similarity_offset: {proposed:g}\n" in words
    assert "what is said of 0 of 40 enrolled pictures and of " in words
    assert "  +  1 in 10_000" in words


def test_a_house_that_fits_needs_no_change():
    words = words_of(a_house(200))

    assert "resemble the enrolled people as often as the calibration says" in words
    assert "Nothing needs to be changed." in words
    assert "similarity_offset:" not in words


def test_two_people_who_look_alike():
    twin = EnrolledPerson(a_person(2, name="Ben").identity, a_person(1, apart=0.12).embeddings, ("a", "b"))

    words = words_of(Site((a_person(1, name="Ada"), twin, a_person(3)), ()))

    assert "Ada and Ben (1.000): enrol more, varied pictures of both" in words


def test_a_picture_that_may_be_of_somebody_else():
    ada, ben = a_person(1, name="Ada", faces=4), a_person(2, name="Ben")
    rows = [*ada.embeddings, ben.embeddings[0]]
    mixed = EnrolledPerson(ada.identity, ada.embeddings[[0] * 5].copy(), tuple("abcde"))
    for row, embedding in enumerate(rows):
        mixed.embeddings[row] = embedding

    words = words_of(Site((mixed, ben), ()))

    assert "1 of 5 taken for somebody else. 5 are enrolled: add some that look like those missed" in words


def test_groups_are_told_with_the_command_for_their_namespace():
    house = a_house(30)
    sure, maybe = a_group(1000, looking_like(3, 0.99)), a_group(2000, looking_like(4, 0.953))

    words = words_of(Site(house.people, (*house.groups, sure, maybe)), namespace="office")

    assert (
        "group 00001000 looks like person 3 (0.990) and was left out: name it with"
        " `edged groups name 00001000 --into 'person 3' --namespace office`, or forget it"
    ) in words
    assert (
        "group 00002000 looks like person 4 (0.953) and was counted as a stranger:"
        " `edged groups show 00002000 --namespace office` tells whether it is"
    ) in words


def test_long_lists_are_cut():
    people = tuple(a_person(number, apart=0.2, name=f"person {number:02d}") for number in range(25))

    words = words_of(Site(people, ()))

    assert words.count("2 of 2 pictures missed") == 20
    assert "and 5 more; --json has all" in words


def test_pictures_of_one_moment_are_pointed_out():
    words = words_of(Site((a_person(1, occasions=("clip.mp4", "clip.mp4")), a_person(2)), ()))

    assert "2 of them had only pictures of the same moment to be tried against" in words
