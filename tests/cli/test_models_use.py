import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from builders.namespaces import a_new_face, a_store
from builders.own_models import add_own
from edged.cli import models
from edged.domain.errors import EdgedError, ModelError
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.store.embedder_record import read_record
from edged.system.lock import FolderLock, holder

USUAL = Catalogue().embedder_for("auto", find_runtime().name)
OTHER = next(card for card in Catalogue().cards() if card.role == "embedder" and card != USUAL)

CONFIG = """\
data_dir: {data}
feeds: [{{id: door, namespace: home, source: {{type: usb, device: /dev/video0}}}}]
sinks: [{{type: console}}]
models:
  embedder: {embedder}
"""


def run(*arguments):
    parser = argparse.ArgumentParser(prog="edged")
    models.add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["models", *map(str, arguments)])
    return parsed.run(parsed)


@pytest.fixture
def data(tmp_path):
    """A data folder of two people: one with chips, one without."""
    folder = tmp_path / "data"
    with a_store(folder) as store:
        store.add_identity("Ada", [a_new_face(n, model=USUAL.sha256, chip=True) for n in (1, 2)])
        store.add_identity("Bob", [a_new_face(3, model=USUAL.sha256)])
    return folder


def test_everything_is_told_before_anything_is_done(data, capsys):
    assert run("use", OTHER.name, "--data-dir", data, "--dry-run") == 0
    told = capsys.readouterr().out
    assert f"embedder {OTHER.name} ({OTHER.sha256[:12]}), from {USUAL.name}" in told
    assert (
        "namespace home: 3 faces of enrolled people, 0 embedded already, 2 to embed, 1 without a chip" in told
    )
    assert re.search(r"Bob \(.*\): 1 of 1 faces have no chip; is not recognised until enrolled again", told)
    assert "Ada" not in told
    assert read_record(data) is None


def test_going_over_and_back(data, capsys):
    assert run("use", OTHER.name, "--data-dir", data, "--yes") == 0
    captured = capsys.readouterr()
    assert f"{OTHER.name} is in force; 2 faces were embedded anew" in captured.out
    assert "namespace home: 2 of 2 faces" in captured.err

    assert run("use", "--data-dir", data) == 0
    told = capsys.readouterr().out
    assert f"in force: {OTHER.name}" in told
    assert f"before:   {USUAL.name}" in told
    assert f"2 faces embedded by {OTHER.name}" in told
    assert f"3 faces embedded by {USUAL.name}" in told

    assert run("use", "--back", "--data-dir", data, "--yes") == 0
    assert f"{USUAL.name} is in force; 0 faces were embedded anew" in capsys.readouterr().out
    assert read_record(data).chosen.card == USUAL.name


def test_without_a_terminal_and_without_yes_nothing_is_changed(data, monkeypatch):
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        with pytest.raises(EdgedError, match="nobody to ask"):
            run("use", OTHER.name, "--data-dir", data)
    assert read_record(data) is None


def test_choosing_what_is_in_force_asks_nothing(tmp_path, capsys):
    assert run("use", USUAL.name, "--data-dir", tmp_path / "fresh") == 0
    told = capsys.readouterr().out
    assert "nobody is enrolled" in told
    assert read_record(tmp_path / "fresh").chosen.card == USUAL.name


def test_a_configuration_that_names_another_embedder_is_told_with_its_line(data, tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(data=data, embedder=USUAL.name))
    assert run("use", OTHER.name, "--config", config, "--yes") == 0
    told = capsys.readouterr().out
    assert f"{config}, line 5 says `embedder: {USUAL.name}`" in told
    assert "write `embedder: auto` there" in told


def test_a_daemon_that_runs_is_told_to_be_started_anew(data, capsys):
    assert holder(data) is None
    with FolderLock(data):
        assert holder(data) == os.getpid()
        assert run("use", OTHER.name, "--data-dir", data, "--yes") == 0
        assert holder(data) == os.getpid()
    assert f"The daemon that runs (process {os.getpid()})" in capsys.readouterr().out
    assert holder(data) is None


def test_the_number_of_a_process_that_is_gone_is_no_daemon(data):
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    (data / "edged.lock").write_text(f"{gone.pid}\n")
    assert holder(data) is None
    (data / "edged.lock").write_text("no number")
    assert holder(data) is None


def test_a_model_that_is_no_embedder_or_is_not_there_is_refused(data):
    with pytest.raises(ModelError, match="no embedder model"):
        run("use", "face-landmarks", "--data-dir", data, "--yes")
    with pytest.raises(ModelError, match="no model 'nobody'"):
        run("use", "nobody", "--data-dir", data, "--yes")
    with pytest.raises(ModelError, match="no embedder to go back to"):
        run("use", "--back", "--data-dir", data, "--yes")
    with pytest.raises(EdgedError, match="--back"):
        run("use", OTHER.name, "--back", "--data-dir", data)


def test_an_embedder_that_nobody_measured_is_refused_with_the_way_to_measure_it(data, tmp_path):
    own = tmp_path / "own"
    head = {"kind": "embedding", "input_px": 112, "size": 32, "template": "arcface112"}
    add_own(own, "embedder", head)
    with pytest.raises(ModelError, match="no `calibration`") as caught:
        run("use", "embedder", "--directory", own, "--data-dir", data, "--yes")
    assert "edged evaluate" in caught.value.remedy
    assert read_record(data) is None


def test_forgetting_asks_for_a_model_that_is_not_in_force(data, capsys):
    with pytest.raises(ModelError, match="is the embedder in force"):
        run("forget", USUAL.name, "--data-dir", data, "--yes")
    run("use", OTHER.name, "--data-dir", data, "--yes")
    assert run("forget", USUAL.sha256[:12], "--data-dir", data, "--yes") == 0
    told = capsys.readouterr().out
    assert "2 embeddings" in told
    assert "1 were kept" in told
    with pytest.raises(ModelError, match="no embedder to go back to"):
        run("use", "--back", "--data-dir", data, "--yes")


def test_what_is_no_model_cannot_be_forgotten(data):
    with pytest.raises(ModelError, match="neither a card nor the hash") as caught:
        run("forget", "1234567890", "--data-dir", data, "--yes")
    assert USUAL.sha256[:12] in caught.value.remedy


@pytest.mark.parametrize("action", ["use", "forget", "add"])
def test_these_actions_have_help(action, capsys):
    with pytest.raises(SystemExit) as ended:
        run(action, "--help")
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 8
