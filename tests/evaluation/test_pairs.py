import itertools

import numpy as np
import pytest

from builders.evaluation import a_face_set
from edged.evaluation.pairs import BINS, bin_of, cosine_of, pair_scores


def brute_force(faces, *, same):
    return sorted(
        (
            float(faces.embeddings[i] @ faces.embeddings[j])
            for i, j in itertools.combinations(range(len(faces)), 2)
            if (faces.person[i] == faces.person[j]) == same
        ),
        reverse=True,
    )


def test_every_pair_is_compared_once():
    faces = a_face_set([3, 1, 4, 2, 1])

    found = pair_scores(faces)

    assert found.genuine.scores == pytest.approx(brute_force(faces, same=True), abs=1e-6)
    assert found.tail.scores == pytest.approx(brute_force(faces, same=False), abs=1e-6)
    assert found.impostors == int(found.histogram.sum()) == len(brute_force(faces, same=False))


def test_blocks_change_nothing():
    faces = a_face_set([2] * 20)
    whole = pair_scores(faces)

    in_blocks = pair_scores(faces, block_pairs=100)

    assert in_blocks.genuine.scores == pytest.approx(whole.genuine.scores, abs=1e-6)
    assert in_blocks.tail.scores == pytest.approx(whole.tail.scores, abs=1e-6)


def test_of_many_pairs_the_most_alike_are_kept_one_by_one_and_all_are_counted():
    faces = a_face_set([2] * 40)

    found = pair_scores(faces, all_kept=30)

    everything = brute_force(faces, same=False)
    assert found.impostors == len(everything) == 3120
    assert 0.02 * 3120 <= len(found.tail) < 300
    assert found.tail.scores == pytest.approx(everything[: len(found.tail)], abs=1e-6)


def test_each_pair_says_whose_faces_it_is_of():
    faces = a_face_set([1, 1, 2])

    found = pair_scores(faces)

    assert {tuple(sorted(two)) for two in found.tail.people.tolist()} == {(0, 1), (0, 2), (1, 2)}
    assert found.genuine.people.tolist() == [[2]]


def test_a_resample_has_as_many_pairs_as_its_people_make():
    found = pair_scores(a_face_set([2, 3, 4]))

    assert found.impostors_resampled(np.ones(3)) == found.impostors == 26
    # The first twice, the second not at all: their copies are one person.
    assert found.impostors_resampled(np.array([2.0, 0.0, 1.0])) == 16


def test_progress_ends_with_everything_done():
    told = []

    pair_scores(a_face_set([2, 2]), told.append)

    assert told[-1] == 1.0


def test_bins_have_the_cosines_they_hold():
    for cosine in (-1.0, -0.3, 0.0, 0.91234, 1.0):
        number = bin_of(cosine)
        assert 0 <= number < BINS
        assert cosine_of(number) <= cosine + 2e-7
        assert cosine - cosine_of(number) < 2.1e-5
