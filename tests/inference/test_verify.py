import hashlib
import io
import json
import shutil

import numpy as np
import pytest

from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.inference.verify import verify


def saved(array):
    """The bytes of a NumPy file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.fixture
def copied(tmp_path):
    folder = tmp_path / "models"
    shutil.copytree(Catalogue().directory, folder)
    return folder


def edited(folder, name, edit):
    """Change a card the way a model would have to differ from it."""
    path = folder / f"{name}.json"
    card = json.loads(path.read_text())
    edit(card)
    path.write_text(json.dumps(card))


def problems(folder, name):
    verdict = verify(Catalogue(str(folder)), name, find_runtime())
    assert verdict.works == (not verdict.problems)
    return "\n".join(verdict.problems)


@pytest.mark.parametrize("name", Catalogue().names())
def test_every_shipped_model_works_here(name):
    verdict = verify(Catalogue(), name, find_runtime())
    assert verdict.problems == ()
    assert verdict.deviations


def test_a_detector_that_finds_another_place_fails(copied):
    def edit(card):
        card["reference"]["faces"][0]["box"][0] += 20

    edited(copied, "blazeface-full-range", edit)
    assert "box off by " in problems(copied, "blazeface-full-range")


def test_a_detector_that_finds_too_few_faces_fails(copied):
    def edit(card):
        card["reference"]["faces"] *= 2

    edited(copied, "blazeface-full-range", edit)
    assert "1 of 2 faces" in problems(copied, "blazeface-full-range")


def test_landmarks_elsewhere_fail(copied):
    def edit(card):
        card["reference"]["mesh"]["points"]["1"][1] -= 30

    edited(copied, "face-landmarks", edit)
    assert "points off by " in problems(copied, "face-landmarks")


def test_an_embedding_in_another_direction_fails(copied):
    def edit(card):
        card["reference"]["embedding"]["embedding"][0] += 0.3

    edited(copied, "dlib-resnet-v1-dynamic-int8", edit)
    assert "model dlib-resnet-v1-dynamic-int8 gives wrong results" in problems(
        copied, "dlib-resnet-v1-dynamic-int8"
    )


def test_a_model_of_the_same_kind_with_other_weights_fails(copied):
    other = (copied / "blazeface-full-range.tflite").read_bytes()
    (copied / "face-landmarks.tflite").write_bytes(other)

    def edit(card):
        card |= {"bytes": len(other), "sha256": hashlib.sha256(other).hexdigest()}

    edited(copied, "face-landmarks", edit)
    assert "no one output of the model has size" in problems(copied, "face-landmarks")


def test_bytes_that_are_no_model_fail_though_their_hash_is_right(copied):
    garbage = b"TFL3" * 500
    (copied / "face-landmarks.tflite").write_bytes(garbage)

    def edit(card):
        card |= {"bytes": len(garbage), "sha256": hashlib.sha256(garbage).hexdigest()}

    edited(copied, "face-landmarks", edit)
    assert "model face-landmarks: " in problems(copied, "face-landmarks")


def test_a_card_without_reference_results_fails(copied):
    def edit(card):
        del card["reference"]["mesh"]

    edited(copied, "face-landmarks", edit)
    assert "no reference results" in problems(copied, "face-landmarks")


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_without_its_picture_a_model_cannot_be_verified(copied, content):
    picture = copied / "reference" / "astronaut.jpg"
    picture.unlink()
    if content is not None:
        picture.write_bytes(content)
    assert str(picture) in problems(copied, "face-landmarks")


def test_a_model_that_is_not_there_is_told_and_not_raised(copied):
    assert "no model 'nobody'" in problems(copied, "nobody")


COHORT = "dlib-resnet-v1-dynamic-int8.cohort.npy"
EMBEDDER = "dlib-resnet-v1-dynamic-int8"


def test_a_cohort_that_was_altered_is_told_by_its_hash(copied):
    (copied / COHORT).write_bytes((copied / COHORT).read_bytes()[:-1] + b"x")

    assert f"its cohort {COHORT} has the SHA-256" in problems(copied, EMBEDDER)


def test_a_cohort_that_is_gone_is_told_by_its_name(copied):
    (copied / COHORT).unlink()

    assert f"{COHORT}: No such file" in problems(copied, EMBEDDER)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no array", "is no NumPy file"),
        (saved(np.ones((300, 64), np.float16)), "vectors of 64 numbers, and the model makes 128"),
        (saved(np.ones(128, np.float16)), "is no list of prototypes"),
        (saved(np.full((300, 128), np.nan, np.float16)), "is no list of prototypes"),
        (saved(np.ones((2, 128), np.float16)), "is no list of prototypes"),
    ],
)
def test_a_cohort_that_is_something_else_is_told_what_it_is(copied, content, words):
    (copied / COHORT).write_bytes(content)

    def name_it(card):
        card["head"]["calibration"]["cohort"]["sha256"] = hashlib.sha256(content).hexdigest()

    edited(copied, EMBEDDER, name_it)

    assert words in problems(copied, EMBEDDER)


def test_an_embedder_without_a_calibration_works_and_it_is_said(copied):
    edited(copied, EMBEDDER, lambda card: card["head"].pop("calibration"))

    verdict = verify(Catalogue(str(copied)), EMBEDDER, find_runtime())

    assert verdict.works
    assert "not calibrated yet, so nobody is recognised with it" in verdict.deviations
