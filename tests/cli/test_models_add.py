import argparse
import json

import pytest

from builders.own_models import TINY
from edged.cli import models
from edged.domain.errors import EdgedError, InputError, ModelError
from edged.inference.catalogue import Catalogue, shipped_directory


def run(*arguments):
    parser = argparse.ArgumentParser(prog="edged")
    models.add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["models", *map(str, arguments)])
    return parsed.run(parsed)


@pytest.mark.parametrize(
    ("tiny", "role", "head"),
    [
        ("yunet", "detector", {"kind": "yunet", "input_px": 64, "strides": [8, 16, 32]}),
        ("scrfd-int8", "detector", {"kind": "scrfd", "input_px": 64, "per_cell": 2}),
        ("ssd", "detector", {"kind": "ssd", "outputs": ["scores", "boxes", "classes", "count"]}),
        ("embedder", "embedder", {"kind": "embedding", "input_px": 112, "size": 32}),
        ("embedder-channels-first", "embedder", {"input_px": 112, "size": 32}),
    ],
)
def test_a_card_is_guessed_from_the_tensors_and_works(tmp_path, capsys, tiny, role, head):
    assert run("add", TINY / f"{tiny}.tflite", "--directory", tmp_path) == 0
    told = capsys.readouterr().out
    assert "Check or fill in:" in told
    assert f"edged models verify {tiny}" in told
    card = json.loads((tmp_path / f"{tiny}.json").read_text())
    assert card["role"] == role
    assert head.items() <= card["head"].items()
    assert run("verify", tiny, "--directory", tmp_path) == 0
    assert Catalogue(str(tmp_path)).card(tiny).licence.spdx == "unknown"


@pytest.mark.parametrize("name", ["blazeface-full-range", "blazeface-short-range"])
def test_the_shipped_detectors_get_the_heads_that_their_cards_have(tmp_path, name):
    assert run("add", shipped_directory() / f"{name}.tflite", "--directory", tmp_path) == 0
    guessed, shipped = Catalogue(str(tmp_path)).card(name), Catalogue().card(name)
    assert guessed.head.grids == shipped.head.grids
    assert guessed.head.input_scale.factors == pytest.approx(shipped.head.input_scale.factors)


def test_quantized_inputs_are_said(tmp_path, capsys):
    run("add", TINY / "scrfd-int8.tflite", "--directory", tmp_path)
    assert "the input is int8" in capsys.readouterr().out
    card = json.loads((tmp_path / "scrfd-int8.json").read_text())
    assert card["inputs"] == [{"shape": [1, 64, 64, 3], "dtype": "int8", "meaning": ""}]


def test_a_model_may_get_another_name_and_its_card_is_not_replaced_by_chance(tmp_path):
    assert run("add", TINY / "ssd.tflite", "--directory", tmp_path, "--name", "mine") == 0
    assert Catalogue(str(tmp_path)).card("mine").file == "ssd.tflite"
    with pytest.raises(InputError, match="is there already"):
        run("add", TINY / "ssd.tflite", "--directory", tmp_path, "--name", "mine")
    assert run("add", TINY / "ssd.tflite", "--directory", tmp_path, "--name", "mine", "--force") == 0


@pytest.mark.parametrize("name", ["../mine", ".hidden", "a/b"])
def test_a_name_that_is_a_path_is_refused(tmp_path, name):
    with pytest.raises(EdgedError, match="cannot be a model's name"):
        run("add", TINY / "ssd.tflite", "--directory", tmp_path, "--name", name)


def test_what_is_no_model_of_a_supported_head_is_refused(tmp_path):
    (tmp_path / "text.tflite").write_text("no model")
    with pytest.raises(ModelError, match="cannot load it"):
        run("add", tmp_path / "text.tflite")
    with pytest.raises(ModelError, match="No such file"):
        run("add", tmp_path / "none.tflite")
    with pytest.raises(ModelError, match="they fit none of"):
        run("add", shipped_directory() / "face-landmarks.tflite", "--directory", tmp_path)
    assert not (tmp_path / "face-landmarks.json").exists()
