import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import an_embedding, at_cosine
from edged.recognition.evidence import MOST_FACES, Evidence


def fused_from(*faces):
    evidence = Evidence()
    for embedding, quality in faces:
        evidence.add(embedding, quality)
    return evidence


def alike(count):
    return [(an_embedding((50 + n, 0.05)), 0.8) for n in range(count)]


def test_fused_faces_are_a_unit_vector_between_them():
    evidence = fused_from((an_embedding((1, 0.2)), 1.0), (an_embedding((1, -0.2)), 1.0))

    assert float(evidence.fused() @ an_embedding()) == pytest.approx(1.0, abs=1e-6)


def test_a_better_face_counts_for_more():
    evidence = fused_from((an_embedding((1, 0.2)), 0.9), (an_embedding((1, -0.2)), 0.1))

    assert evidence.fused()[1] > 0


def test_one_bad_frame_changes_nothing():
    good = alike(6)
    evidence = fused_from(*good[:3], (at_cosine(9, 0.5), 0.8), *good[3:])

    assert (evidence.faces, evidence.odd) == (6, 1)
    assert evidence.fused() == pytest.approx(fused_from(*good).fused())


def test_of_two_faces_that_differ_neither_is_odd():
    evidence = fused_from((an_embedding(), 0.8), (at_cosine(9, 0.5), 0.8))

    assert (evidence.faces, evidence.odd) == (2, 0)


def test_faces_spread_by_their_mean_distance():
    evidence = fused_from((an_embedding(), 0.8), (at_cosine(1, 0.97), 0.8), (at_cosine(2, 0.95), 0.8))
    distances = [1 - 0.97, 1 - 0.95, 1 - 0.97 * 0.95]

    assert evidence.spread == pytest.approx(np.mean(distances), abs=1e-6)
    assert fused_from((an_embedding(), 0.8)).spread == 0


def test_nothing_was_seen_yet():
    assert (Evidence().faces, Evidence().odd, Evidence().spread) == (0, 0, 0.0)


def test_of_very_many_faces_the_best_stay():
    many = [(an_embedding((n, 0.02)), 0.3) for n in range(1, MOST_FACES + 20)]
    evidence = fused_from(*many, (an_embedding((120, 0.02)), 0.9))

    assert evidence.faces == MOST_FACES
    assert evidence.fused()[120] > evidence.fused()[1:120].max()


faces = st.lists(
    st.tuples(st.integers(1, 20), st.floats(0.4, 0.999), st.floats(0.05, 1.0)), min_size=1, max_size=12
).map(lambda drawn: [(at_cosine(axis, cosine), quality) for axis, cosine, quality in drawn])


@given(faces, st.randoms(use_true_random=False))
def test_the_order_of_faces_does_not_matter(drawn, random):
    shuffled = list(drawn)
    random.shuffle(shuffled)

    one, other = fused_from(*drawn), fused_from(*shuffled)

    assert one.fused().tobytes() == other.fused().tobytes()
    assert (one.faces, one.odd, one.spread) == (other.faces, other.odd, other.spread)


@given(faces, st.integers(0, 11))
def test_a_duplicate_face_changes_nothing(drawn, which):
    again = drawn[which % len(drawn)]

    once, twice = fused_from(*drawn), fused_from(*drawn, again)

    assert once.fused().tobytes() == twice.fused().tobytes()
    assert (once.faces, once.odd, once.spread) == (twice.faces, twice.odd, twice.spread)
    assert twice.looks == once.looks + 1
