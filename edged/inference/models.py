"""Makes the three models that the settings name ready to run."""

import cv2

from edged.inference.card import DetectorHead, EmbedderHead, LandmarksHead, ModelCard
from edged.inference.catalogue import Catalogue, head_of
from edged.inference.detector import BlazeFaceDetector
from edged.inference.embedder import ChipEmbedder
from edged.inference.landmarker import FaceMeshLandmarker
from edged.inference.runtime import Network, Runtime, find_runtime, make_network
from edged.pipeline.ports import Models
from edged.settings import recognition as settings


def load_models(chosen: settings.Models, min_score: float) -> Models:
    """Find, check and load the models of the settings; raises `ModelError`.

    `min_score` is the least score of a detection, strictly between 0 and 1.
    """
    # The pictures between the models are small: OpenCV's own threads cost a tenth of the pipeline's CPU in
    # waiting for each other, and save nothing.
    cv2.setNumThreads(1)
    runtime = find_runtime()
    catalogue = Catalogue(chosen.directory)
    detector = catalogue.card(chosen.detector, "detector")
    landmarks = catalogue.card(chosen.landmarks, "landmarks")
    embedder = catalogue.embedder_for(chosen.embedder, runtime.name)

    def network(card: ModelCard) -> Network:
        return load_network(catalogue, card, runtime, chosen.threads)

    return Models(
        BlazeFaceDetector(network(detector), head_of(detector, DetectorHead), min_score),
        FaceMeshLandmarker(network(landmarks), head_of(landmarks, LandmarksHead)),
        ChipEmbedder(network(embedder), head_of(embedder, EmbedderHead), embedder.sha256),
    )


def load_network(catalogue: Catalogue, card: ModelCard, runtime: Runtime, threads: int) -> Network:
    """One model, checked against its card and loaded; raises `ModelError`."""
    return make_network(runtime, catalogue.content(card), name=card.name, threads=threads)
