import numpy as np
import pytest

from builders.evaluation import a_face_set
from edged.evaluation.draws import Cell, Draws, best_possible, why_impossible

COUNTS = [8, 8, 8, 4, 4, 3, 3, 2, 1, 1]


def test_a_template_and_a_probe_of_one_person_never_share_a_picture():
    faces = a_face_set(COUNTS)
    draws = Draws(faces, Cell(3, 3, 2), seed=1)

    for number in range(30):
        split = draws.split(number)
        templates = dict(split.enrolled)
        for person, rows in split.friends:
            assert not set(rows) & set(templates[person])
            assert {int(faces.person[row]) for row in rows} == {person}


def test_strangers_are_everybody_else_with_enough_pictures():
    split = Draws(a_face_set(COUNTS), Cell(3, 3, 2), seed=1).split(0)

    enrolled = {person for person, _ in split.enrolled}
    assert {person for person, _ in split.strangers} == set(range(8)) - enrolled
    assert all(len(set(rows)) == 2 for _, rows in split.strangers)


def test_people_who_can_be_probed_are_enrolled_first():
    split = Draws(a_face_set(COUNTS), Cell(4, 3, 2), seed=1).split(0)

    assert {0, 1, 2} < {person for person, _ in split.enrolled}
    assert {person for person, _ in split.friends} == {0, 1, 2}


def test_the_same_number_gives_the_same_split_and_another_another():
    faces = a_face_set(COUNTS)
    one, same = (Draws(faces, Cell(2, 2, 1), seed=1) for _ in range(2))

    assert one.split(5) == same.split(5)
    assert len({one.split(number) for number in range(10)}) > 5


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (Cell(6, 5, 1), "6 people with 5 pictures each are to be enrolled, and there are 3"),
        (Cell(1, 9, 1), "there are none"),
        (Cell(2, 8, 1), "nobody has the 9 pictures"),
        (Cell(3, 5, 3), ""),
        (Cell(3, 1, 5), "nobody with 5 pictures is left over as a stranger"),
        (Cell(10, 1, 1), "nobody with one picture is left over"),
    ],
)
def test_what_is_missing_for_a_question_is_said(cell, words):
    why = why_impossible(np.array(COUNTS), cell)

    assert words in why if words else why == ""


def test_without_a_question_the_best_usual_one_is_asked():
    assert best_possible(np.array([9] * 30)) == Cell(20, 5, 3)
    assert best_possible(np.array(COUNTS)) == Cell(5, 3, 1)
    assert best_possible(np.array([1, 1, 1])) is None
