from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.recognition import at
from edged.domain.face import EMBEDDING_SIZE
from edged.recognition.takeover import STRANGERS_IN_A_ROW, GoodFace, TakeoverWatch

ADA, BOB, CAT = 0, 1, 2
"""Axes that people's faces lean to."""


def a_face(person, number=0, *, spread=0.12, person_share=0.5, quality=0.8):
    """A face of a person: people are .86 alike on average, faces of one about .985."""
    noise = np.random.default_rng([person, number]).normal(size=EMBEDDING_SIZE)
    vector = np.zeros(EMBEDDING_SIZE)
    vector[10] = 1.0
    vector[person] = person_share
    vector += spread * noise / np.linalg.norm(noise)
    return GoodFace((vector / np.linalg.norm(vector)).astype(np.float32), quality, at(number * 200))


def watched(faces, watch=None):
    """The judgements on these faces, up to a takeover."""
    watch = watch or TakeoverWatch()
    judgements = []
    for face in faces:
        judgements.append(watch.see(face))
        if judgements[-1].newcomer:
            break
    return judgements


def of(*people):
    """Faces of these people, one after the other."""
    return [a_face(person, number) for number, person in enumerate(people)]


def test_one_persons_faces_all_fit():
    faces = of(*[ADA] * 20)
    assert [judgement.fitting for judgement in watched(faces)] == [(face,) for face in faces]


def test_faces_like_nobody_enrolled_are_somebody_else_however_alike_the_two_are():
    named = of(*[ADA] * 5)
    strangers = [replace(a_face(ADA, number), is_like_nobody=True) for number in range(5, 8)]

    *first, last = watched([*named, *strangers])

    assert [len(judgement.fitting) for judgement in first] == [1, 1, 1, 1, 1, 0, 0]
    assert last.newcomer == tuple(strangers)


def test_one_face_like_nobody_is_an_odd_view_of_the_same_person():
    faces = of(*[ADA] * 8)
    faces[5] = replace(faces[5], is_like_nobody=True)

    judgements = watched(faces)

    assert not any(judgement.newcomer for judgement in judgements)
    assert judgements[6].dropped == 1


@pytest.mark.parametrize("before", [1, 2, 3, 10])
def test_somebody_else_is_noticed_with_the_third_face(before):
    faces = of(*[ADA] * before, *[BOB] * STRANGERS_IN_A_ROW)
    *first, last = watched(faces)
    assert last.newcomer == tuple(faces[before:])
    assert sum(len(judgement.fitting) for judgement in first) == before, "none of theirs is fused before"


@pytest.mark.parametrize("place", [0, 1, 2, 5, 9])
def test_one_odd_face_is_dropped_wherever_it_comes(place):
    people = [ADA] * 10
    people[place] = BOB
    judgements = watched(of(*people))
    if place == 0:
        # Nobody can know yet who is odd: the three that are alike go on, see `FeedPipeline`.
        assert judgements[-1].newcomer
        return
    assert not any(judgement.newcomer for judgement in judgements)
    assert sum(judgement.dropped for judgement in judgements) == (1 if place < 9 else 0)
    assert sum(len(judgement.fitting) for judgement in judgements) == 9


def test_odd_faces_now_and_then_never_add_up():
    faces = of(*[ADA, ADA, ADA, BOB, BOB] * 8)
    judgements = watched(faces)
    assert not any(judgement.newcomer for judgement in judgements)
    assert sum(len(judgement.fitting) for judgement in judgements) == 24


def test_strange_faces_that_are_not_alike_are_a_hard_view_and_not_lost():
    faces = of(ADA, ADA, ADA, BOB, CAT, 3)
    judgements = watched(faces)
    assert judgements[-1].fitting == tuple(faces[3:])
    assert not judgements[-1].newcomer


def test_a_head_that_turns_slowly_stays_the_same_person():
    faces = [a_face(ADA, n, person_share=0.9 - 0.1 * n, spread=0.02) for n in range(19)]
    assert float(faces[0].embedding @ faces[-1].embedding) < 0.9
    assert all(judgement.fitting for judgement in watched(faces))


def test_a_watch_is_in_doubt_while_a_strange_face_waits():
    watch = TakeoverWatch()
    doubts = []
    for face in of(ADA, ADA, BOB, ADA):
        watch.see(face)
        doubts.append(watch.is_in_doubt)
    assert doubts == [False, False, True, False]


def test_the_newcomers_watch_knows_them():
    faces = of(ADA, ADA, BOB, BOB, BOB, BOB, ADA)
    watch = TakeoverWatch.begun_with(watched(faces[:5])[-1].newcomer)
    assert watch.see(faces[5]).fitting
    assert not watch.see(faces[6]).fitting


story = st.lists(st.sampled_from([ADA, ADA, ADA, BOB, CAT]), min_size=1, max_size=30)


@settings(deadline=None)
@given(story)
def test_every_face_is_fused_set_aside_or_dropped_exactly_once(people):
    watch, waiting = TakeoverWatch(), 0
    for face in of(*people):
        judged = watch.see(face)
        waiting += 1 - len(judged.fitting) - judged.dropped - len(judged.newcomer)
        assert 0 <= waiting < STRANGERS_IN_A_ROW
        assert watch.is_in_doubt == (waiting > 0)
        if judged.newcomer:
            watch, waiting = TakeoverWatch.begun_with(judged.newcomer), 0


@settings(deadline=None)
@given(story)
def test_the_same_faces_give_the_same_judgements(people):
    faces = of(*people)
    assert watched(faces) == watched(faces)
