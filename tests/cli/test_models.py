import argparse
import json
import shutil

import pytest

from edged.cli import models
from edged.domain.errors import ModelError
from edged.inference.catalogue import Catalogue


def run(*arguments):
    parser = argparse.ArgumentParser(prog="edged")
    models.add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["models", *map(str, arguments)])
    return parsed.run(parsed)


@pytest.fixture
def copied(tmp_path):
    folder = tmp_path / "models"
    shutil.copytree(Catalogue().directory, folder)
    return folder


def test_the_list_names_every_model_with_its_role_and_licence(capsys):
    assert run("list") == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split()[:2] == ["NAME", "ROLE"]
    assert [row.split()[0] for row in rows[1:]] == list(Catalogue().names())
    assert all("Apache-2.0" in row or "CC0-1.0" in row for row in rows[1:])


def test_the_list_as_json_is_the_cards(capsys):
    assert run("list", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [card["sha256"] for card in told] == [card.sha256 for card in Catalogue().cards()]
    assert all(card["thresholds"][0]["data"] for card in told)


def test_models_that_work_end_with_0(capsys):
    assert run("verify") == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith("with ")
    assert [row.split()[:2] for row in rows[1:]] == [[name, "works"] for name in Catalogue().names()]


def test_only_the_named_models_are_verified(capsys):
    assert run("verify", "face-landmarks") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_each_model_that_fails_is_named_and_the_others_are_still_tried(copied, capsys):
    (copied / "face-landmarks.tflite").write_bytes(b"")
    (copied / "blazeface-short-range.json").write_text("not a card")
    assert run("verify", "--directory", copied) == 72
    told = capsys.readouterr().out
    assert "model face-landmarks: " in told
    assert "is empty" in told
    assert "card of model blazeface-short-range" in told
    assert told.count("FAILS") == 2
    assert told.count(" works ") == len(Catalogue().names()) - 2


def test_the_verdicts_as_json(copied, capsys):
    (copied / "face-landmarks.tflite").unlink()
    assert run("verify", "--json", "--directory", copied) == 72
    told = json.loads(capsys.readouterr().out)
    assert told["version"]
    assert {model["name"]: model["works"] for model in told["models"]} == {
        name: name != "face-landmarks" for name in Catalogue().names()
    }
    (failed,) = [model for model in told["models"] if not model["works"]]
    assert "is missing" in failed["problems"][0]


def test_a_name_that_is_no_model_fails(capsys):
    assert run("verify", "retinaface") == 72
    assert "no model 'retinaface'" in capsys.readouterr().out


def test_a_folder_without_models_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="no model's card"):
        run("list", "--directory", tmp_path)


@pytest.mark.parametrize("action", [[], ["list"], ["verify"]])
def test_every_action_has_help(action, capsys):
    with pytest.raises(SystemExit) as ended:
        run(*action, "--help")
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 5
