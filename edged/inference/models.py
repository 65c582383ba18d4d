"""Makes the three models that the settings name ready to run."""

import cv2

from edged.inference.calibration import load_calibration
from edged.inference.card import DetectorHead, EmbedderHead, LandmarksHead, ModelCard, embedding_hash
from edged.inference.catalogue import Catalogue, head_of
from edged.inference.delegate import NetworkLoader
from edged.inference.detector import FaceDetector
from edged.inference.embedder import ChipEmbedder
from edged.inference.landmarker import FaceMeshLandmarker
from edged.inference.runtime import Network, Runtime, find_runtime, make_network
from edged.pipeline.ports import Models
from edged.settings import recognition as settings


def load_models(chosen: settings.Models, min_score: float | None) -> Models:
    """Find, check and load the models of the settings; raises `ModelError`.

    `min_score` is the least score of a detection, strictly between 0 and 1; without it the detector's own.
    """
    # The pictures between the models are small: OpenCV's own threads cost a tenth of the pipeline's CPU in
    # waiting for each other, and save nothing.
    cv2.setNumThreads(1)
    runtime = find_runtime()
    catalogue = Catalogue(chosen.directory)
    detector = catalogue.detector_for(chosen.detector, runtime.name)
    detector_head = head_of(detector, DetectorHead)
    landmarks = catalogue.card(chosen.landmarks, "landmarks")
    embedder = catalogue.embedder_for(chosen.embedder, runtime.name)

    loader = NetworkLoader(catalogue, runtime, chosen)
    return Models(
        FaceDetector(loader.load(detector), detector_head, min_score or detector_head.least_score),
        FaceMeshLandmarker(loader.load(landmarks), head_of(landmarks, LandmarksHead)),
        _embedder(loader, embedder),
        head_of(embedder, EmbedderHead).size,
        load_calibration(catalogue, embedder),
        remarks=tuple(loader.remarks),
        described=(
            ("runtime", f"{runtime.name} {runtime.version}"),
            ("detector", _called(detector)),
            ("landmarks", _called(landmarks)),
            ("embedder", _called(embedder)),
        ),
    )


def _called(card: ModelCard) -> str:
    return f"{card.name} {card.sha256[:12]}"


def load_embedder(chosen: settings.Models) -> tuple[ModelCard, ChipEmbedder]:
    """The card of the settings' embedder, and it alone, ready to run; raises `ModelError`."""
    cv2.setNumThreads(1)
    runtime = find_runtime()
    catalogue = Catalogue(chosen.directory)
    card = catalogue.embedder_for(chosen.embedder, runtime.name)
    return card, _embedder(NetworkLoader(catalogue, runtime, chosen), card)


def _embedder(loader: NetworkLoader, card: ModelCard) -> ChipEmbedder:
    return ChipEmbedder(loader.load(card), head_of(card, EmbedderHead), embedding_hash(card))


def load_network(catalogue: Catalogue, card: ModelCard, runtime: Runtime, threads: int) -> Network:
    """One model, checked against its card and loaded; raises `ModelError`."""
    with catalogue.opened(card) as model:
        return make_network(runtime, model, name=card.name, threads=threads)
