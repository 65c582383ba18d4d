"""Embedders and data folders for going over from one model to another."""

from pathlib import Path

import numpy as np

from builders.namespaces import OTHER_MODEL, HandClock, Ids, a_new_face, a_store
from edged.app.model_change import DataFolder
from edged.domain.face import Chip, Embedding
from edged.inference.card import EmbedderHead, ModelCard

SIZE = 96


class MeanColours:
    """An embedder that any machine computes alike: part of the chip's first row, as a unit vector."""

    def __init__(self, model_hash: str = OTHER_MODEL) -> None:
        self.model_hash = model_hash

    def embed(self, chip: Chip) -> Embedding:
        """SIZE numbers, not 128: another model."""
        vector = chip[0, :SIZE, 0].astype(np.float32)
        return vector / np.float32(np.linalg.norm(vector))


def a_card(name: str = "mean-colours", sha256: str = OTHER_MODEL) -> ModelCard:
    """The card of such an embedder."""
    head = EmbedderHead(input_px=150, size=SIZE)
    return ModelCard(name=name, role="embedder", file=f"{name}.tflite", sha256=sha256, head=head)


def a_folder(
    path: Path, *, people: int = 3, faces: int = 2, namespaces: tuple[str, ...] = ("home",)
) -> DataFolder:
    """A data folder with people, all with chips, as the old model embedded them."""
    for namespace in namespaces:
        with a_store(path, namespace=namespace, seed=namespace) as store:
            for person in range(people):
                known = [a_new_face(person * faces + number, chip=True) for number in range(faces)]
                store.add_identity(f"Person {person}", known)
    return DataFolder(path, HandClock(), Ids("change"))
