"""Real .tflite embedders with other inputs than the shipped one's."""

import cv2
import numpy as np
import pytest

from builders.own_models import UNIT_SCALE, add_own
from edged.domain.errors import ModelError
from edged.inference.catalogue import Catalogue
from edged.inference.models import load_embedder
from edged.inference.runtime import find_runtime
from edged.inference.verify import verify
from edged.settings.recognition import Models

HEAD = {"kind": "embedding", "input_px": 112, "size": 32, "template": "arcface112", "input_scale": UNIT_SCALE}


def an_embedder(folder, tiny="embedder", **changes):
    name = add_own(folder, tiny, {**HEAD, **changes}, name=f"{tiny}-{len(list(folder.glob('*.json')))}")
    _, embedder = load_embedder(Models(directory=str(folder), embedder=name, threads=1))
    return embedder


def a_chip(seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), np.uint8)
    return cv2.resize(coarse, (150, 150), interpolation=cv2.INTER_CUBIC)


def weights():
    return np.random.default_rng(3).normal(size=(48, 32)).astype(np.float32)


def by_hand(chip, *, mirror):
    """What the tiny embedder is to give for a chip that is used as it is, resized to 112."""

    def one(picture):
        small = cv2.resize(picture, (112, 112), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        fields = ((small - 127.5) / 127.5).reshape(4, 28, 4, 28, 3).mean(axis=(1, 3))
        vector = fields.reshape(-1) @ weights()
        return vector / np.linalg.norm(vector)

    total = one(chip) + one(chip[:, ::-1]) if mirror else one(chip)
    return total / np.linalg.norm(total)


@pytest.mark.parametrize("mirror", [True, False])
def test_an_embedding_is_what_the_arithmetic_says(tmp_path, mirror):
    chip = a_chip()
    found = an_embedder(tmp_path, template="dlib150", mirror=mirror).embed(chip)
    assert found.shape == (32,)
    assert not found.flags.writeable
    assert found @ by_hand(chip, mirror=mirror) > 0.9999


def test_int8_in_and_out_gives_nearly_the_same(tmp_path):
    whole, quantized = an_embedder(tmp_path), an_embedder(tmp_path, "embedder-int8")
    for seed in range(5):
        assert whole.embed(a_chip(seed)) @ quantized.embed(a_chip(seed)) > 0.99


def test_channels_may_come_first(tmp_path):
    whole, turned = an_embedder(tmp_path), an_embedder(tmp_path, "embedder-channels-first")
    assert turned.embed(a_chip()) == pytest.approx(whole.embed(a_chip()), abs=1e-5)


def test_the_order_of_the_channels_is_the_cards(tmp_path):
    rgb = an_embedder(tmp_path)
    bgr = an_embedder(tmp_path, input_scale={**UNIT_SCALE, "order": "bgr"})
    chip = a_chip()
    assert bgr.embed(chip) == pytest.approx(rgb.embed(np.ascontiguousarray(chip[:, :, ::-1])), abs=1e-5)
    assert bgr.embed(chip) @ rgb.embed(chip) < 0.99


def test_each_channel_may_have_a_mean_and_a_deviation_of_its_own(tmp_path):
    odd = {"mean": [120.0, 110.0, 100.0], "std": [60.0, 50.0, 40.0]}
    same = {"factor": [1 / 60, 1 / 50, 1 / 40], "offset": [-2.0, -2.2, -2.5]}
    chip = a_chip()
    by_mean = an_embedder(tmp_path, input_scale=odd).embed(chip)
    assert by_mean == pytest.approx(an_embedder(tmp_path, input_scale=same).embed(chip), abs=1e-5)
    assert by_mean @ an_embedder(tmp_path).embed(chip) < 0.999


def test_the_templates_are_different_crops(tmp_path):
    chip = a_chip()
    dlib, arcface = an_embedder(tmp_path, template="dlib150"), an_embedder(tmp_path)
    assert dlib.embed(chip) @ arcface.embed(chip) < 0.999


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"input_px": 150}, r"shape \[1, 112, 112, 3\].*150 x 150"),
        ({"size": 128}, "no one output .* size 128"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, changes, words):
    with pytest.raises(ModelError, match=words):
        an_embedder(tmp_path, **changes)


def test_an_embedder_without_reference_results_is_run(tmp_path):
    add_own(tmp_path, "embedder-int8", HEAD)
    verdict = verify(Catalogue(str(tmp_path)), "embedder-int8", find_runtime())
    assert verdict.works
    assert "gives 32 numbers" in verdict.deviations[0]
