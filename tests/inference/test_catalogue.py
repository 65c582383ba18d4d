import hashlib
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.domain.errors import ModelError
from edged.inference.card import DetectorHead, EmbedderHead
from edged.inference.catalogue import Catalogue, head_of
from edged.inference.models import load_models
from edged.settings.recognition import Models

PORTRAIT = Path(__file__).with_name("portrait-256.jpg")
ALL = [
    "blazeface-full-range",
    "blazeface-full-range-int8",
    "blazeface-short-range",
    "blazeface-short-range-int8",
    "dlib-resnet-v1-dynamic-int8",
    "dlib-resnet-v1-weight-only-int8",
    "face-landmarks",
]


@pytest.fixture
def copied(tmp_path):
    """A folder with the shipped models, to be spoiled."""
    folder = tmp_path / "models"
    shutil.copytree(Catalogue().directory, folder)
    return folder


def refusal(folder):
    with pytest.raises(ModelError) as caught:
        load_models(Models(directory=str(folder), detector="blazeface-full-range"), 0.5)
    return str(caught.value)


def test_the_shipped_models_each_have_a_card():
    catalogue = Catalogue()
    assert list(catalogue.names()) == ALL
    assert sorted(path.stem for path in catalogue.directory.glob("*.tflite")) == ALL


@pytest.mark.parametrize("name", ALL)
def test_a_card_tells_the_size_and_the_hash_of_its_model(name):
    catalogue = Catalogue()
    card = catalogue.card(name)
    content = catalogue.path_of(card).read_bytes()
    assert (card.bytes, card.sha256) == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("name", ALL)
def test_a_card_tells_where_its_figures_come_from(name):
    card = Catalogue().card(name)
    assert all(figure.data for figure in (*card.thresholds, *card.measured))
    assert card.licence.spdx in {"Apache-2.0", "CC0-1.0"}
    assert re.fullmatch(r"[0-9a-f]{64}", card.origin.sha256)


@pytest.mark.parametrize("role", ["detector", "landmarks", "embedder"])
def test_every_role_has_a_model_for_every_runtime(role):
    for runtime in ("ai-edge-litert", "tflite-runtime"):
        assert [card for card in Catalogue().cards() if card.role == role and runtime in card.runtimes]


def test_the_embedder_is_chosen_by_the_runtime():
    catalogue = Catalogue()
    assert catalogue.embedder_for("auto", "ai-edge-litert").name == "dlib-resnet-v1-dynamic-int8"
    assert catalogue.embedder_for("auto", "tflite-runtime").name == "dlib-resnet-v1-weight-only-int8"


def test_the_detector_is_chosen_by_the_runtime():
    catalogue = Catalogue()
    assert catalogue.detector_for("auto", "ai-edge-litert").name == "blazeface-full-range-int8"
    assert catalogue.detector_for("auto", "tflite-runtime").name == "blazeface-full-range"


def test_a_named_detector_is_taken_on_every_runtime():
    assert Catalogue().detector_for("blazeface-short-range", "tflite-runtime").name == "blazeface-short-range"


def test_a_detector_for_near_faces_is_never_taken_by_itself(copied):
    for name in ("blazeface-full-range", "blazeface-full-range-int8"):
        path = copied / f"{name}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "runtimes": ["another-runtime"]}))
    with pytest.raises(ModelError, match=r"no detector .* is made for ai-edge-litert"):
        Catalogue(str(copied)).detector_for("auto", "ai-edge-litert")


def test_without_a_least_score_in_the_settings_the_detectors_own_counts(copied):
    picture = np.full((480, 640, 3), 120, np.uint8)
    picture[100:350, 200:450] = cv2.resize(cv2.imread(str(PORTRAIT)), (250, 250))
    path = copied / "blazeface-full-range.json"
    card = json.loads(path.read_text())
    chosen = Models(directory=str(copied), detector="blazeface-full-range", threads=1)
    assert len(load_models(chosen, None).detector.detect(picture)) == 1
    card["head"]["least_score"] = 0.99
    path.write_text(json.dumps(card))
    assert load_models(chosen, None).detector.detect(picture) == []
    assert len(load_models(chosen, 0.5).detector.detect(picture)) == 1


def test_a_named_embedder_is_taken_on_every_runtime():
    name = "dlib-resnet-v1-weight-only-int8"
    assert Catalogue().embedder_for(name, "ai-edge-litert").name == name


def test_a_runtime_that_no_embedder_is_made_for_is_an_error():
    with pytest.raises(ModelError, match=r"no embedder .* is made for another-runtime"):
        Catalogue().embedder_for("auto", "another-runtime")


def test_an_embedders_hash_is_that_of_its_file():
    name = "dlib-resnet-v1-weight-only-int8"
    models = load_models(Models(embedder=name), 0.5)
    assert models.embedder.model_hash == Catalogue().card(name).sha256


def test_a_missing_model_is_refused_by_name_and_hash(copied):
    (copied / "face-landmarks.tflite").unlink()
    told = refusal(copied)
    assert "model face-landmarks" in told
    assert "is missing" in told
    assert str(copied / "face-landmarks.tflite") in told
    assert Catalogue().card("face-landmarks").sha256 in told
    assert "scripts/models/make" in told


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda _content: b"", "empty"),
        (lambda content: content[:1000], "truncated (1000 of 676746 bytes)"),
        (lambda content: content + b"\0", "altered (676747 bytes, its card says 676746)"),
        (lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:], "altered"),
    ],
    ids=["empty", "truncated", "longer", "one bit"],
)
def test_an_altered_model_is_refused_by_name_and_hash(copied, spoil, word):
    path = copied / "blazeface-full-range.tflite"
    content = spoil(path.read_bytes())
    path.write_bytes(content)
    told = refusal(copied)
    assert "model blazeface-full-range" in told
    assert f"{path} is {word}" in told
    assert hashlib.sha256(content).hexdigest() in told
    assert Catalogue().card("blazeface-full-range").sha256 in told


def test_a_folder_in_the_place_of_a_model_is_refused(copied):
    (copied / "face-landmarks.tflite").unlink()
    (copied / "face-landmarks.tflite").mkdir()
    assert "Is a directory" in refusal(copied)


def test_a_model_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ModelError, match="no model 'retinaface'") as caught:
        load_models(Models(detector="retinaface"), 0.5)
    assert "blazeface-full-range" in caught.value.remedy


def test_a_model_of_another_role_is_refused_with_those_that_fit():
    with pytest.raises(ModelError, match="face-landmarks is no detector model") as caught:
        load_models(Models(detector="face-landmarks"), 0.5)
    assert "blazeface-short-range" in caught.value.remedy


def test_a_folder_without_cards_is_refused(tmp_path):
    assert str(tmp_path) in refusal(tmp_path)
    assert "nowhere" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"name": "face-landmarks"'])
def test_a_card_that_is_none_is_refused_by_name(copied, content):
    (copied / "face-landmarks.json").write_bytes(content)
    assert "card of model face-landmarks" in refusal(copied)


def test_a_card_with_a_field_that_nobody_knows_is_refused(copied):
    path = copied / "face-landmarks.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "licnce": {}}))
    assert "licnce" in refusal(copied)


def test_a_card_under_another_name_is_refused(copied):
    shutil.copy(copied / "face-landmarks.json", copied / "other.json")
    with pytest.raises(ModelError, match="it is about 'face-landmarks'"):
        Catalogue(str(copied)).card("other")


def test_an_unused_broken_card_does_not_keep_the_others_from_loading(copied):
    (copied / "blazeface-short-range.json").write_text("not a card")
    embedder = "dlib-resnet-v1-dynamic-int8"
    chosen = Models(directory=str(copied), detector="blazeface-full-range", embedder=embedder)
    assert load_models(chosen, 0.5).embedder


def test_a_head_of_another_kind_is_refused():
    card = Catalogue().card("face-landmarks")
    with pytest.raises(ModelError, match="DetectorHead is needed"):
        head_of(card, DetectorHead)
    assert head_of(Catalogue().card("dlib-resnet-v1-dynamic-int8"), EmbedderHead).size == 128
