"""Writes what was measured of an embedder into its cards, with the cohort beside them."""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from edged.domain.errors import InputError
from edged.evaluation.fitting import Fitted


def write_calibration(cards: Sequence[Path], found: Fitted) -> Path:
    """Write the cohort beside the first card, and the statistics into all; returns the cohort's file.

    Several cards are of the same weights, kept in several ways. Each file is exchanged as a whole; the cohort
    comes first, so that no card names one that is not there. Raises InputError.
    """
    buffer = io.BytesIO()
    np.save(buffer, found.prototypes)
    cohort_file = cards[0].with_name(f"{cards[0].stem}.cohort.npy")
    cohort = msgspec.structs.replace(
        found.cohort, file=cohort_file.name, sha256=hashlib.sha256(buffer.getvalue()).hexdigest()
    )
    statistics = msgspec.to_builtins(msgspec.structs.replace(found.statistics, cohort=cohort))
    try:
        written = [json.loads(path.read_text("utf-8")) for path in cards]
        _exchange(cohort_file, buffer.getvalue())
        for path, card in zip(cards, written, strict=True):
            card["head"]["calibration"] = statistics
            _exchange(path, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise InputError(f"{error.filename} cannot be written: {error.strerror}") from error
    except (ValueError, KeyError) as error:
        raise InputError(f"{cards[0]} is no embedder's card: {error}") from error
    return cohort_file


def _exchange(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
