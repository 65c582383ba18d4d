from hypothesis import given
from hypothesis import strategies as st

from edged.recognition.threshold import FALSE_ACCEPT, confidence, required_similarity

evidence = st.integers(min_value=1, max_value=20)
rates = st.floats(min_value=1e-6, max_value=0.1)


def test_matches_the_measured_household_of_twenty_with_three_pictures_each():
    """The open-set table of the measurements: N 20, K 3, n 3, FPIR 1e-4 at .969."""
    least = required_similarity(1e-4, enrolled=20, pictures=3, faces=3)

    assert abs(least - 0.969) < 0.003


def test_matches_the_measured_single_picture_household():
    """N 20, K 1, n 1: FPIR 1e-2, 1e-3, 1e-4 at .931, .943, .953."""
    for rate, measured in ((1e-2, 0.931), (1e-3, 0.943), (1e-4, 0.953)):
        least = required_similarity(rate, enrolled=20, pictures=1, faces=1)
        assert abs(least - measured) < 0.005


@given(rates, st.integers(1, 100_000), evidence, evidence)
def test_is_a_cosine_whatever_is_asked(rate, enrolled, pictures, faces):
    assert 0.8 < required_similarity(rate, enrolled=enrolled, pictures=pictures, faces=faces) < 1.0


@given(rates, st.integers(1, 10_000), evidence, evidence)
def test_asks_more_when_fewer_mistakes_are_allowed(rate, enrolled, pictures, faces):
    strict = required_similarity(rate / 10, enrolled=enrolled, pictures=pictures, faces=faces)

    assert strict >= required_similarity(rate, enrolled=enrolled, pictures=pictures, faces=faces)


@given(rates, st.integers(1, 10_000), evidence, evidence)
def test_asks_more_in_a_larger_gallery(rate, enrolled, pictures, faces):
    larger = required_similarity(rate, enrolled=enrolled * 10, pictures=pictures, faces=faces)

    assert larger >= required_similarity(rate, enrolled=enrolled, pictures=pictures, faces=faces)


@given(rates, st.integers(1, 1000), st.integers(1, 5), st.integers(1, 5))
def test_asks_more_of_more_evidence_because_fused_faces_are_more_alike(rate, enrolled, pictures, faces):
    more = required_similarity(rate, enrolled=enrolled, pictures=pictures, faces=faces + 1)

    assert more >= required_similarity(rate, enrolled=enrolled, pictures=pictures, faces=faces)


def test_the_levels_of_the_configuration_are_what_their_names_say():
    assert FALSE_ACCEPT == {"1 in 100": 0.01, "1 in 1000": 0.001, "1 in 10000": 0.0001}


@given(st.floats(-1, 1), evidence, evidence)
def test_confidence_is_a_probability_that_is_never_certain(similarity, pictures, faces):
    assert 0 <= confidence(similarity, pictures=pictures, faces=faces) < 1


def test_confidence_is_even_where_right_and_wrong_are_equally_likely():
    assert abs(confidence(0.925, pictures=1, faces=1) - 0.5) < 1e-9


@given(st.floats(0.8, 0.99), evidence, evidence)
def test_confidence_never_falls_when_similarity_rises(similarity, pictures, faces):
    closer = confidence(similarity + 0.01, pictures=pictures, faces=faces)

    assert closer >= confidence(similarity, pictures=pictures, faces=faces)
