"""Runs a model on its card's reference picture and compares what comes out with what must."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike

from edged.domain.box import Box
from edged.domain.errors import ModelError
from edged.domain.face import CHIP_SIZE_PX, Detection
from edged.domain.frame import Pixels
from edged.inference.calibration import load_calibration
from edged.inference.card import (
    DetectorHead,
    EmbedderHead,
    ExpectedFace,
    LandmarksHead,
    ModelCard,
    Reference,
)
from edged.inference.catalogue import Catalogue, head_of, shipped_directory
from edged.inference.delegate import NetworkLoader
from edged.inference.detector import FaceDetector
from edged.inference.embedder import ChipEmbedder
from edged.inference.landmarker import FaceMeshLandmarker
from edged.inference.runtime import Network, Runtime
from edged.settings.recognition import Models

_MIN_SCORE = 0.5
_CHIP = np.s_[26:176, 23:173]
"""Of the shipped reference picture: the face about as it lies in a chip."""

Expected = TypeVar("Expected")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one model.

    Attributes:
        name: of the model.
        problems: what is wrong, each with its remedy; empty for a model that works.
        deviations: how far the results were off, in words.
        delegate: who computed, by the name of its library; empty where the CPU did.
        remarks: why a delegate that was asked for did not.
    """

    name: str
    problems: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    delegate: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One result against what was expected: how far off it is, and whether that is too far."""

    what: str
    is_wrong: bool


def verify(catalogue: Catalogue, name: str, runtime: Runtime, chosen: Models | None = None) -> Verdict:
    """Check a model's card and file, load it, run it on the reference picture and compare.

    A card of somebody's own may have no reference results; then the model is run, and what it gives is said.
    `chosen` says how many threads and which delegate; without it, one and none. Raises nothing that a person
    could act on: it is in the verdict.
    """
    loader = NetworkLoader(catalogue, runtime, chosen or Models(threads=1))
    try:
        card = catalogue.card(name)
        network = loader.load(card)
        if card.reference is None:
            comparisons = list(_tried(card, network))
        else:
            picture = _picture(catalogue.folder_of(name) / card.reference.picture)
            comparisons = list(_compared(card, card.reference, network, picture))
        if isinstance(card.head, EmbedderHead):
            comparisons.append(_calibrated(catalogue, card))
    except ModelError as error:
        return Verdict(name, problems=(str(error),), remarks=tuple(loader.remarks))
    return Verdict(
        name,
        problems=tuple(
            f"model {name} gives wrong results with {runtime.name} {runtime.version}: {item.what}"
            for item in comparisons
            if item.is_wrong
        ),
        deviations=tuple(item.what for item in comparisons),
        delegate=network.delegate,
        remarks=tuple(loader.remarks),
    )


def _calibrated(catalogue: Catalogue, card: ModelCard) -> _Comparison:
    """Whether it is known what the similarities are worth; raises ModelError for a damaged cohort."""
    calibration = load_calibration(catalogue, card)
    if calibration is None:
        return _Comparison("not calibrated yet, so nobody is recognised with it", is_wrong=False)
    return _Comparison(f"calibrated on {calibration.statistics.people:,} people", is_wrong=False)


def _tried(card: ModelCard, network: Network) -> Iterator[_Comparison]:
    """What a model without reference results gives for the shipped picture of one face."""
    picture = _picture(shipped_directory() / "reference" / "astronaut.jpg")
    if isinstance(card.head, DetectorHead):
        faces = FaceDetector(network, card.head, _MIN_SCORE).detect(picture)
        seen = f"finds {len(faces)} faces in a picture of one"
        if faces:
            box = faces[0].box
            seen += f", the best at {box.centre[0]:.0f}, {box.centre[1]:.0f}, {box.width:.0f} pixels wide,"
            seen += f" score {faces[0].score:.2f}"
        yield _Comparison(seen, is_wrong=False)
    elif isinstance(card.head, EmbedderHead):
        chip = cv2.cvtColor(picture[_CHIP], cv2.COLOR_BGR2RGB)
        found = ChipEmbedder(network, card.head, card.sha256).embed(chip)  # type: ignore[arg-type]
        yield _Comparison(f"gives {found.size} numbers; its card has no reference results", is_wrong=False)
    else:
        raise ModelError(f"the card of model {card.name} has no reference results for its role {card.role}")


def _compared(
    card: ModelCard, reference: Reference, network: Network, picture: Pixels
) -> Iterator[_Comparison]:
    if isinstance(card.head, DetectorHead):
        return _compared_faces(card, reference, network, picture)
    compare = _compared_mesh if isinstance(card.head, LandmarksHead) else _compared_embedding
    return compare(card, reference, network, picture)


def _compared_faces(
    card: ModelCard, reference: Reference, network: Network, picture: Pixels
) -> Iterator[_Comparison]:
    expected = reference.faces
    faces = FaceDetector(network, head_of(card, DetectorHead), _MIN_SCORE).detect(picture)
    yield _Comparison(f"{len(faces)} of {len(expected)} faces", len(faces) != len(expected))
    for face, wanted in zip(faces, expected, strict=False):
        yield from _compared_face(face, wanted)


def _compared_face(face: Detection, wanted: ExpectedFace) -> Iterator[_Comparison]:
    edges = (face.box.x_min, face.box.y_min, face.box.x_max, face.box.y_max)
    yield _difference("score", face.score, wanted.score, wanted.score_tolerance)
    yield _difference("box", edges, wanted.box, wanted.tolerance_px, " px")
    yield _difference("keypoints", face.keypoints, wanted.keypoints, wanted.tolerance_px, " px")


def _compared_mesh(
    card: ModelCard, reference: Reference, network: Network, picture: Pixels
) -> Iterator[_Comparison]:
    wanted = _given(card, reference.mesh)
    keypoints = np.zeros((6, 2), np.float32)
    keypoints[:2] = wanted.eyes
    landmarker = FaceMeshLandmarker(network, head_of(card, LandmarksHead))
    landmarks = landmarker.locate(picture, Detection(Box(*wanted.box), keypoints, 1.0))
    yield _difference("presence", landmarks.presence, wanted.presence, wanted.presence_tolerance)
    points = landmarks.points[list(wanted.points)]
    yield _difference("points", points, tuple(wanted.points.values()), wanted.tolerance_px, " px")


def _compared_embedding(
    card: ModelCard, reference: Reference, network: Network, picture: Pixels
) -> Iterator[_Comparison]:
    wanted = _given(card, reference.embedding)
    head = head_of(card, EmbedderHead)
    left, top = wanted.left_top
    square = picture[top : top + CHIP_SIZE_PX, left : left + CHIP_SIZE_PX]
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
