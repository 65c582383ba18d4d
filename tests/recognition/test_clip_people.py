"""One person in a clip, or several."""

import numpy as np

from builders.recognition import a_quality, an_embedding, at_cosine
from edged.domain.box import Box
from edged.recognition.clip_people import ClipPeople, Seen
from edged.recognition.enrolment import Candidate

CHIP = np.zeros((150, 150, 3), np.uint8)
ADA = an_embedding()
BOB = at_cosine(1, 0.9)


def seen(x: float, embedding=None, *, quality: float = 0.8) -> Seen:
    """A face 50 pixels wide; without an embedding, one that is not good enough."""
    box = Box(x, 100, x + 50, 150)
    candidate = None if embedding is None else Candidate(0, 0.0, a_quality(quality), CHIP, embedding)
    return Seen(box, candidate)


def people_of(*looks: list[Seen], every_s: float = 0.1) -> list[list[tuple[float, float]]]:
    clip = ClipPeople()
    for number, faces in enumerate(looks):
        clip.look(number * every_s, faces)
    return [[(round(s.begin_s, 1), round(s.end_s, 1)) for s in person] for person in clip.people()]


def test_an_empty_clip_shows_nobody():
    assert people_of() == []
    assert people_of([], []) == []


def test_a_moving_face_is_one_person():
    assert people_of(*[[seen(100 + 10 * n, ADA)] for n in range(10)]) == [[(0.0, 0.9)]]


def test_two_faces_at_once_are_two_people_however_alike():
    assert len(people_of(*[[seen(100, ADA), seen(300, ADA)] for _ in range(10)])) == 2


def test_one_after_the_other_they_are_told_apart_by_their_looks():
    looks = [[seen(100, ADA)]] * 10 + [[]] * 20 + [[seen(100, BOB)]] * 10

    assert people_of(*looks) == [[(0.0, 0.9)], [(3.0, 3.9)]]


def test_somebody_who_comes_back_is_the_same_person():
    looks = [[seen(100, ADA)]] * 10 + [[]] * 20 + [[seen(400, ADA)]] * 10

    assert people_of(*looks) == [[(0.0, 0.9), (3.0, 3.9)]]


def test_a_second_of_missed_detections_does_not_part_a_face():
    looks = [[seen(100, ADA)]] * 5 + [[]] * 8 + [[seen(100, ADA)]] * 5

    assert people_of(*looks) == [[(0.0, 1.7)]]


def test_a_brief_false_detection_does_not_count():
    looks = [[seen(100, ADA), *([seen(400, BOB)] if n in (3, 4, 5) else [])] for n in range(40)]

    assert people_of(*looks) == [[(0.0, 3.9)]]


def test_somebody_behind_for_long_counts_though_too_small_to_enrol():
    assert len(people_of(*[[seen(100, ADA), seen(400)] for _ in range(20)])) == 2


def test_a_stretch_without_a_good_face_alone_is_nobody_new():
    looks = [[seen(100)]] * 6 + [[]] * 20 + [[seen(100, ADA)]] * 10

    assert len(people_of(*looks)) == 1


def test_a_very_short_clip_is_judged_by_what_there_is():
    assert people_of([seen(100, ADA)]) == [[(0.0, 0.0)]]


def test_the_best_of_neighbours_are_kept_of_a_long_clip():
    clip = ClipPeople()
    for n in range(2000):
        clip.look(n * 0.1, [seen(100, ADA, quality=0.9 if n % 2 else 0.1)])

    ((stretch,),) = clip.people()

    assert len(stretch.candidates) <= 256
    assert len(stretch.looks) == 2000
    assert all(one.quality.score == 0.9 for one in stretch.candidates[:100])
