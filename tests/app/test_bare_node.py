"""What a node without models knows of its embedder."""

import pytest

from builders.own_models import UNIT_SCALE, add_own
from edged.app.bare_node import embedder_in_use
from edged.inference.models import load_embedder
from edged.settings.recognition import Models
from edged.settings.root import Settings

HEAD = {"kind": "embedding", "input_px": 112, "size": 32, "template": "arcface112", "input_scale": UNIT_SCALE}


@pytest.mark.parametrize("is_own", [False, True])
def test_the_embedder_in_use_is_known_by_its_card_as_it_is_when_loaded(tmp_path, is_own):
    own = tmp_path / "models"
    models = Models(directory=str(own), embedder=add_own(own, "embedder", HEAD)) if is_own else Models()
    found = embedder_in_use(Settings(feeds=(), sinks=(), models=models), tmp_path)

    card, embedder = load_embedder(models)
    assert (found.model_hash, found.size) == (embedder.model_hash, card.head.size)
    assert found.size == (32 if is_own else 128)
