"""Makes the three models that the settings name ready to run."""

from dataclasses import dataclass

from edged.inference.card import DetectorHead, EmbedderHead, LandmarksHead, ModelCard
from edged.inference.catalogue import Catalogue, head_of
from edged.inference.detector import BlazeFaceDetector
from edged.inference.embedder import ChipEmbedder
from edged.inference.landmarker import FaceMeshLandmarker
from edged.inference.runtime import Network, Runtime, find_runtime, make_network
from edged.settings.recognition import Models


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models of a daemon; the one thread that runs them owns them."""

    detector: BlazeFaceDetector
    landmarker: FaceMeshLandmarker
    embedder: ChipEmbedder


def load_models(settings: Models, min_score: float) -> ModelSet:
    """Find, check and load the models of the settings; raises `ModelError`.

    `min_score` is the least score of a detection, strictly between 0 and 1.
    """
    runtime = find_runtime()
    catalogue = Catalogue(settings.directory)
    detector = catalogue.card(settings.detector, "detector")
    landmarks = catalogue.card(settings.landmarks, "landmarks")
    embedder = catalogue.embedder_for(settings.embedder, runtime.name)

    def network(card: ModelCard) -> Network:
        return load_network(catalogue, card, runtime, settings.threads)

    return ModelSet(
        BlazeFaceDetector(network(detector), head_of(detector, DetectorHead), min_score),
        FaceMeshLandmarker(network(landmarks), head_of(landmarks, LandmarksHead)),
        ChipEmbedder(network(embedder), head_of(embedder, EmbedderHead), embedder.sha256),
    )


def load_network(catalogue: Catalogue, card: ModelCard, runtime: Runtime, threads: int) -> Network:
    """One model, checked against its card and loaded; raises `ModelError`."""
    return make_network(runtime, catalogue.content(card), name=card.name, threads=threads)
