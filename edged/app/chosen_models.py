"""The models that a daemon or a command runs: the configuration's, and the embedder of the data folder."""

import logging
from pathlib import Path
from typing import Final

import msgspec

from edged.domain.errors import ModelError
from edged.inference.catalogue import AUTO
from edged.inference.models import load_models
from edged.pipeline.ports import Models
from edged.settings import recognition as settings
from edged.store.embedder_record import FILE_NAME, read_record

_LOG: Final = logging.getLogger(__name__)


def load_chosen_models(chosen: settings.Models, min_score: float | None, data_dir: Path) -> Models:
    """Load the models of the settings; with `embedder: auto`, the embedder that `edged models use` chose.

    Raises `ModelError` where that one is gone or was exchanged, and StoreError where the choice cannot be
    read. A configuration that names another embedder is obeyed, and it is said.
    """
    record = read_record(data_dir)
    models = load_models(with_chosen_embedder(chosen, data_dir), min_score)
    if record is None or models.embedder.model_hash == record.chosen.model_hash:
        return models
    if chosen.embedder == AUTO:
        raise ModelError(
            f"{data_dir / FILE_NAME} chose the embedder {record.chosen.card} with the hash"
            f" {record.chosen.model_hash}, and the model of that name, or its card, is now"
            f" {models.embedder.model_hash}",
            remedy=f"put model and card back, or go over to it: `edged models use {record.chosen.card}`",
        )
    _LOG.warning(
        "The configuration says `models.embedder: %s`, and `edged models use` chose %s: %s is used. Write"
        " `embedder: auto` to follow the choice",
        chosen.embedder,
        record.chosen.card,
        chosen.embedder,
    )
    return models


def with_chosen_embedder(chosen: settings.Models, data_dir: Path) -> settings.Models:
    """The settings with the data folder's embedder in the place of `auto`; raises StoreError."""
    record = read_record(data_dir) if chosen.embedder == AUTO else None
    return chosen if record is None else msgspec.structs.replace(chosen, embedder=record.chosen.card)
