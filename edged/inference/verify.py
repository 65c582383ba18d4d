"""Runs a model on its card's reference picture and compares what comes out with what must."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike

from edged.domain.box import Box
from edged.domain.errors import ModelError
from edged.domain.face import Detection
from edged.domain.frame import Pixels
from edged.inference.card import (
    DetectorHead,
    EmbedderHead,
    ExpectedFace,
    LandmarksHead,
    ModelCard,
)
from edged.inference.catalogue import Catalogue, head_of
from edged.inference.detector import BlazeFaceDetector
from edged.inference.embedder import ChipEmbedder
from edged.inference.landmarker import FaceMeshLandmarker
from edged.inference.models import load_network
from edged.inference.runtime import Network, Runtime

_MIN_SCORE = 0.5

Expected = TypeVar("Expected")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one model.

    Attributes:
        name: of the model.
        problems: what is wrong, each with its remedy; empty for a model that works.
        deviations: how far the results were off, in words.
    """

    name: str
    problems: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One result against what was expected: how far off it is, and whether that is too far."""

    what: str
    is_wrong: bool


def verify(catalogue: Catalogue, name: str, runtime: Runtime, threads: int = 1) -> Verdict:
    """Check a model's card and file, load it, run it on the reference picture and compare.

    Raises nothing that a person could act on: it is in the verdict.
    """
    try:
        card = catalogue.card(name)
        network = load_network(catalogue, card, runtime, threads)
        comparisons = list(_compared(card, network, _picture(catalogue.directory / card.reference.picture)))
    except ModelError as error:
        return Verdict(name, problems=(str(error),))
    return Verdict(
        name,
        problems=tuple(
            f"model {name} gives wrong results with {runtime.name} {runtime.version}: {item.what}"
            for item in comparisons
            if item.is_wrong
        ),
        deviations=tuple(item.what for item in comparisons),
    )


def _compared(card: ModelCard, network: Network, picture: Pixels) -> Iterator[_Comparison]:
    compare: dict[type, Callable[[ModelCard, Network, Pixels], Iterator[_Comparison]]] = {
        DetectorHead: _compared_faces,
        LandmarksHead: _compared_mesh,
        EmbedderHead: _compared_embedding,
    }
    return compare[type(card.head)](card, network, picture)


def _compared_faces(card: ModelCard, network: Network, picture: Pixels) -> Iterator[_Comparison]:
    expected = card.reference.faces
    faces = BlazeFaceDetector(network, head_of(card, DetectorHead), _MIN_SCORE).detect(picture)
    yield _Comparison(f"{len(faces)} of {len(expected)} faces", len(faces) != len(expected))
    for face, wanted in zip(faces, expected, strict=False):
        yield from _compared_face(face, wanted)


def _compared_face(face: Detection, wanted: ExpectedFace) -> Iterator[_Comparison]:
    edges = (face.box.x_min, face.box.y_min, face.box.x_max, face.box.y_max)
    yield _difference("score", face.score, wanted.score, wanted.score_tolerance)
    yield _difference("box", edges, wanted.box, wanted.tolerance_px, " px")
    yield _difference("keypoints", face.keypoints, wanted.keypoints, wanted.tolerance_px, " px")


def _compared_mesh(card: ModelCard, network: Network, picture: Pixels) -> Iterator[_Comparison]:
    wanted = _given(card, card.reference.mesh)
    keypoints = np.zeros((6, 2), np.float32)
    keypoints[:2] = wanted.eyes
    landmarker = FaceMeshLandmarker(network, head_of(card, LandmarksHead))
    landmarks = landmarker.locate(picture, Detection(Box(*wanted.box), keypoints, 1.0))
    yield _difference("presence", landmarks.presence, wanted.presence, wanted.presence_tolerance)
    points = landmarks.points[list(wanted.points)]
    yield _difference("points", points, tuple(wanted.points.values()), wanted.tolerance_px, " px")


def _compared_embedding(card: ModelCard, network: Network, picture: Pixels) -> Iterator[_Comparison]:
    wanted = _given(card, card.reference.embedding)
    head = head_of(card, EmbedderHead)
    left, top = wanted.left_top
    square = picture[top : top + head.input_px, left : left + head.input_px]
    chip = cv2.cvtColor(square, cv2.COLOR_BGR2RGB)
    found = ChipEmbedder(network, head, card.sha256).raw(chip)  # type: ignore[arg-type]
    original = np.array(wanted.embedding)
    lengths = float(np.linalg.norm(found) * np.linalg.norm(original))
    cosine = float(found @ original) / lengths if lengths else 0.0
    yield _Comparison(
        f"cosine {cosine:.5f} to the original, at least {wanted.least_cosine}",
        not cosine >= wanted.least_cosine,
    )


def _given(card: ModelCard, expected: Expected | None) -> Expected:
    if expected is None:
        raise ModelError(f"the card of model {card.name} has no reference results for its role {card.role}")
    return expected


def _difference(
    what: str, found: ArrayLike, wanted: ArrayLike, tolerance: float, unit: str = ""
) -> _Comparison:
    off = float(np.abs(np.asarray(found, np.float64) - np.asarray(wanted, np.float64)).max())
    return _Comparison(f"{what} off by {off:.4f}{unit}, at most {tolerance}", not off <= tolerance)


def _picture(path: Path) -> Pixels:
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ModelError(
            f"reference picture {path}: {error.strerror}", remedy="install edged again"
        ) from error
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    if picture is None:
        raise ModelError(f"reference picture {path} cannot be decoded", remedy="install edged again")
    return picture  # type: ignore[return-value]
