import numpy as np
import pytest

from builders.evaluation import a_face_set, a_measured_calibration
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.evaluation.decided import LEVELS, Decided, Jury, Probes, decided
from edged.evaluation.draws import Cell, Draws
from edged.evaluation.open_set import open_set
from edged.recognition.decision import Rule, decide
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery
from edged.settings.quantities import FalseAccept
from edged.settings.recognition import Recognition

CELL = Cell(4, 3, 2)


def probes(rows):
    """Rows of person, best, false accept (None where no name is ever said)."""
    person, best, rates = zip(*rows, strict=True)
    accepted = np.array([np.inf if rate is None else rate for rate in rates], float)
    return Probes(
        person=np.array(person, np.int32),
        best=np.array(best, np.int32),
        similarity=np.where(np.isinf(accepted), 0.5, 1 - accepted / 2),
        false_accept=accepted,
        named=accepted[:, None] <= np.array(LEVELS)[None],
        confidence=np.where(np.isinf(accepted), np.nan, np.clip(1 - accepted, 0, 0.999)),
    )


def figures(friends, strangers, people=200):
    found = Decided(Cell(20, 3, 1), 10, probes(friends), probes(strangers), len(friends), len(strangers))
    return open_set(found, people, resamples=30, seed=1)


def test_misses_are_those_whom_a_threshold_that_stops_the_strangers_stops_too():
    strangers = [(person, 0, 10.0 ** -(1 + person % 4)) for person in range(100, 200)]
    friends = [(person, person, rate) for person, rate in enumerate([1e-6, 1e-5, 5e-2, None])]

    found = figures(friends, strangers)

    # The strangers' rates are .1, .01, .001 and .0001, a quarter each: at one in a hundred none may be named.
    assert found.misses[1].miss_rate.value == pytest.approx(0.5)
    assert found.misses[1].false_accept == pytest.approx(1e-4)


def test_another_persons_name_is_a_miss_at_every_threshold_and_counted_as_wrong():
    found = figures([(1, 2, 1e-9), (3, 3, 1e-9)], [(person, 0, None) for person in range(100, 150)])

    assert {miss.miss_rate.value for miss in found.misses} == {0.5}
    assert {level.wrong_name.value for level in found.levels} == {0.5}
    assert {level.missed.value for level in found.levels} == {0.5}


def test_what_is_seen_is_told_in_units_of_what_was_asked():
    strangers = [(100 + number % 100, 0, 1e-3 if number < 4 else None) for number in range(200)]

    level = figures([(1, 1, 1e-9)], strangers).levels[0]

    assert level.asked == 1e-2
    assert level.seen.value == pytest.approx(0.02)
    assert level.ratio.value == pytest.approx(2.0)
    assert level.ratio.low <= 2.0 <= level.ratio.high


def test_no_false_alarm_is_no_proof_that_there_is_none():
    level = figures([(1, 1, 1e-9)], [(person, 0, None) for person in range(100, 200)]).levels[-1]

    assert level.seen.value == 0
    assert level.seen.high > 0.03
    assert level.ratio.high > 300


def test_the_curve_falls_as_more_false_alarms_are_allowed():
    random = np.random.Generator(np.random.PCG64(1))
    friends = [(number % 50, number % 50, 10.0 ** -random.uniform(0.3, 6)) for number in range(300)]
    strangers = [(100 + number % 100, 0, 10.0 ** -random.uniform(0.3, 3)) for number in range(500)]

    curve = figures(friends, strangers).curve

    misses = [point.miss_rate for point in curve]
    assert misses == sorted(misses, reverse=True)
    assert all(point.low <= point.miss_rate <= point.high for point in curve)


def test_confidence_that_is_right_lies_on_the_diagonal():
    # Nine friends in ten probes said with .9, friends and strangers as many.
    friends = [(1, 1, 0.05)] * 90 + [(1, 1, None)] * 10
    strangers = [(150, 1, 0.05)] * 10 + [(150, 1, None)] * 90

    (found,) = figures(friends, strangers).sureness

    assert found.said == pytest.approx(0.95)
    assert found.right.value == pytest.approx(0.9)


def test_probes_are_decided_as_the_daemon_decides_them():
    faces = a_face_set([7] * 6 + [3] * 20)
    calibration, settings = a_measured_calibration(), Recognition()

    found = decided(faces, CELL, Jury(settings, calibration), strangers=60, seed=3)

    draws = Draws(faces, CELL, 3)
    expected = [
        person_is_named(faces, draws.split(number), probe, level, calibration)
        for number in range(found.splits)
        for probe in draws.split(number).strangers
        for level in LEVELS
    ]
    assert found.strangers.named.ravel().tolist() == expected
    own = [
        person_is_named(faces, draws.split(number), probe, LEVELS[0], calibration)
        for number in range(found.splits)
        for probe in draws.split(number).friends
    ]
    assert found.friends.named[:, 0].tolist() == own
    assert any(own)


def person_is_named(faces, split, probe, level, calibration):
    """The daemon's way: one gallery, one track, one decision at the configured level."""
    people = tuple(
        IdentityFaces(Identity(str(person), "x", None, 0, 0), faces.embeddings[list(rows)])
        for person, rows in split.enrolled
    )
    gallery = Gallery.empty(calibration).with_change(GalleryChange(1, people, ()))
    evidence = Evidence()
    for row in probe[1]:
        evidence.add(faces.embeddings[row], float(faces.qualities[row]))
    settings = Recognition(false_accept=FalseAccept(level), min_faces=1, unknown_after=1)
    return decide(evidence, gallery, Rule(settings, calibration)).identity is not None


def test_a_name_said_at_a_strict_level_is_said_at_every_looser_one():
    faces = a_face_set([7] * 6 + [3] * 20, noise=0.3)

    found = decided(faces, CELL, Jury(Recognition(), a_measured_calibration()), strangers=100, seed=3)

    for named in (found.friends.named, found.strangers.named):
        assert (named[:, :-1] | ~named[:, 1:]).all()


def test_the_same_seed_gives_the_same_figures():
    faces = a_face_set([7] * 6 + [3] * 10)
    jury = Jury(Recognition(), a_measured_calibration())

    one, same = (
        open_set(decided(faces, CELL, jury, strangers=50, seed=3), 16, resamples=10, seed=3) for _ in range(2)
    )

    assert one == same
