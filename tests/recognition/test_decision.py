from builders.recognition import a_gallery, an_embedding, an_identity, at_cosine
from edged.domain.job import Verdict
from edged.recognition.decision import NOT_YET, decide
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery
from edged.settings.recognition import Recognition

ADA, BEN = an_identity("Ada", number=1), an_identity("Ben", number=2)
SETTINGS = Recognition()
PROBE = an_embedding()


def evidence_of(faces, embedding=PROBE):
    evidence = Evidence()
    for _ in range(faces):
        evidence.add(embedding, 0.8)
    return evidence


def gallery_with_ada_at(cosine):
    return a_gallery((ADA, [at_cosine(1, cosine)] * 3), (BEN, [at_cosine(2, 0.8)] * 3))


def test_too_few_good_faces_decide_nothing_however_alike():
    decision = decide(evidence_of(SETTINGS.min_faces - 1), gallery_with_ada_at(1.0), SETTINGS)

    assert decision.verdict is Verdict.UNDECIDED
    assert decision.identity is None


def test_a_face_alike_enough_is_known():
    decision = decide(evidence_of(3), gallery_with_ada_at(0.985), SETTINGS)

    assert (decision.verdict, decision.identity) == (Verdict.KNOWN, ADA)
    assert decision.confidence > 0.99


def test_a_face_not_alike_enough_is_first_undecided_and_then_unknown():
    gallery = gallery_with_ada_at(0.95)

    assert decide(evidence_of(3), gallery, SETTINGS).verdict is Verdict.UNDECIDED
    late = decide(evidence_of(SETTINGS.unknown_after), gallery, SETTINGS)
    assert late.verdict is Verdict.UNKNOWN
    assert late.identity is None


def test_two_people_equally_alike_are_nobody():
    twins = a_gallery((ADA, [at_cosine(1, 0.985)] * 3), (BEN, [at_cosine(2, 0.984)] * 3))

    decision = decide(evidence_of(SETTINGS.unknown_after), twins, SETTINGS)

    assert decision.verdict is Verdict.UNKNOWN
    assert "margin" in decision.reason


def test_with_nobody_enrolled_everybody_becomes_unknown():
    decision = decide(evidence_of(SETTINGS.unknown_after), Gallery.empty(), SETTINGS)

    assert decision.verdict is Verdict.UNKNOWN
    assert decision.similarity is None


def test_a_name_once_given_does_not_flicker_at_the_threshold():
    first = decide(evidence_of(3), gallery_with_ada_at(0.975), SETTINGS)
    assert first.verdict is Verdict.KNOWN

    barely_below = gallery_with_ada_at(0.966)

    assert decide(evidence_of(6), barely_below, SETTINGS, before=first).verdict is Verdict.KNOWN
    assert decide(evidence_of(6), barely_below, SETTINGS, before=NOT_YET).verdict is Verdict.UNKNOWN


def test_a_name_is_taken_back_when_later_faces_speak_against_it():
    first = decide(evidence_of(3), gallery_with_ada_at(0.985), SETTINGS)

    assert (
        decide(evidence_of(6), gallery_with_ada_at(0.93), SETTINGS, before=first).verdict is Verdict.UNKNOWN
    )


def test_a_stricter_owner_has_fewer_names():
    gallery = gallery_with_ada_at(0.962)

    assert decide(evidence_of(5), gallery, Recognition(false_accept="1 in 100")).verdict is Verdict.KNOWN
    assert decide(evidence_of(5), gallery, Recognition(false_accept="1 in 10000")).verdict is Verdict.UNKNOWN
