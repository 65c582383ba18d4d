"""Which embedder a command compares groups by, and what its similarities are worth. Loads no model."""

from pathlib import Path

from edged.app.chosen_models import with_chosen_embedder
from edged.domain.errors import ModelError
from edged.inference.calibration import load_calibration
from edged.inference.card import embedding_hash
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.recognition.calibration import Calibration
from edged.settings.recognition import Models


def calibrated_embedder(chosen: Models, data_dir: Path) -> tuple[str, Calibration]:
    """The hash of the embedder that the daemon runs, and its calibration; raises ModelError, StoreError."""
    catalogue = Catalogue(chosen.directory)
    embedder = with_chosen_embedder(chosen, data_dir).embedder
    card = catalogue.embedder_for(embedder, find_runtime().name)
    calibration = load_calibration(catalogue, card)
    if calibration is None:
        raise ModelError(f"the card of {card.name} does not say what its similarities are worth")
    return embedding_hash(card), calibration
