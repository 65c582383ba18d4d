import argparse
import json

import pytest

from edged.cli import models
from edged.domain.errors import ModelError
from edged.inference.catalogue import Catalogue


def run(*arguments):
    parser = argparse.ArgumentParser(prog="edged")
    models.add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(
        ["models", "bench", "--seconds", "0.05", "--threads", "1", *map(str, arguments)]
    )
    return parsed.run(parsed)


def test_it_shows_every_model_and_proposes_settings_as_yaml(capsys):
    assert run() == 0
    told = capsys.readouterr().out
    shown, _, settings = told.partition("\nmodels:\n")
    assert all(name in shown for name in Catalogue().names())
    assert "CARD SAYS" in shown
    assert [line.split(":")[0] for line in settings.splitlines()[:3]] == [
        "  detector",
        "  embedder",
        "  threads",
    ]
    assert all("  # " in line for line in settings.splitlines()[:3])


def test_as_json_it_tells_the_same(capsys):
    assert run("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {timing["name"] for timing in told["timings"]} == set(Catalogue().names())
    assert {"median_ms", "p95_ms", "cpu_ms", "spread", "memory_bytes", "card_says_ms"} <= set(
        told["timings"][0]
    )
    assert [choice["key"] for choice in told["proposed"]["choices"]] == ["detector", "embedder", "threads"]
    assert told["runtime"].split()[0] in ("ai-edge-litert", "tflite-runtime")


def test_a_model_that_does_not_run_is_named_and_the_end_says_so(tmp_path, capsys):
    (tmp_path / "mine.json").write_text("not a card")
    assert run("--directory", tmp_path) == ModelError.exit_code
    assert "model mine does not run here: card of model mine" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", [["--seconds", "0"], ["--seconds", "nan"], ["--threads", "17"], ["--threads", "x"]]
)
def test_numbers_out_of_range_are_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        run(*wrong)
    assert wrong[0] in capsys.readouterr().err
