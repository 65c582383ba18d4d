"""The conversion's own test.

Compares the embedder's variants with what dlib itself computed, makes every model twice, and compares the
bytes with each other and with the cards. Needs TensorFlow, so it is a command and no part of the tests.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import convert
from calibration_frames import FramesError, as_input, list_sha256
from detector_convert import equalised_graph, outputs
from detectors import RECIPES, Recipe, calibration_pictures
from edged.inference.runtime import find_runtime, make_network
from make import MODELS, embedder_weights, made_models
from packages import COPIED, PackageError, content_of

REFERENCE = MODELS.parents[1] / "shared" / "reference" / "embedder-reference.npz"
MOST_DIFFERENCE = 1e-5
"""Of a component of the float32 model's embedding from dlib's; embeddings have lengths of 1.3 to 1.5."""
MOST_OFF = 1e-3
"""Of an equalised detector's output from the published one's; they are pixels and logits."""
LEAST_COSINE = 0.999
"""Of a quantized model's embedding with dlib's."""


def main() -> int:
    """Check everything; returns 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(prog="scripts/models/check", description=__doc__)
    parser.add_argument(
        "reference",
        nargs="?",
        type=Path,
        default=REFERENCE,
        help="`.npz` with `chips` (N x 150 x 150 x 3 uint8 RGB) and dlib's own `embeddings` (N x 128)",
    )
    path = parser.parse_args().reference
    try:
        weights = embedder_weights()
        pictures = calibration_pictures(None)
        first, second = dict(made_models(weights, pictures)), dict(made_models(weights, pictures))
    except (PackageError, FramesError) as error:
        print(error, file=sys.stderr)
        return 1
    passed = [_is_same_every_time(name, first[name], second[name]) for name in first]
    passed += [_are_the_cards_pictures(name, pictures) for name in RECIPES]
    passed += [_is_equalised_exactly(recipe, pictures) for recipe in RECIPES.values()]
    if not path.exists():
        print(f"NOT compared with dlib: {path} is not there")
        return 1
    with np.load(path) as reference:
        chips, originals = reference["chips"], reference["embeddings"]
    exact = _embeddings(convert.as_float32(weights), chips)
    passed.append(_is_exact(exact, originals))
    passed += [
        _is_near(name, _embeddings(content, chips), originals)
        for name, content in first.items()
        if name.startswith("dlib")
    ]
    print("all passed" if all(passed) else "FAILED")
    return 0 if all(passed) else 1


def _is_same_every_time(name: str, first: bytes, second: bytes) -> bool:
    card = json.loads((MODELS / f"{name}.json").read_text())
    hashes = {hashlib.sha256(first).hexdigest(), hashlib.sha256(second).hexdigest(), card["sha256"]}
    print(f"{name}: two runs and the card have {len(hashes)} hash{'es' if len(hashes) > 1 else ''}: {hashes}")
    return len(hashes) == 1


def _are_the_cards_pictures(name: str, pictures: list[Path]) -> bool:
    found = list_sha256(pictures)
    is_same = found in json.loads((MODELS / f"{name}.json").read_text())["origin"]["made_by"]
    print(f"{name}: calibration pictures {found}: {'as' if is_same else 'NOT as'} its card says")
    return is_same


def _is_equalised_exactly(recipe: Recipe, pictures: list[Path]) -> bool:
    """Whether the equalised float graph says what the published model says in the runtime."""
    content = content_of(COPIED[recipe.source])
    inputs = [as_input(path, recipe.side_px) for path in pictures]
    graph, network = (
        equalised_graph(content, inputs),
        make_network(find_runtime(), content, name=recipe.source, threads=1),
    )
    largest = 0.0
    for picture in inputs[::10]:
        np.copyto(network.input(), picture[0])
        network.run()
        for number, found in enumerate(outputs(graph, picture).values()):
            largest = max(largest, float(np.abs(found[0] - network.output(number)).max()))
    print(f"{recipe.source}: equalised, largest difference of an output {largest:.1e}, at most {MOST_OFF}")
    return largest <= MOST_OFF


def _embeddings(model: bytes, chips: np.ndarray) -> np.ndarray:
    network = make_network(find_runtime(), model, name="embedder", threads=1)
    embeddings = []
    for chip in chips:
        np.copyto(network.input(), chip)
        network.run()
        embeddings.append(network.output(0).astype(np.float64))
    return np.array(embeddings)


def _is_exact(found: np.ndarray, originals: np.ndarray) -> bool:
    difference = float(np.abs(found - originals).max())
    print(
        f"float32: largest difference of a component from dlib's {difference:.1e}, at most {MOST_DIFFERENCE}"
    )
    return difference <= MOST_DIFFERENCE


def _is_near(name: str, found: np.ndarray, originals: np.ndarray) -> bool:
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(originals, axis=1)
    cosines = (found * originals).sum(axis=1) / lengths
    least, mean = cosines.min(), cosines.mean()
    print(f"{name}: cosine to dlib's least {least:.5f}, mean {mean:.5f}, at least {LEAST_COSINE}")
    return bool(cosines.min() >= LEAST_COSINE)


if __name__ == "__main__":
    sys.exit(main())
