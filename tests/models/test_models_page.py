"""docs/models.md says of every shipped model what its card says."""

import json
from pathlib import Path

import msgspec
import pytest

from edged.inference.card import ModelCard
from edged.inference.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "models.md").read_text("utf-8")


def row_of(name):
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}`")]
    return rows[0] if rows else ""


@pytest.mark.parametrize("card", Catalogue().cards(), ids=lambda card: card.name)
def test_every_shipped_model_has_its_row(card):
    row = row_of(card.name)
    assert card.role in row
    assert f"{card.bytes:,}" in row
    assert card.licence.spdx in row
    assert all(runtime in row for runtime in card.runtimes)
    assert card.origin.package in row


@pytest.mark.parametrize("card", Catalogue().cards(), ids=lambda card: card.name)
def test_every_hash_is_on_the_page(card):
    assert card.sha256 in PAGE
    assert card.origin.sha256 in PAGE


def test_no_row_is_of_a_model_that_does_not_ship():
    named = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")}
    assert {name for name in named if "." not in name} == {*Catalogue().names()}


EXAMPLES = [text.split("```")[0] for text in PAGE.split("```json\n")[1:]]


def test_there_is_an_example_card_of_every_head_that_one_may_have():
    kinds = {json.loads(example)["head"]["kind"] for example in EXAMPLES}
    assert kinds == {"blazeface", "ssd", "yunet", "scrfd", "embedding"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: json.loads(text)["name"])
def test_an_example_card_is_one(example):
    card = msgspec.json.decode(example, type=ModelCard)
    assert card.file == f"{card.name}.tflite"
