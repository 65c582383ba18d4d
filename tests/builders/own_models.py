"""Models of somebody's own: the tiny ones of each head, with cards, in a folder."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from edged.inference.card import ModelCard
from edged.inference.catalogue import Catalogue

TINY = Path(__file__).resolve().parents[1] / "inference" / "tiny"

HEADS: dict[str, dict[str, Any]] = {
    "yunet": {"kind": "yunet", "input_px": 64},
    "scrfd-int8": {"kind": "scrfd", "input_px": 64},
    "ssd": {"kind": "ssd", "input_px": 64, "outputs": ["scores", "boxes", "classes", "count"]},
}
"""Of the tiny detectors."""

UNIT_SCALE = {"mean": [127.5, 127.5, 127.5], "std": [127.5, 127.5, 127.5]}


def add_own(
    folder: Path, tiny: str, head: dict[str, Any], *, name: str = "", role: str = "", **more: Any
) -> str:
    """Put a tiny model and a card of the least that a card needs into a folder; the model's name."""
    folder.mkdir(parents=True, exist_ok=True)
    name = name or tiny
    shutil.copy(TINY / f"{tiny}.tflite", folder / f"{name}.tflite")
    card = {
        "name": name,
        "role": role or ("embedder" if head["kind"] == "embedding" else "detector"),
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256((folder / f"{name}.tflite").read_bytes()).hexdigest(),
        "head": head,
        **more,
    }
    (folder / f"{name}.json").write_text(json.dumps(card))
    return name


def card_of(folder: Path, name: str) -> ModelCard:
    """The card, as the catalogue reads it."""
    return Catalogue(str(folder)).card(name)
