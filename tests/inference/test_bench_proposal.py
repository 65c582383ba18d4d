import dataclasses

import pytest

from edged.inference.bench import Timing
from edged.inference.bench_proposal import Present, proposed
from edged.inference.catalogue import Catalogue

FULL, INT8, NEAR = "blazeface-full-range", "blazeface-full-range-int8", "blazeface-short-range-int8"
DYNAMIC, WEIGHT_ONLY = "dlib-resnet-v1-dynamic-int8", "dlib-resnet-v1-weight-only-int8"
PRESENT = Present(INT8, "face-landmarks", DYNAMIC)
CARDS = {card.name: card for card in Catalogue().cards()}


def timing(name, median_ms, threads=1, spread=0.02):
    return Timing(
        name,
        CARDS[name].role,
        threads,
        runs=100,
        median_ms=median_ms,
        p95_ms=median_ms * 1.2,
        cpu_ms=median_ms * threads,
        spread=spread,
        memory_bytes=1 << 20,
    )


def timings(threads=1, **others):
    usual = {FULL: 3.5, INT8: 2.6, NEAR: 0.8, "face-landmarks": 1.2, DYNAMIC: 1.9, WEIGHT_ONLY: 7.0}
    return [timing(name, ms, threads) for name, ms in {**usual, **others}.items()]


def settings(found):
    return {choice.key: choice.value for choice in found.choices}


def reason(found, key):
    return next(choice.reason for choice in found.choices if choice.key == key)


def test_where_the_present_models_are_the_fastest_they_stay():
    found = proposed(CARDS, timings(), "ai-edge-litert", PRESENT)
    assert settings(found) == {"detector": "auto", "embedder": "auto", "threads": 1}
    assert "2.60 ms" in reason(found, "detector")


def test_a_clearly_faster_detector_that_finds_the_same_is_proposed():
    found = proposed(CARDS, timings(**{INT8: 9.0}), "ai-edge-litert", PRESENT)
    assert settings(found)["detector"] == FULL
    assert "3.50 ms instead of 9.00 ms" in reason(found, "detector")
    assert "near and far" in reason(found, "detector")


def test_a_detector_that_is_hardly_faster_is_not_proposed():
    found = proposed(CARDS, timings(**{INT8: 3.6}), "ai-edge-litert", PRESENT)
    assert settings(found)["detector"] == "auto"
    assert "not clearly faster" in reason(found, "detector")


def test_a_difference_smaller_than_the_noise_decides_nothing():
    taken = [*timings()[1:], timing(FULL, 2.0, spread=0.6)]
    found = proposed(CARDS, taken, "ai-edge-litert", PRESENT)
    assert settings(found)["detector"] == "auto"
    assert any("too busy to tell" in remark and FULL in remark for remark in found.remarks)


def test_a_quiet_machine_is_not_called_busy():
    assert not any(
        "busy" in remark for remark in proposed(CARDS, timings(), "ai-edge-litert", PRESENT).remarks
    )


def test_a_detector_for_near_faces_is_never_proposed_but_told_of():
    found = proposed(CARDS, timings(**{NEAR: 0.1}), "ai-edge-litert", PRESENT)
    assert settings(found)["detector"] == "auto"
    assert any(NEAR in remark and "two metres" in remark for remark in found.remarks)


@pytest.mark.parametrize("name", [INT8, DYNAMIC])
def test_a_model_made_for_another_runtime_is_never_proposed(name):
    present = Present(FULL, "face-landmarks", WEIGHT_ONLY)
    found = proposed(CARDS, timings(**{name: 0.01}), "tflite-runtime", present)
    assert settings(found) == {"detector": "auto", "embedder": "auto", "threads": 1}


def test_an_embedder_is_proposed_with_what_it_costs():
    present = Present(INT8, "face-landmarks", DYNAMIC)
    cards = {**CARDS, WEIGHT_ONLY: CARDS[DYNAMIC]}
    found = proposed(cards, timings(**{WEIGHT_ONLY: 0.5}), "ai-edge-litert", present)
    assert settings(found)["embedder"] == WEIGHT_ONLY
    assert any("the gallery is embedded again" in remark for remark in found.remarks)


def test_a_model_that_may_not_be_proposed_is_passed_over():
    cards = {name: card for name, card in CARDS.items() if name != FULL}
    found = proposed(cards, timings(**{FULL: 0.1}), "ai-edge-litert", PRESENT)
    assert settings(found)["detector"] == "auto"


def test_a_second_thread_is_proposed_where_it_saves_a_fifth():
    halves = [timing(one.name, one.median_ms / 2, threads=2) for one in timings()]
    found = proposed(CARDS, timings() + halves, "ai-edge-litert", PRESENT)
    assert settings(found)["threads"] == 2
    assert reason(found, "threads") == "a frame with one face takes 7.60 ms with 1, 3.80 ms with 2"


def test_a_second_thread_that_hardly_helps_is_left_to_others():
    nearly = [timing(one.name, one.median_ms * 0.9, threads=2) for one in timings()]
    found = proposed(CARDS, timings() + nearly, "ai-edge-litert", PRESENT)
    assert settings(found)["threads"] == 1


def test_what_a_delegate_gives_is_told_and_no_ground_for_a_proposal():
    delegated = dataclasses.replace(timing(FULL, 0.4), delegate="libfast.so")
    found = proposed(CARDS, [*timings(), delegated], "ai-edge-litert", PRESENT)
    assert settings(found) == {"detector": "auto", "embedder": "auto", "threads": 1}
    assert f"{FULL} takes 0.40 ms with libfast.so, and 3.50 ms on the CPU" in found.remarks


def test_where_nothing_ran_nothing_is_changed():
    found = proposed({}, [], "ai-edge-litert", PRESENT)
    assert settings(found) == {"detector": "auto", "embedder": "auto", "threads": 2}
    assert "could not be timed" in reason(found, "detector")
