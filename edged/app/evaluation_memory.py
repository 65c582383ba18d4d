"""Models that remember: a clip goes through the pipeline once a split, and looks the same each time."""

import hashlib
from dataclasses import replace

import numpy as np

from edged.domain.face import Chip, Detection, Embedding, Landmarks
from edged.domain.frame import Pixels
from edged.pipeline.ports import Detector, Embedder, Landmarker, Models


class Memory:
    """The answers of three models, by what they were asked; `forget` before the next clip."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._detections: dict[bytes, list[Detection]] = {}
        self._landmarks: dict[tuple[bytes, Detection], Landmarks] = {}
        self._embeddings: dict[bytes, Embedding] = {}

    def models(self) -> Models:
        """The models, each asked only what it was not asked before."""
        return replace(
            self._models,
            detector=_Detecting(self._models.detector, self._detections),
            landmarker=_Locating(self._models.landmarker, self._landmarks),
            embedder=_Embedding(self._models.embedder, self._embeddings),
        )

    def forget(self) -> None:
        """Let go of all answers."""
        self._detections.clear()
        self._landmarks.clear()
        self._embeddings.clear()


class _Detecting:
    def __init__(self, detector: Detector, known: dict[bytes, list[Detection]]) -> None:
        self._detector = detector
        self._known = known

    def detect(self, pixels: Pixels) -> list[Detection]:
        key = _key(pixels)
        if key not in self._known:
            self._known[key] = self._detector.detect(pixels)
        return list(self._known[key])


class _Locating:
    def __init__(self, landmarker: Landmarker, known: dict[tuple[bytes, Detection], Landmarks]) -> None:
        self._landmarker = landmarker
        self._known = known

    def locate(self, pixels: Pixels, detection: Detection) -> Landmarks:
        # A detection is one and the same value whenever its frame is shown again.
        key = (_key(pixels), detection)
        if key not in self._known:
            self._known[key] = self._landmarker.locate(pixels, detection)
        return self._known[key]


class _Embedding:
    def __init__(self, embedder: Embedder, known: dict[bytes, Embedding]) -> None:
        self._embedder = embedder
        self._known = known

    @property
    def model_hash(self) -> str:
        return self._embedder.model_hash

    def embed(self, chip: Chip) -> Embedding:
        key = _key(chip)
        if key not in self._known:
            self._known[key] = self._embedder.embed(chip)
        return self._known[key]


def _key(pixels: Pixels | Chip) -> bytes:
    digest = hashlib.blake2b(str(pixels.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()
