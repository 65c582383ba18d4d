"""The bootstrap: people are drawn again, never pairs or probes, because those of one person are alike."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Weights = NDArray[np.float64]

RESAMPLES: Final = 300
"""Enough for a 95 per cent interval: its ends rest on the outer seven or eight values of each side."""


def chance(seed: int, *path: int) -> np.random.Generator:
    """Chance that is the same in every run; `path` keeps one use of a seed apart from another."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *path])))


def multiplicities(clusters: int, resamples: int, seed: int) -> Iterator[Weights]:
    """For each resample, how often each of `clusters` people (or folds) is drawn: float64, sum `clusters`."""
    generator = chance(seed, clusters)
    for _ in range(resamples if clusters > 1 else 0):
        drawn = generator.integers(0, clusters, clusters)
        yield np.bincount(drawn, minlength=clusters).astype(np.float64)
