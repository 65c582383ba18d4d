import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import a_calibration, a_gallery, a_rule, an_embedding, an_identity, at_cosine
from edged.domain.identity import GalleryChange, IdentityFaces
from edged.domain.job import Verdict
from edged.recognition.decision import LINGER, NOT_YET, Reason, decide
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery

ADA, BEN, CLEO = (an_identity(name, number=n) for n, name in enumerate(("Ada", "Ben", "Cleo"), start=1))
RULE = a_rule()
SETTINGS = RULE.settings


def evidence_of(faces):
    """So many faces around the first axis, hardly different from each other."""
    evidence = Evidence()
    for number in range(faces):
        evidence.add(an_embedding((100 + number // 2, 0.01 * (-1) ** number)), 0.8)
    return evidence


def gallery_with_ada_at(cosine):
    return a_gallery((ADA, [at_cosine(1, cosine)] * 3), (BEN, [at_cosine(2, 0.7)] * 3))


def required(faces=3, rule=RULE, enrolled=2):
    evidence = evidence_of(faces)
    effective = rule.calibration.effective(evidence.faces, evidence.spread)
    return rule.calibration.required_similarity(
        float(rule.settings.false_accept), enrolled=enrolled, pictures=1, faces=effective
    )


def test_too_few_good_faces_decide_nothing_however_alike():
    decision = decide(evidence_of(1), gallery_with_ada_at(1.0), RULE)

    assert (decision.verdict, decision.reason) == (Verdict.UNDECIDED, Reason.TOO_FEW_FACES)
    assert decision.identity is None


def test_a_face_alike_enough_is_known():
    decision = decide(evidence_of(3), gallery_with_ada_at(required() + 0.001), RULE)

    assert (decision.verdict, decision.identity, decision.reason) == (Verdict.KNOWN, ADA, Reason.SIMILAR)
    assert decision.required == pytest.approx(required(), abs=1e-3)
    assert decision.false_accept <= SETTINGS.false_accept


def test_strong_evidence_needs_one_face_less():
    early = decide(evidence_of(2), gallery_with_ada_at(0.985), RULE)
    just = decide(evidence_of(2), gallery_with_ada_at(required(2) + 0.001), RULE)

    assert (early.verdict, early.reason) == (Verdict.KNOWN, Reason.STRONG)
    assert (just.verdict, just.reason) == (Verdict.UNDECIDED, Reason.TOO_FEW_FACES)


def test_who_resembles_nobody_is_unknown_without_waiting():
    decision = decide(evidence_of(3), gallery_with_ada_at(0.8), RULE)

    assert (decision.verdict, decision.reason) == (Verdict.UNKNOWN, Reason.NOT_SIMILAR)
    assert decision.identity is None


def test_a_face_somewhat_alike_is_first_undecided_and_then_unknown():
    gallery = gallery_with_ada_at(0.93)

    assert decide(evidence_of(SETTINGS.unknown_after - 1), gallery, RULE).verdict is Verdict.UNDECIDED
    assert decide(evidence_of(SETTINGS.unknown_after), gallery, RULE).verdict is Verdict.UNKNOWN


def test_a_face_nearly_alike_enough_is_given_one_face_more():
    gallery = gallery_with_ada_at(required(5) - 0.001)

    assert decide(evidence_of(SETTINGS.unknown_after), gallery, RULE).verdict is Verdict.UNDECIDED
    assert decide(evidence_of(SETTINGS.unknown_after + 1), gallery, RULE).verdict is Verdict.UNKNOWN


def test_two_people_equally_alike_are_nobody():
    twins = a_gallery((ADA, [at_cosine(1, 0.985)] * 3), (BEN, [at_cosine(2, 0.984)] * 3))

    decision = decide(evidence_of(SETTINGS.unknown_after + 1), twins, RULE)

    assert (decision.verdict, decision.reason) == (Verdict.UNKNOWN, Reason.TWO_FIT)


def test_with_nobody_enrolled_everybody_becomes_unknown():
    decision = decide(evidence_of(SETTINGS.unknown_after), Gallery.empty(), RULE)

    assert (decision.verdict, decision.reason) == (Verdict.UNKNOWN, Reason.NOBODY_ENROLLED)
    assert decision.similarity is None


def test_a_name_once_given_does_not_flicker_at_the_threshold():
    first = decide(evidence_of(3), gallery_with_ada_at(required() + 0.001), RULE)
    barely_below = gallery_with_ada_at(required(7) - LINGER / 2)

    kept = decide(evidence_of(7), barely_below, RULE, before=first)

    assert (kept.verdict, kept.reason) == (Verdict.KNOWN, Reason.KEPT)
    assert decide(evidence_of(7), barely_below, RULE, before=NOT_YET).verdict is Verdict.UNKNOWN


def test_a_name_is_taken_back_when_later_faces_speak_against_it():
    first = decide(evidence_of(3), gallery_with_ada_at(0.985), RULE)

    assert decide(evidence_of(6), gallery_with_ada_at(0.9), RULE, before=first).verdict is Verdict.UNKNOWN


def test_a_correction_says_that_it_is_one_from_then_on():
    first = decide(evidence_of(3), gallery_with_ada_at(0.985), RULE)
    again = decide(evidence_of(4), gallery_with_ada_at(0.985), RULE, before=first)
    corrected = decide(evidence_of(6), gallery_with_ada_at(0.9), RULE, before=again)
    back = decide(evidence_of(7), gallery_with_ada_at(0.985), RULE, before=corrected)

    assert [one.corrected for one in (first, again, corrected, back)] == [False, False, True, True]


def test_a_stricter_owner_has_fewer_names():
    strict, relaxed = a_rule(false_accept=1e-5), a_rule(false_accept=1e-2)
    gallery = gallery_with_ada_at((required(6, strict) + required(6, relaxed)) / 2)

    assert decide(evidence_of(6), gallery, relaxed).verdict is Verdict.KNOWN
    assert decide(evidence_of(6), gallery, strict).verdict is Verdict.UNKNOWN


def test_an_offset_is_added_to_what_is_asked_for():
    moved = a_rule(similarity_offset=0.01)
    gallery = gallery_with_ada_at(required() + 0.005)

    plain, shifted = decide(evidence_of(3), gallery, RULE), decide(evidence_of(3), gallery, moved)

    assert (plain.verdict, shifted.identity) == (Verdict.KNOWN, None)
    assert shifted.required == pytest.approx(plain.required + 0.01, abs=1e-6)
    assert shifted.similarity == plain.similarity


def test_with_an_offset_the_same_likeness_is_worth_less():
    gallery = gallery_with_ada_at(0.985)
    moved = gallery_with_ada_at(0.985 - 0.01)

    with_offset = decide(evidence_of(3), gallery, a_rule(similarity_offset=0.01))
    without = decide(evidence_of(3), moved, RULE)

    assert with_offset.false_accept == pytest.approx(without.false_accept, rel=0.05)
    assert with_offset.confidence == pytest.approx(without.confidence, abs=1e-3)
    assert with_offset.false_accept > 2 * decide(evidence_of(3), gallery, RULE).false_accept


def test_of_a_face_that_many_resemble_more_similarity_is_asked():
    crowd = np.stack([an_embedding()])
    crowded = a_rule(a_calibration(crowd))
    people = ((ADA, [at_cosine(1, 0.96)] * 3), (BEN, [at_cosine(2, 0.7)] * 3))

    plain = decide(evidence_of(3), a_gallery(*people), RULE)
    among_many = decide(evidence_of(3), a_gallery(*people, calibration=crowded.calibration), crowded)

    assert among_many.similarity == pytest.approx(plain.similarity)
    assert among_many.required > plain.required + 0.2


cosines = st.floats(0.85, 0.999)


@given(cosines, cosines, st.integers(3, 8))
def test_a_stranger_in_the_gallery_never_makes_a_different_known_person_without_the_margin(
    ada, stranger, faces
):
    with_ada = a_gallery((ADA, [at_cosine(1, ada)]))
    newcomer = IdentityFaces(CLEO, np.stack([at_cosine(2, stranger)]))
    with_both = with_ada.with_change(GalleryChange(2, (newcomer,), ()))

    before = decide(evidence_of(faces), with_ada, RULE)
    after = decide(evidence_of(faces), with_both, RULE, before)

    if after.verdict is Verdict.KNOWN and after.identity != before.identity:
        assert after.identity == CLEO
        assert after.margin >= SETTINGS.margin


@given(cosines, st.integers(2, 8))
def test_a_face_that_comes_twice_only_ends_the_waiting(cosine, faces):
    gallery = gallery_with_ada_at(cosine)
    once, twice = evidence_of(faces), evidence_of(faces)
    twice.add(an_embedding((100, 0.01)), 0.8)

    one, other = decide(once, gallery, RULE), decide(twice, gallery, RULE)

    if one.verdict is not Verdict.UNDECIDED:
        assert (one.verdict, one.identity, one.confidence) == (
            other.verdict,
            other.identity,
            other.confidence,
        )
    if one.similarity is not None:
        assert (one.similarity, one.required, one.faces) == (other.similarity, other.required, other.faces)


def test_a_still_picture_is_decided_with_the_one_face_that_it_shows():
    still = Evidence()
    for _ in range(3):
        still.add(an_embedding(), 0.8)

    decision = decide(still, gallery_with_ada_at(0.985), RULE)

    assert (decision.verdict, decision.faces) == (Verdict.KNOWN, 1)
