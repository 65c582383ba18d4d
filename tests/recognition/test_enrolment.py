"""Which faces stand for a person, and when they are not of one."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import a_calibration, a_quality, an_embedding, an_identity, at_cosine
from edged.domain.identity import GalleryChange, IdentityFaces
from edged.recognition.enrolment import (
    Candidate,
    best_and_varied,
    difference,
    least_similarity,
    likeness,
    mean_of,
    not_among,
    odd_files,
    similarity_to,
)

CHIP = np.zeros((150, 150, 3), np.uint8)


def a_candidate(
    *, file: int = 0, at_s: float | None = None, quality: float = 0.8, yaw: float = 0, embedding=None
) -> Candidate:
    looks = dataclasses.replace(a_quality(quality), yaw_deg=yaw)
    return Candidate(file, at_s, looks, CHIP, an_embedding() if embedding is None else embedding)


def a_gallery_of(*embeddings) -> GalleryChange:
    people = [
        IdentityFaces(an_identity(f"Person {n}", number=n), embedding[None])
        for n, embedding in enumerate(embeddings)
    ]
    return GalleryChange(1, tuple(people), ())


def test_the_best_face_comes_first():
    faces = [a_candidate(file=n, quality=quality) for n, quality in enumerate((0.5, 0.9, 0.7))]

    assert [face.quality.score for face in best_and_varied(faces)] == [0.9, 0.7, 0.5]


def test_no_more_than_asked_for_are_chosen():
    faces = [a_candidate(file=n) for n in range(20)]

    assert len(best_and_varied(faces)) == 8
    assert len(best_and_varied(faces, 3)) == 3


def test_a_turned_head_is_worth_more_than_the_next_frame():
    first = a_candidate(at_s=0.0, quality=0.9)
    next_frame = a_candidate(at_s=0.1, quality=0.9)
    turned = a_candidate(at_s=0.2, quality=0.6, yaw=25)

    assert best_and_varied([first, next_frame, turned], 2) == [first, turned]


def test_repetitions_are_left_out_even_where_there_is_room():
    faces = [a_candidate(at_s=0.01 * n) for n in range(50)]

    assert len(best_and_varied(faces)) == 1


def test_a_still_face_is_taken_again_after_some_time():
    faces = [a_candidate(at_s=float(n)) for n in range(10)]

    assert len(best_and_varied(faces)) == 8


def test_a_bad_face_is_not_chosen_for_being_different():
    bad = a_candidate(at_s=9.0, quality=0.05, yaw=40, embedding=at_cosine(5, 0.93))
    good = [a_candidate(at_s=float(n), quality=0.9, yaw=n * 5) for n in range(6)]

    assert bad not in best_and_varied([*good, bad], 4)


def test_nothing_gives_nothing():
    assert best_and_varied([]) == []


@given(
    st.lists(
        st.builds(
            a_candidate,
            file=st.integers(0, 2),
            at_s=st.none() | st.floats(0, 20),
            quality=st.floats(0.01, 1),
            yaw=st.floats(-40, 40),
            embedding=st.builds(at_cosine, st.integers(1, 9), st.floats(0.9, 1)),
        ),
        max_size=15,
    ),
    st.integers(1, 8),
)
def test_what_is_chosen_is_some_of_what_there_was_with_the_best_in_it(faces, most):
    chosen = best_and_varied(faces, most)

    assert len({id(one) for one in chosen}) == len(chosen) <= most
    assert {id(one) for one in chosen} <= {id(one) for one in faces}
    if faces:
        assert chosen[0].quality.score == max(one.quality.score for one in faces)
    for n, one in enumerate(chosen):
        assert all(difference(one, before) >= 0.05 for before in chosen[:n])
        assert all(0 <= difference(one, other) <= 1 for other in faces)
        assert all(difference(one, other) == pytest.approx(difference(other, one)) for other in faces)


class TestOnePerson:
    def test_a_single_file_differs_from_nothing(self):
        assert odd_files([a_candidate(), a_candidate(embedding=at_cosine(1, 0.1))]) == []

    def test_alike_files_are_one_person(self):
        assert odd_files([a_candidate(file=n, embedding=at_cosine(n + 1, 0.98)) for n in range(4)]) == []

    def test_the_file_of_somebody_else_is_told(self):
        faces = [a_candidate(file=n) for n in range(3)] + [a_candidate(file=3, embedding=at_cosine(1, 0.85))]

        (odd,) = odd_files(faces)

        assert (odd.file, odd.is_different) == (3, True)
        assert odd.similarity == pytest.approx(0.85, abs=1e-6)

    def test_a_doubtful_file_is_told_as_such(self):
        faces = [a_candidate(file=0), a_candidate(file=1), a_candidate(file=2, embedding=at_cosine(1, 0.91))]

        (odd,) = odd_files(faces)

        assert not odd.is_different

    def test_of_two_that_differ_the_second_is_told(self):
        faces = [a_candidate(file=4), a_candidate(file=7, embedding=at_cosine(1, 0.5))]

        assert [odd.file for odd in odd_files(faces)] == [7]

    def test_a_long_clip_does_not_outvote_the_pictures(self):
        clip = [a_candidate(file=0, at_s=float(n), embedding=at_cosine(1, 0.8)) for n in range(50)]
        pictures = [a_candidate(file=n) for n in (1, 2, 3)]

        assert next(odd.file for odd in odd_files(clip + pictures)) == 0


class TestLikeness:
    def test_nobody_is_like_anybody_in_an_empty_gallery(self):
        assert likeness(a_gallery_of(), [a_candidate()], a_calibration()) is None

    def test_a_double_is_told_by_name(self):
        match = likeness(
            a_gallery_of(at_cosine(3, 0.5), at_cosine(4, 0.97)), [a_candidate()], a_calibration()
        )

        assert match is not None
        assert match.identity.name == "Person 1"
        assert match.similarity == pytest.approx(0.97, abs=1e-6)

    def test_a_stranger_is_like_nobody(self):
        assert likeness(a_gallery_of(at_cosine(3, 0.93)), [a_candidate()], a_calibration()) is None

    def test_one_may_look_like_oneself(self):
        gallery = a_gallery_of(at_cosine(3, 0.99))

        assert (
            likeness(gallery, [a_candidate()], a_calibration(), besides=gallery.changed[0].identity.id)
            is None
        )


def test_faces_that_are_enrolled_already_are_known_again():
    enrolled = np.stack([an_embedding(), at_cosine(1, 0.97)])
    new = a_candidate(embedding=at_cosine(2, 0.99))

    assert not_among(enrolled, [a_candidate(), new]) == [new]


def test_means_and_similarities_are_of_unit_vectors():
    faces = [a_candidate(embedding=at_cosine(1, 0.9)), a_candidate(embedding=at_cosine(2, 0.9))]

    assert np.linalg.norm(mean_of(faces)) == pytest.approx(1)
    assert least_similarity(faces) == pytest.approx(0.81)
    assert least_similarity(faces[:1]) == 1
    assert similarity_to(np.stack([an_embedding()]), faces[:1]) == pytest.approx(0.9)
