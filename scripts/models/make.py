"""Makes the models from their packages and says whether they are the ones their cards are about."""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import convert
import packages
from calibration_frames import FramesError, list_sha256
from detectors import calibration_pictures, quantized_detectors
from dlib_dat import read_network
from embedder_graph import EmbedderWeights, folded
from reference import write_references
from rounding import rounded_weights

MODELS = Path(__file__).resolve().parents[2] / "models"

_CONVERTED = {
    "dlib-resnet-v1-dynamic-int8": convert.as_dynamic_int8,
    "dlib-resnet-v1-weight-only-int8": convert.as_weight_only_int8,
}


def embedder_weights() -> EmbedderWeights:
    """The embedder as its author published it, folded."""
    return folded(read_network(packages.content_of(packages.EMBEDDER_WEIGHTS)))


def made_models(weights: EmbedderWeights, pictures: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every model that ships; detectors are quantized by the pictures."""
    for name, member in packages.COPIED.items():
        yield name, packages.content_of(member)
    on_grid = rounded_weights(weights)
    for name, converted in _CONVERTED.items():
        yield name, converted(on_grid)
    yield from quantized_detectors(pictures)


def main() -> int:
    """Make all models; 1 when one differs from its card, which then stands as it was."""
    parser = argparse.ArgumentParser(prog="scripts/models/make", description=__doc__)
    parser.add_argument(
        "--update-cards",
        action="store_true",
        help="write the new sizes, hashes and reference results into the cards, for review in their diff",
    )
    parser.add_argument(
        "--frames",
        type=Path,
        metavar="FOLDER",
        help="pictures to quantize the detectors by, instead of those that everybody can make",
    )
    arguments = parser.parse_args()
    try:
        weights = embedder_weights()
        pictures = calibration_pictures(arguments.frames)
        print(f"{len(pictures)} calibration pictures, SHA-256 of their list {list_sha256(pictures)}")
        others = [name for name, content in made_models(weights, pictures) if not _placed(name, content)]
        if arguments.update_cards:
            _update_cards(others)
            exact = convert.as_float32(weights)
            write_references(MODELS, packages.content_of(packages.PORTRAIT), exact)
            return 0
    except (packages.PackageError, FramesError) as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if others else 0


def _placed(name: str, content: bytes) -> bool:
    """Write a model beside its card; returns whether it is the one the card is about."""
    (MODELS / f"{name}.tflite").write_bytes(content)
    found = hashlib.sha256(content).hexdigest()
    card = json.loads((MODELS / f"{name}.json").read_text())
    is_same = bool(card["sha256"] == found)
    print(f"{name}: {len(content)} bytes, SHA-256 {found}: {'as' if is_same else 'NOT as'} its card says")
    return is_same


def _update_cards(names: list[str]) -> None:
    for name in names:
        path, model = MODELS / f"{name}.json", (MODELS / f"{name}.tflite").read_bytes()
        card = json.loads(path.read_text())
        card |= {"bytes": len(model), "sha256": hashlib.sha256(model).hexdigest()}
        path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
