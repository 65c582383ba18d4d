"""Makes the picture and the results that `edged models verify` expects, and writes them to the cards.

The picture is a square of the portrait of Eileen Collins (NASA, public domain) that scikit-image carries.
Detections and landmarks are what the models say here, on the machine that makes them; the embedding is what
the exact float32 model says, so it does not depend on the quantization that it judges.
"""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detectors import RECIPES
from edged.domain.frame import Pixels
from edged.inference.card import DetectorHead, LandmarksHead, ModelCard
from edged.inference.catalogue import Catalogue, head_of
from edged.inference.detector import FaceDetector
from edged.inference.landmarker import FaceMeshLandmarker
from edged.inference.models import load_network
from edged.inference.runtime import find_runtime, make_network
from edged.vision.alignment import MESH_POINTS

PICTURE = "reference/astronaut.jpg"
SQUARE = (slice(32, 224), slice(128, 320))
"""Rows and columns of the portrait: the face with as much around it."""

CHIP_LEFT_TOP = (23, 26)
"""Of 150 x 150 pixels in the picture that lie much as an aligned chip does."""

POINTS = (1, 10, 61, 152, 234, 291, 454, *MESH_POINTS)
"""Nose tip, forehead, corners of the mouth, chin, cheeks, and what alignment uses."""

TOLERANCES = 0.01, 0.5
QUANTIZED_TOLERANCES = 0.08, 3.0
"""Of score and pixels, of a face 115 pixels wide. A quantized model answers a picture that another version of
OpenCV decoded a little differently with a score that is up to 0.05 higher or lower."""


def write_references(directory: Path, portrait: bytes, exact_embedder: bytes) -> None:
    """Write picture and cards below `directory`."""
    _write_picture(directory / PICTURE, portrait)
    picture = cv2.imread(str(directory / PICTURE))
    catalogue = Catalogue(str(directory))
    for card in catalogue.cards():
        path = directory / f"{card.name}.json"
        content = json.loads(path.read_text())
        content["reference"] = {"picture": PICTURE, **_expected(catalogue, card, picture, exact_embedder)}
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        print(f"{card.name}: reference results written", file=sys.stderr)


def _write_picture(path: Path, portrait: bytes) -> None:
    whole = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), whole[SQUARE], [cv2.IMWRITE_JPEG_QUALITY, 92])


def _expected(
    catalogue: Catalogue, card: ModelCard, picture: Pixels, exact_embedder: bytes
) -> dict[str, Any]:
    if card.role == "detector":
        return {"faces": _faces(catalogue, card, picture)}
    if card.role == "landmarks":
        return {"mesh": _mesh(catalogue, card, picture)}
    return {"embedding": _embedding(picture, exact_embedder)}


def _faces(catalogue: Catalogue, card: ModelCard, picture: Pixels) -> list[dict[str, Any]]:
    network = load_network(catalogue, card, find_runtime(), threads=1)
    score_tolerance, tolerance_px = QUANTIZED_TOLERANCES if card.name in RECIPES else TOLERANCES
    return [
        {
            "score": round(face.score, 4),
            "box": _rounded([face.box.x_min, face.box.y_min, face.box.x_max, face.box.y_max]),
            "keypoints": [_rounded(point) for point in face.keypoints],
            "score_tolerance": score_tolerance,
            "tolerance_px": tolerance_px,
        }
        for face in FaceDetector(network, head_of(card, DetectorHead), min_score=0.5).detect(picture)
    ]


def _mesh(catalogue: Catalogue, card: ModelCard, picture: Pixels) -> dict[str, Any]:
    runtime = find_runtime()
    detector = catalogue.card("blazeface-full-range")
    network = load_network(catalogue, detector, runtime, threads=1)
    face = FaceDetector(network, head_of(detector, DetectorHead), min_score=0.5).detect(picture)[0]
    network = load_network(catalogue, card, runtime, threads=1)
    landmarks = FaceMeshLandmarker(network, head_of(card, LandmarksHead)).locate(picture, face)
    return {
        "box": [face.box.x_min, face.box.y_min, face.box.x_max, face.box.y_max],
        "eyes": face.keypoints[:2].tolist(),
        "presence": round(landmarks.presence, 4),
        "points": {str(number): _rounded(landmarks.points[number]) for number in POINTS},
        "presence_tolerance": 0.01,
        "tolerance_px": 0.5,
    }


def _embedding(picture: Pixels, exact_embedder: bytes) -> dict[str, Any]:
    network = make_network(find_runtime(), exact_embedder, name="exact embedder", threads=1)
    left, top = CHIP_LEFT_TOP
    chip = picture[top : top + 150, left : left + 150, ::-1]
    np.copyto(network.input(), chip)
    network.run()
    return {
        "left_top": CHIP_LEFT_TOP,
        "embedding": [round(float(value), 5) for value in network.output(0)],
        "least_cosine": 0.999,
    }


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 2) for value in values]
