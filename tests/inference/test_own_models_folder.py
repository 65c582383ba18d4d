"""A folder of somebody's own models beside those that came with edged."""

import json
import shutil

import pytest

from builders.own_models import HEADS, add_own
from edged.domain.errors import ModelError
from edged.inference.catalogue import Catalogue
from edged.inference.models import load_models
from edged.settings.recognition import Models


@pytest.fixture
def own(tmp_path):
    add_own(tmp_path, "yunet", HEADS["yunet"])
    return tmp_path


def test_an_own_detector_works_with_the_shipped_landmarks_and_embedder(own):
    models = load_models(Models(directory=str(own), detector="yunet", threads=1), 0.5)
    assert models.embedder.model_hash == load_models(Models(threads=1), 0.5).embedder.model_hash


def test_own_and_shipped_models_are_listed_together(own):
    catalogue = Catalogue(str(own))
    assert set(catalogue.names()) == {"yunet", *Catalogue().names()}
    assert catalogue.is_shipped(catalogue.card("face-landmarks"))
    assert not catalogue.is_shipped(catalogue.card("yunet"))
    assert catalogue.hiding() == Catalogue().hiding() == ()


def test_a_card_hides_the_shipped_one_of_its_name(own):
    add_own(own, "yunet", HEADS["yunet"], name="blazeface-full-range")
    catalogue = Catalogue(str(own))
    assert catalogue.card("blazeface-full-range").head.input_px == 64
    assert catalogue.hiding() == ("blazeface-full-range",)


def test_a_broken_card_of_ones_own_is_not_replaced_by_the_shipped_one_in_silence(own):
    (own / "blazeface-full-range.json").write_text("{}")
    with pytest.raises(ModelError, match=f"card of model blazeface-full-range, {own}"):
        Catalogue(str(own)).card("blazeface-full-range")


def test_an_own_embedder_is_never_taken_by_itself(own):
    head = {"kind": "embedding", "input_px": 112, "size": 32}
    add_own(own, "embedder", head, name="aaa", runtimes=["ai-edge-litert", "tflite-runtime"])
    assert Catalogue(str(own)).embedder_for("auto", "ai-edge-litert").name.startswith("dlib")


def test_a_card_says_the_least_and_that_is_enough(own):
    card = Catalogue(str(own)).card("yunet")
    assert (card.licence.spdx, card.origin, card.bytes, card.runtimes) == ("unknown", None, None, ())


def test_a_model_may_lie_elsewhere(own, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("models") / "weights.tflite"
    shutil.move(own / "yunet.tflite", elsewhere)
    path = own / "yunet.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "file": str(elsewhere)}))
    catalogue = Catalogue(str(own))
    with catalogue.opened(catalogue.card("yunet")) as model:
        assert model.size == elsewhere.stat().st_size


def test_an_own_model_that_was_altered_is_refused_with_its_way_out(own):
    (own / "yunet.tflite").write_bytes(b"TFL3 something else")
    catalogue = Catalogue(str(own))
    with pytest.raises(ModelError, match="is altered") as caught:
        catalogue.opened(catalogue.card("yunet"))
    assert "edged models add" in caught.value.remedy
