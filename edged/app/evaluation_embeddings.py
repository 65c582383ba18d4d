"""Embeddings of many people in one file: what a calibration is fitted to."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edged.app.evaluation_faces import Sight
from edged.domain.errors import InputError
from edged.domain.face import Floats

Faces = tuple[NDArray[np.int32], Floats, NDArray[np.float32]]
"""Person, embedding and quality of each face, as a FaceSet has them."""


def write_embeddings(path: Path, people: Sequence[str], sights: Sequence[Sight]) -> None:
    """Write `person` (a number a photograph), `chip` and `mirrored` (the embedder's own answers, float16).

    Beside them `quality` (float32, 0 to 1) and `name` (of each person, by number). Raises InputError.
    """
    kept = [(person, one) for person, one in zip(people, sights, strict=True) if one.raw is not None]
    if not kept:
        raise InputError("no face is found in any picture: there are no embeddings to write")
    names = list(dict.fromkeys(person for person, _ in kept))
    number = {name: index for index, name in enumerate(names)}
    raws = [one.raw for _, one in kept if one.raw is not None]
    try:
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                person=np.array([number[person] for person, _ in kept], np.int32),
                chip=np.stack([np.frombuffer(chip, "<f4") for chip, _ in raws]).astype(np.float16),
                mirrored=np.stack([np.frombuffer(mirror, "<f4") for _, mirror in raws]).astype(np.float16),
                quality=np.array([one.quality for _, one in kept], np.float32),
                name=np.array(
                    [name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name in names]
                ),
            )
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None


def read_embeddings(path: Path) -> tuple[tuple[str, ...], Faces]:
    """Names of the people, and each face with its person, embedding and quality; raises InputError."""
    try:
        with np.load(path, allow_pickle=False) as data:
            person, chip, mirrored = data["person"], data["chip"], data["mirrored"]
            quality = data["quality"] if "quality" in data else np.ones(len(person))
            names = [str(name) for name in data["name"]] if "name" in data else []
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is no file of embeddings: {error}", remedy="`edged evaluate --embeddings` writes one."
        ) from None
    shape = (len(person), *chip.shape[1:2])
    if not len(person) or person.ndim != 1 or chip.shape != shape or mirrored.shape != shape:
        raise InputError(f"{path}: person, chip and mirrored do not fit together")
    embeddings = _unit(_unit(chip.astype(np.float32)) + _unit(mirrored.astype(np.float32)))
    if len(quality) != len(person) or not np.isfinite(embeddings).all():
        raise InputError(f"{path}: some embeddings are not numbers, or their qualities are missing")
    numbers, compact = np.unique(person, return_inverse=True)
    labels = tuple(names[number] if 0 <= number < len(names) else str(number) for number in numbers.tolist())
    return labels, (compact.astype(np.int32), embeddings, quality.astype(np.float32))


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)
