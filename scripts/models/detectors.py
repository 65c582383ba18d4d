"""The quantized detectors: which float model each is made of, by which pictures, and what stays float."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import packages
from calibration_frames import as_input, frames_in, written_frames
from detector_convert import as_int8
from float_parts import from_the_second_enlarging, heads
from tflite_graph import Graph

FRAMES = packages.CACHE.parent / "models-calibration"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one quantized detector is made.

    Attributes:
        source: name of the float model.
        side_px: of its input.
        stays_float: of its graph, the maps that are not quantized.
    """

    source: str
    side_px: int
    stays_float: Callable[[Graph], Collection[int]]


RECIPES = {
    "blazeface-full-range-int8": Recipe("blazeface-full-range", 192, from_the_second_enlarging),
    "blazeface-short-range-int8": Recipe("blazeface-short-range", 128, heads),
}


def calibration_pictures(folder: Path | None) -> list[Path]:
    """Those in the folder, or those that everybody can make; raises `FramesError` and `PackageError`."""
    return frames_in(folder) if folder is not None else written_frames(FRAMES)


def quantized_detectors(pictures: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every quantized detector; raises `FramesError` and `PackageError`."""
    for name, recipe in RECIPES.items():
        inputs = [as_input(path, recipe.side_px) for path in pictures]
        yield name, as_int8(packages.content_of(packages.COPIED[recipe.source]), inputs, recipe.stays_float)
