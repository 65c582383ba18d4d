import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import a_calibration, an_embedding, at_cosine
from edged.inference.calibration import load_calibration
from edged.inference.catalogue import Catalogue
from edged.recognition.calibration import MOST_CONFIDENCE, Calibration, spread_of

rates = st.floats(1e-7, 0.1)
sizes = st.integers(1, 100_000)
evidence = st.floats(1, 32)
similarities = st.floats(0.80, 0.9999)


@pytest.fixture(scope="module", params=["dlib-resnet-v1-dynamic-int8", "dlib-resnet-v1-weight-only-int8"])
def shipped(request) -> Calibration:
    catalogue = Catalogue()
    return load_calibration(catalogue, catalogue.card(request.param))


def test_household_thresholds_are_where_they_were_measured(shipped):
    single = shipped.required_similarity(1e-3, enrolled=20, pictures=1, faces=1)
    fused = shipped.required_similarity(1e-3, enrolled=20, pictures=3, faces=3)

    # Quantiles of strangers on the other half of the people, see docs/recognition.md.
    assert single == pytest.approx(0.939, abs=0.004)
    assert fused == pytest.approx(0.946, abs=0.004)


@given(rates, sizes, evidence, evidence)
def test_a_threshold_is_a_high_cosine(shipped, rate, enrolled, pictures, faces):
    asked = shipped.required_similarity(rate, enrolled=enrolled, pictures=pictures, faces=faces)

    assert 0.87 < asked < 1


@given(rates, sizes, evidence, evidence)
def test_fewer_mistakes_ask_for_more_similarity(shipped, rate, enrolled, pictures, faces):
    asked = shipped.required_similarity(rate, enrolled=enrolled, pictures=pictures, faces=faces)

    assert shipped.required_similarity(rate / 10, enrolled=enrolled, pictures=pictures, faces=faces) >= asked
    assert shipped.required_similarity(rate, enrolled=enrolled * 10, pictures=pictures, faces=faces) >= asked


@given(st.floats(1e-5, 0.02), st.integers(1, 200), evidence, evidence)
def test_the_rate_at_a_threshold_is_the_rate_that_was_asked_for(shipped, rate, enrolled, pictures, faces):
    asked = shipped.required_similarity(rate, enrolled=enrolled, pictures=pictures, faces=faces)

    found = shipped.false_accept_at(asked, enrolled=enrolled, pictures=pictures, faces=faces)

    assert found == pytest.approx(rate, rel=1e-3)


@given(similarities, sizes, evidence, evidence)
def test_more_similarity_is_rarer_and_surer(shipped, similarity, enrolled, pictures, faces):
    more = similarity + (1 - similarity) / 2
    rate, rarer = (
        shipped.false_accept_at(s, enrolled=enrolled, pictures=pictures, faces=faces)
        for s in (similarity, more)
    )
    sure, surer = (
        shipped.confidence(s, enrolled=enrolled, pictures=pictures, faces=faces) for s in (similarity, more)
    )

    assert 0 <= rarer <= rate <= 1
    assert 0 <= sure <= surer <= MOST_CONFIDENCE


def test_a_similarity_of_one_or_more_is_no_accident(shipped):
    for similarity in (1.0, 1.0000001, 1.2):
        assert shipped.false_accept_at(similarity, enrolled=20, pictures=1, faces=1) < 1e-8


class TestEvidence:
    def test_photographs_of_different_days_count_in_full(self):
        assert a_calibration().effective(3, spread=0.05) == 3

    def test_frames_that_are_nearly_the_same_count_as_hardly_more_than_one(self):
        assert 1 < a_calibration().effective(8, spread=0.004) < 2

    def test_one_face_is_one(self):
        assert a_calibration().effective(1, spread=0.0) == 1

    @given(st.integers(1, 32), st.floats(0, 0.2))
    def test_nothing_counts_for_more_than_its_number(self, count, spread):
        assert 1 <= a_calibration().effective(count, spread) <= count

    def test_the_spread_of_one_vector_is_nothing(self):
        assert spread_of(np.stack([an_embedding()])) == 0


class TestCrowd:
    def test_without_a_cohort_nothing_is_crowded(self):
        assert a_calibration().crowding(np.stack([an_embedding()])).tolist() == [0]

    def test_a_face_near_a_prototype_costs_more_than_one_far_from_all(self):
        prototypes = np.stack([an_embedding(), at_cosine(1, 0.1)])
        near, far = a_calibration(prototypes).crowding(np.stack([at_cosine(2, 0.95), at_cosine(3, 0.2)]))

        assert near == pytest.approx(0.3 * (0.95 - 0.5), abs=1e-6)
        assert far == pytest.approx(0.3 * (0.2 - 0.5), abs=1e-6)

    def test_no_shipped_prototype_stands_alone(self, shipped):
        assert len(shipped.prototypes) > 100
        assert np.allclose(np.linalg.norm(shipped.prototypes, axis=1), 1, atol=1e-4)


def test_half_of_the_doubtful_matches_are_right(shipped):
    similarities = np.linspace(0.85, 0.99, 2000)
    doubtful = [s for s in similarities if 0.45 < confidence_of(shipped, s) < 0.55]

    assert doubtful
    assert all(0.90 < s < 0.95 for s in doubtful)


def confidence_of(calibration, similarity):
    found = calibration.confidence(float(similarity), enrolled=20, pictures=1, faces=1)
    assert not math.isnan(found)
    return found
