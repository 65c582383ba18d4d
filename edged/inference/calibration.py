"""Reads what an embedder's card says of its similarities, and the cohort beside it."""

import hashlib
import io

import numpy as np

from edged.domain.errors import ModelError
from edged.domain.face import Floats
from edged.inference.card import EmbedderHead, ModelCard
from edged.inference.catalogue import Catalogue, head_of
from edged.recognition.calibration import Calibration, CohortFile


def load_calibration(catalogue: Catalogue, card: ModelCard) -> Calibration | None:
    """The calibration of an embedder; None where its card has none. Raises `ModelError`."""
    head = head_of(card, EmbedderHead)
    if head.calibration is None:
        return None
    cohort = head.calibration.cohort
    prototypes = (
        np.empty((0, head.size), np.float32) if cohort is None else _prototypes(catalogue, card, cohort)
    )
    if prototypes.shape[1] != head.size:
        raise ModelError(
            f"model {card.name}: its cohort {cohort.file if cohort else ''} has vectors of"
            f" {prototypes.shape[1]} numbers, and the model makes {head.size}",
            remedy="measure the model again: `edged evaluate FOLDER --calibrate`",
        )
    return Calibration(head.calibration, prototypes)


def _prototypes(catalogue: Catalogue, card: ModelCard, cohort: CohortFile) -> Floats:
    content = catalogue.bytes_beside(card, cohort.file)
    found = hashlib.sha256(content).hexdigest()
    if found != cohort.sha256:
        raise ModelError(
            f"model {card.name}: its cohort {cohort.file} has the SHA-256 {found}, and the card says"
            f" {cohort.sha256}",
            remedy="install edged again, or measure the model again: `edged evaluate FOLDER --calibrate`",
        )
    try:
        vectors = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError as error:
        raise ModelError(f"model {card.name}: its cohort {cohort.file} is no NumPy file: {error}") from error
    prototypes: Floats = np.asarray(vectors, np.float32)
    if prototypes.ndim != 2 or not np.isfinite(prototypes).all() or len(prototypes) < cohort.nearest:  # noqa: PLR2004
        raise ModelError(f"model {card.name}: its cohort {cohort.file} is no list of prototypes")
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    prototypes.setflags(write=False)
    return prototypes
