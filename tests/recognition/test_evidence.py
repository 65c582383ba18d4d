import pytest

from builders.recognition import an_embedding, at_cosine
from edged.recognition.evidence import Evidence


def fused_from(*faces):
    evidence = Evidence()
    for embedding, quality in faces:
        evidence.add(embedding, quality)
    return evidence


def test_fused_faces_are_a_unit_vector_between_them():
    evidence = fused_from((an_embedding((1, 0.2)), 1.0), (an_embedding((1, -0.2)), 1.0))

    assert float(evidence.fused() @ an_embedding()) == pytest.approx(1.0, abs=1e-6)


def test_a_better_face_counts_for_more():
    evidence = fused_from((an_embedding((1, 0.2)), 0.9), (an_embedding((1, -0.2)), 0.1))

    assert evidence.fused()[1] > 0


def test_one_bad_frame_changes_nothing():
    good = [(an_embedding((1, 0.05)), 0.8)] * 4
    evidence = fused_from(*good, (at_cosine(9, 0.5), 0.8), *good)

    assert evidence.faces == 8
    assert float(evidence.fused() @ good[0][0]) == pytest.approx(1.0, abs=1e-6)


def test_another_person_who_took_the_track_over_makes_the_evidence_begin_anew():
    newcomer = at_cosine(9, 0.5)
    evidence = fused_from(*[(an_embedding(), 0.8)] * 10, *[(newcomer, 0.8)] * 3)

    assert evidence.takeovers == 1
    assert evidence.faces == 3
    assert float(evidence.fused() @ newcomer) == pytest.approx(1.0, abs=1e-6)


def test_strange_faces_that_do_not_follow_one_another_are_no_takeover():
    odd = [(at_cosine(9, 0.5), 0.8)] * 2
    own = [(an_embedding(), 0.8)] * 3

    assert fused_from(*own, *odd, *own, *odd, *own).takeovers == 0
